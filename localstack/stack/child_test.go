package stack

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-logr/logr"
)

func TestChildIsStartedAgainAndEnds(t *testing.T) {
	dir := t.TempDir()
	log, pid := filepath.Join(dir, "log"), filepath.Join(dir, "pid")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	// It notes its start, and ends at once the first time.
	script := "echo started; if [ -e " + dir + "/again ]; then exec sleep 600; fi; touch " + dir + "/again"
	c, err := startChild(ctx, []string{"/bin/sh", "-c", script}, nil, log, pid, logr.Discard())
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "a second start", func(context.Context) bool {
		content, err := os.ReadFile(log)
		return err == nil && strings.Count(string(content), "started") == 2
	})
	if err := c.failed(); err == nil {
		t.Error("nobody is told that the child has ended by itself")
	}
	began := time.Now()
	cancel()
	c.wait()
	if took := time.Since(began); took > childGrace+time.Second {
		t.Errorf("ending it took %s", took)
	}
	if _, err := os.Stat(pid); !os.IsNotExist(err) {
		t.Errorf("its record is still there: %v", err)
	}
}

func TestChildThatDoesNotListenIsKilled(t *testing.T) {
	dir := t.TempDir()
	ready := filepath.Join(dir, "ready")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	script := "trap '' TERM; touch " + ready + "; while true; do sleep 0.1; done"
	c, err := startChild(ctx, []string{"/bin/sh", "-c", script}, nil, filepath.Join(dir, "log"), filepath.Join(dir, "pid"), logr.Discard())
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the trap", func(context.Context) bool { _, err := os.Stat(ready); return err == nil })
	began := time.Now()
	cancel()
	c.wait()
	if took := time.Since(began); took > childGrace+2*time.Second {
		t.Errorf("ending it took %s", took)
	}
}

func TestProgramThatCannotStart(t *testing.T) {
	dir := t.TempDir()
	_, err := startChild(t.Context(), []string{filepath.Join(dir, "missing")}, nil, filepath.Join(dir, "log"), filepath.Join(dir, "pid"), logr.Discard())
	if err == nil {
		t.Fatal("a missing program was started")
	}
}

// A recorded process is ended only if it is still the one that was recorded: numbers are used again.
func TestLeftoverIsEndedOnlyIfItIsTheOne(t *testing.T) {
	for name, test := range map[string]struct {
		recorded string
		ended    bool
	}{
		"the same command line": {recorded: "sleep 600", ended: true},
		"another one":           {recorded: "fleetwright --kubeconfig=x", ended: false},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command("sleep", "600")
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			gone := make(chan struct{})
			go func() { _ = cmd.Wait(); close(gone) }()
			t.Cleanup(func() { _ = cmd.Process.Kill(); <-gone })
			file := filepath.Join(t.TempDir(), "pid")
			if err := (process{PID: cmd.Process.Pid, Command: test.recorded}).save(file); err != nil {
				t.Fatal(err)
			}
			eventually(t, "the process's command line", func(context.Context) bool {
				line, err := commandLine(cmd.Process.Pid)
				return err == nil && line == "sleep 600"
			})
			if err := endLeftover(t.Context(), file); err != nil {
				t.Fatal(err)
			}
			if test.ended {
				<-gone
				return
			}
			if err := cmd.Process.Signal(syscall.Signal(0)); err != nil {
				t.Errorf("the process was ended: %v", err)
			}
		})
	}
}
