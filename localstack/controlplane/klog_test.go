package controlplane_test

import (
	"os"
	"strings"
	"testing"

	"k8s.io/klog/v2"

	"github.com/fleetwright/fleetwright/localstack/controlplane"
)

func TestContainFatalEndsTheGoroutineOnly(t *testing.T) {
	t.Cleanup(func() { klog.OsExit = os.Exit })
	var reports []string
	controlplane.ContainFatal(func(message string) { reports = append(reports, message) })

	done, returned := make(chan struct{}), false
	go func() {
		defer close(done)
		klog.Exit("Unable to perform initial IP allocation check") // as Fatal, but without stack traces on the terminal
		returned = true
	}()
	<-done
	if returned {
		t.Error("the code after the fatal message was run")
	}
	if len(reports) != 1 || !strings.Contains(reports[0], "gave up") {
		t.Errorf("reports = %q, want one that says that a part gave up", reports)
	}
}
