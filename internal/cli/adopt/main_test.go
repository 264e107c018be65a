package adopt_test

import (
	"os"
	"testing"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/fleetwright/fleetwright/internal/app"
	"github.com/fleetwright/fleetwright/internal/testkit"
)

// server is a real API server with the definitions of Cluster API, of both of CAPZ's flavours, of Azure Service Operator (reduced) and of ours.
var (
	serverConfig *rest.Config
	server       client.WithWatch
)

func TestMain(m *testing.M) {
	const crds = "../../../localstack/crds/generated/"
	os.Exit(testkit.Main(m, func(config *rest.Config) error {
		scheme, err := app.Scheme()
		if err != nil {
			return err
		}
		serverConfig = config
		server, err = client.NewWithWatch(config, client.Options{Scheme: scheme})
		return err
	},
		crds+"capi/clusters.cluster.x-k8s.io.json", crds+"capi/machinepools.cluster.x-k8s.io.json",
		crds+"capz/azuremanagedclusters.infrastructure.cluster.x-k8s.io.json",
		crds+"capz/azuremanagedcontrolplanes.infrastructure.cluster.x-k8s.io.json",
		crds+"capz/azuremanagedmachinepools.infrastructure.cluster.x-k8s.io.json",
		crds+"capz/azureasomanagedclusters.infrastructure.cluster.x-k8s.io.json",
		crds+"capz/azureasomanagedcontrolplanes.infrastructure.cluster.x-k8s.io.json",
		crds+"capz/azureasomanagedmachinepools.infrastructure.cluster.x-k8s.io.json",
		"../../workloadcluster/testdata/aso-crds.yaml"))
}
