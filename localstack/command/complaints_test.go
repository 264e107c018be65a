package command

import (
	"context"
	"io"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"k8s.io/klog/v2"

	"github.com/fleetwright/fleetwright/localstack/controlplane"
	"github.com/fleetwright/fleetwright/localstack/demo"
	"github.com/fleetwright/fleetwright/localstack/stack"
)

// A control plane that has lost a part must not pass for a demo that held.
func TestDemoTellsThatAPartGaveUp(t *testing.T) {
	exit := klog.OsExit
	t.Cleanup(func() {
		klog.OsExit = exit
		if err := controlplane.LogTo(io.Discard); err != nil {
			t.Error(err)
		}
	})
	how := demonstration{plain: true, story: func(context.Context, demo.Options) (*demo.Report, *stack.Stack, error) {
		var failing sync.WaitGroup
		for code := range 20 {
			failing.Go(func() { klog.OsExit(100 + code) })
		}
		failing.Wait()
		return nil, nil, nil
	}}
	err := how.run(t.Context(), io.Discard, stack.Options{Layout: stack.Layout{Dir: filepath.Join(t.TempDir(), "demo")}})
	if err == nil {
		t.Fatal("the demo held")
	}
	if n := strings.Count(err.Error(), "A part of a control plane gave up (exit code 1"); n != 20 {
		t.Errorf("%d of 20 parts that gave up are named in: %v", n, err)
	}
}
