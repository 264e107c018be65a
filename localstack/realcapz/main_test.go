//go:build realcapz

package realcapz_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/fleetwright/fleetwright/config"
	"github.com/fleetwright/fleetwright/localstack/controlplane"
	_ "github.com/fleetwright/fleetwright/localstack/controlplane/etcdlog" // keeps the test's output readable
	"github.com/fleetwright/fleetwright/localstack/realcapz"
	"github.com/fleetwright/fleetwright/localstack/realcapz/sandbox"
	"github.com/fleetwright/fleetwright/localstack/stack"
)

// built is where `make build capz-managers` puts programs.
const built = "../../bin"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == sandbox.Command {
		os.Exit(sandbox.Main())
	}
	os.Exit(run(m))
}

// run keeps everything the stacks write below one folder, and leaves it there when a test has failed.
func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "fleetwright-realcapz-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	log, err := controlplane.LogToFile(filepath.Join(dir, "kubernetes.log"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = log.Close() }()
	ctrl.SetLogger(logr.New(klog.Background().GetSink()))
	if err := os.Setenv("REALCAPZ_TEST_DIR", dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	if code != 0 {
		fmt.Fprintln(os.Stderr, "Logs and data are kept in", dir)
		return code
	}
	if err := os.RemoveAll(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	return code
}

// options are those of a stack of the test's own, without an operator.
func options(t *testing.T, name string, provider stack.Provider) stack.Options {
	t.Helper()
	layout, err := stack.LayoutOf(os.Getenv("REALCAPZ_TEST_DIR"), name)
	if err != nil {
		t.Fatal(err)
	}
	return stack.Options{Layout: layout, Provider: provider}
}

// operated adds the operator with its definitions and rights.
func operated(t *testing.T, o stack.Options) stack.Options {
	t.Helper()
	var err error
	if o.Operator, err = stack.FindOperator(filepath.Join(built, "fleetwright")); err != nil {
		t.Fatal(err)
	}
	o.Manifests = config.Manifests
	return o
}

func realProvider(t *testing.T) stack.Provider {
	t.Helper()
	folder, err := realcapz.Find(built)
	if err != nil {
		t.Fatal(err)
	}
	return realcapz.Provider(folder)
}

// start runs a stack until the test ends.
func start(t *testing.T, o stack.Options) *stack.Stack {
	t.Helper()
	s, err := stack.Start(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}
