package ladder

import (
	"fmt"
	"os"
	"testing"

	"k8s.io/client-go/kubernetes"

	"github.com/fleetwright/fleetwright/internal/testkit"
)

// server is a real API server without controllers: what a Deployment's controller would do is written by the tests.
var server kubernetes.Interface

func TestMain(m *testing.M) {
	code, err := withServer(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func withServer(m *testing.M) (code int, err error) {
	config, stop, err := testkit.StartAPIServer()
	if err != nil {
		return 0, err
	}
	defer func() {
		if stopErr := stop(); err == nil {
			err = stopErr
		}
	}()
	config.QPS = -1
	if server, err = kubernetes.NewForConfig(config); err != nil {
		return 0, err
	}
	return m.Run(), nil
}
