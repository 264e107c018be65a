package controlplane_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/testr"
	"k8s.io/client-go/kubernetes"

	"github.com/fleetwright/fleetwright/localstack/controlplane"
)

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "controlplane-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	log := os.Getenv("KLOG_FILE")
	if log == "" {
		log = filepath.Join(dir, "klog.log")
	}
	if _, err := controlplane.LogToFile(log); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if dir := os.Getenv(childDir); dir != "" {
		return child(dir)
	}
	return m.Run()
}

// startEtcd is stopped after all servers that the test starts later.
func startEtcd(tb testing.TB, dir string) *controlplane.Etcd {
	tb.Helper()
	e, err := controlplane.StartEtcd(tb.Context(), dir)
	if err != nil {
		tb.Fatalf("StartEtcd() = %v", err)
	}
	tb.Cleanup(e.Close)
	return e
}

// startServer returns the server and the function that stops it and waits; it also runs when the test ends.
func startServer(tb testing.TB, o controlplane.Options) (*controlplane.Server, func()) {
	tb.Helper()
	if o.Dir == "" {
		o.Dir = tb.TempDir()
	}
	if t, ok := tb.(*testing.T); ok && o.Log == (logr.Logger{}) {
		o.Log = testr.New(t)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s, err := controlplane.Start(ctx, o)
	if err != nil {
		cancel()
		tb.Fatalf("Start(%s) = %v", o.Name, err)
	}
	stop := func() {
		cancel()
		if err := s.Wait(); err != nil {
			tb.Errorf("server %s ended with %v", o.Name, err)
		}
	}
	tb.Cleanup(stop)
	return s, stop
}

func clientOf(t *testing.T, s *controlplane.Server) *kubernetes.Clientset {
	t.Helper()
	c, err := kubernetes.NewForConfig(s.Config())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// eventually polls until done says so; what it returns last is part of the failure.
func eventually(t *testing.T, limit time.Duration, what string, done func(context.Context) (bool, string)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, state := done(ctx)
		if ok {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s: not within %s, last seen: %s", what, limit, state)
		case <-tick.C:
		}
	}
}
