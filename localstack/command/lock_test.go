package command

import (
	"os"
	"path/filepath"
	"testing"

	"go.etcd.io/etcd/client/pkg/v3/fileutil"

	"github.com/fleetwright/fleetwright/localstack/stack"
)

// holdLock plays another process that runs the stack.
func holdLock(t *testing.T, layout stack.Layout) (release func()) {
	t.Helper()
	if err := layout.Create(); err != nil {
		t.Fatal(err)
	}
	held, err := fileutil.TryLockFile(filepath.Join(layout.Dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	return func() { _ = held.Close() }
}
