package ladder

import (
	"os"
	"testing"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/fleetwright/fleetwright/internal/testkit"
)

// server is a real API server without controllers: what a Deployment's controller would do is written by the tests.
var server kubernetes.Interface

func TestMain(m *testing.M) {
	os.Exit(testkit.Main(m, func(config *rest.Config) (err error) {
		server, err = kubernetes.NewForConfig(config)
		return err
	}))
}
