package v1alpha1_test

import (
	"fmt"
	"os"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/testkit"
)

// server is a real API server with our definitions, shared by all tests: they differ by object name or only dry-run.
var (
	server     client.Client
	restClient rest.Interface
)

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
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return 0, err
	}
	server, err = client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		return 0, err
	}
	clients, err := kubernetes.NewForConfig(config)
	if err != nil {
		return 0, err
	}
	restClient = clients.RESTClient()
	return m.Run(), nil
}
