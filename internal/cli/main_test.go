package cli_test

import (
	"fmt"
	"os"
	"testing"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/fleetwright/fleetwright/internal/app"
	"github.com/fleetwright/fleetwright/internal/testkit"
)

// server is a real API server with Cluster API's, CAPZ's and our definitions. It plays the management cluster and the
// workload cluster at once.
var (
	serverConfig *rest.Config
	server       client.WithWatch
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
	const crds = "../../localstack/crds/generated/"
	config, stop, err := testkit.StartAPIServer(
		crds+"capi/clusters.cluster.x-k8s.io.json", crds+"capi/machinepools.cluster.x-k8s.io.json",
		crds+"capi/machinedrainrules.cluster.x-k8s.io.json",
		crds+"capz/azuremanagedcontrolplanes.infrastructure.cluster.x-k8s.io.json",
		crds+"capz/azuremanagedmachinepools.infrastructure.cluster.x-k8s.io.json")
	if err != nil {
		return 0, err
	}
	defer func() {
		if stopErr := stop(); err == nil {
			err = stopErr
		}
	}()
	config.QPS = -1
	scheme, err := app.Scheme()
	if err != nil {
		return 0, err
	}
	serverConfig = config
	if server, err = client.NewWithWatch(config, client.Options{Scheme: scheme}); err != nil {
		return 0, err
	}
	return m.Run(), nil
}
