package workloadcluster

import (
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// small is a cluster of two pools with a network of its own and a registry.
func small(flavor string) string {
	return `
version: v1.33.6
flavor: ` + flavor + `
azure: {resourceGroup: NAMESPACE, subscriptionID: ` + subscription + `, location: westeurope, clusterIdentity: {name: quickstart}}
network: {addresses: [{name: vnet, poolRef: {name: corp}}]}
limits: {maxNodes: 100}
nodepools:
- {name: system, spec: {mode: System, machineType: Standard_D2ds_v5, replicas: 2}}
- {name: general, spec: {mode: User, machineType: Standard_D4ds_v5, replicas: 3}}
additionalConfig:
  registries: [{name: shop, id: /subscriptions/` + subscription + `/resourceGroups/r/providers/Microsoft.ContainerRegistry/registries/thisshop}]
  autoscaler: {expander: random}
deletionPolicy: Delete
`
}

func made(flavor string) []string {
	return []string{
		"AddressClaim c", flavor + "Cluster c", flavor + "ControlPlane c", "Cluster c", "Nodepool c-general", "Nodepool c-system", "AzureClusterAdditionalConfig c",
	}
}

func with(lines []string, more ...string) []string {
	return append(append([]string(nil), lines...), more...)
}

// From one object to a cluster that tenants can use, in both flavours.
func TestStoryOfAWorkloadCluster(t *testing.T) {
	for _, flavor := range []string{aso, managed} {
		t.Run(flavor, func(t *testing.T) {
			s := newStage(t, map[string]string{aso: "story-aso", managed: "story-managed"}[flavor])
			s.apply(small(flavor))
			s.expect("the addresses come first", "AddressClaim c",
				"Ready Unknown AddressesNotReady", "Available False NoNodes", "UpToDate False NotCreated",
				"AddressesReady Unknown NotReported", "InfrastructureReady False WaitingForAddresses", "ControlPlaneReady False WaitingForAddresses",
				"NodepoolsReady False WaitingForAddresses", "RoleAssignmentsReady False WaitingForAddresses", "AutoscalerReady False WaitingForAddresses")
			s.bound(network...)
			s.expect("everything is made at once", with(made(flavor),
				"Ready False InfrastructureNotReady", "Available False NotReachable", "UpToDate False NotCreated",
				"InfrastructureReady False Provisioning", "ControlPlaneReady False Provisioning",
				"NodepoolsReady Unknown NotReported", "RoleAssignmentsReady Unknown NotReported", "AutoscalerReady Unknown NotReported")...)
			s.infrastructureReady(flavor)
			s.expect("Azure has the network", with(made(flavor),
				"Ready False ControlPlaneNotReady", "Available False NotReachable", "UpToDate False NotCreated",
				"ControlPlaneReady False Provisioning",
				"NodepoolsReady Unknown NotReported", "RoleAssignmentsReady Unknown NotReported", "AutoscalerReady Unknown NotReported")...)
			s.clusterServes(flavor, "v1.33.6")
			s.poolReady("c-system", "v1.33.6")
			s.reports(&fleetwrightv1.Nodepool{}, "c-general", "Ready False CreatingGreen", "Available False NoNodes", "UpToDate False CreatingGreen")
			s.reports(&fleetwrightv1.AzureClusterAdditionalConfig{}, "c", "RegistriesReady False WaitingForIdentity", "AutoscalerReady True Ready")
			s.settle()
			s.reports(&fleetwrightv1.AzureClusterAdditionalConfig{}, "c", "RegistriesReady False WaitingForIdentity", "RoleAssignmentsReady True Ready", "AutoscalerReady True Ready")
			s.expect("the API server answers", with(made(flavor),
				"Ready False NodepoolsNotReady", "Available False NoNodes", "UpToDate False NodepoolsChanging",
				"NodepoolsReady False CreatingGreen", "RoleAssignmentsReady False WaitingForIdentity")...)
			s.poolReady("c-general", "v1.33.6")
			s.reports(&fleetwrightv1.AzureClusterAdditionalConfig{}, "c", "RegistriesReady True Ready", "RoleAssignmentsReady True Ready", "AutoscalerReady True Ready")
			s.expect("tenants can use it", with(made(flavor), "Ready True Ready")...)
			status := s.object().Status
			if status.Step != "" || status.Version != "v1.33.6" || *status.ReadyNodes != 4 || len(status.Nodepools) != 2 || len(status.Steps) != 6 ||
				status.ReadyTime.IsZero() || status.EffectiveHash == "" || len(status.Addresses) != 4 {
				t.Errorf("status is %+v", status)
			}
			if !meta.IsStatusConditionTrue(status.Conditions, "AzureSettingsReady") {
				t.Error("what is not declared is not ready")
			}
		})
	}
}
