package v1alpha1_test

import (
	"os"
	"testing"

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
	os.Exit(testkit.Main(m, func(config *rest.Config) (err error) {
		if server, err = testkit.Connect(config, v1alpha1.AddToScheme); err != nil {
			return err
		}
		clients, err := kubernetes.NewForConfig(config)
		if err != nil {
			return err
		}
		restClient = clients.RESTClient()
		return nil
	}))
}
