package workloadcluster

import (
	"os"
	"testing"

	"k8s.io/client-go/rest"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/testkit"
)

// server is a real API server with the definitions of Cluster API, of both of CAPZ's flavours, of Azure Service Operator (reduced) and of ours.
var (
	serverConfig *rest.Config
	server       client.WithWatch
)

func TestMain(m *testing.M) {
	const crds = "../../localstack/crds/generated/"
	os.Exit(testkit.Main(m, func(config *rest.Config) (err error) {
		serverConfig = config
		server, err = testkit.Connect(config, clusterv1.AddToScheme, fleetwrightv1.AddToScheme)
		return err
	},
		crds+"capi/clusters.cluster.x-k8s.io.json", crds+"capi/machinepools.cluster.x-k8s.io.json",
		crds+"capi/clusterresourcesets.addons.cluster.x-k8s.io.json", crds+"capi/clusterresourcesetbindings.addons.cluster.x-k8s.io.json",
		crds+"capz/azuremanagedclusters.infrastructure.cluster.x-k8s.io.json",
		crds+"capz/azuremanagedcontrolplanes.infrastructure.cluster.x-k8s.io.json",
		crds+"capz/azureasomanagedclusters.infrastructure.cluster.x-k8s.io.json",
		crds+"capz/azureasomanagedcontrolplanes.infrastructure.cluster.x-k8s.io.json",
		crds+"capz/azuremanagedmachinepools.infrastructure.cluster.x-k8s.io.json",
		crds+"capz/azureasomanagedmachinepools.infrastructure.cluster.x-k8s.io.json",
		"testdata/aso-crds.yaml"))
}
