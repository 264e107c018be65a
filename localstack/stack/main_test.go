package stack

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/fleetwright/fleetwright/config"
	"github.com/fleetwright/fleetwright/internal/azure/sim"
	"github.com/fleetwright/fleetwright/localstack/controlplane"
	_ "github.com/fleetwright/fleetwright/localstack/controlplane/etcdlog" // keeps the test's output readable
	"github.com/fleetwright/fleetwright/localstack/kubelet"
)

// The roles this test binary plays when it is started by a test.
const (
	roleVariable = "FLEETWRIGHT_STACK_TEST_ROLE"
	roleStack    = "stack"    // runs the stack whose directory is the last argument, until it is killed
	roleOperator = "operator" // answers /readyz as the operator does
)

func TestMain(m *testing.M) {
	switch {
	case isOperator(os.Args):
		os.Exit(playOperator())
	case os.Getenv(roleVariable) == roleStack:
		os.Exit(playStack(os.Args[len(os.Args)-1]))
	default:
		silence()
		os.Exit(m.Run())
	}
}

func silence() {
	ctrl.SetLogger(logr.Discard())
	if err := controlplane.LogTo(io.Discard); err != nil {
		panic(err)
	}
}

// isOperator recognizes the arguments that the stack gives to the operator's program.
func isOperator(args []string) bool {
	return len(args) > 1 && strings.HasPrefix(args[1], "--kubeconfig=")
}

func playOperator() int {
	address := ""
	for _, arg := range os.Args {
		if value, ok := strings.CutPrefix(arg, "--health-probe-bind-address="); ok {
			address = value
		}
	}
	ok := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	server := &http.Server{Addr: address, Handler: ok, ReadHeaderTimeout: time.Second}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	context.AfterFunc(ctx, func() { _ = server.Close() })
	fmt.Fprintln(os.Stderr, server.ListenAndServe())
	stop()
	return 0
}

func playStack(dir string) int {
	silence()
	s, err := Start(context.Background(), quickOptions(dir))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	<-s.Failed()
	fmt.Fprintln(os.Stderr, s.Failure())
	return 1
}

// quickOptions are those of a stack whose world is in a hurry, with this binary as its operator.
func quickOptions(dir string) Options {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	settings := sim.DefaultSettings()
	tenth := metav1.Duration{Duration: 100 * time.Millisecond}
	settings.Durations = sim.Durations{
		ClusterCreate: tenth, ClusterUpdate: tenth, ClusterUpgrade: tenth, ClusterDelete: tenth, PoolCreate: tenth, PoolUpdate: tenth,
		PoolDelete: tenth, NodeReplace: tenth, NodeBoot: tenth, NetworkWrite: tenth, GroupDelete: tenth,
	}
	return Options{
		Layout: Layout{Dir: dir}, Operator: self, Manifests: config.Manifests,
		Azure: &settings, Kubelet: &kubelet.Settings{},
	}
}
