package render

import (
	"k8s.io/apimachinery/pkg/api/equality"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/workloadcluster/effective"
)

// NetworkAssignment is the name of the role assignment that follows from a network of the cluster's own. No spec may have one of that name.
const NetworkAssignment = effective.ReservedRoleAssignment

// networkContributor is the role Network Contributor. Without it AKS makes no load balancer in a network that is not its own; it grants the role
// to itself only when asked by its command line.
const networkContributor = "4d97b98b-1d4f-4787-a291-c67834d212e7"

// Config is the AzureClusterAdditionalConfig, nil when the cluster needs nothing of the kind.
func Config(in Input) *fleetwrightv1.AzureClusterAdditionalConfigSpec {
	c := *in.Effective.Spec.AdditionalConfig.DeepCopy()
	out := &fleetwrightv1.AzureClusterAdditionalConfigSpec{
		ClusterName: in.Name, Registries: c.Registries, RoleAssignments: c.RoleAssignments, Autoscaler: c.Autoscaler,
		MaintenanceConfigurations: c.MaintenanceConfigurations, DriftPolicy: c.DriftPolicy,
		Reconcile: in.Reconcile, DeletionPolicy: fleetwrightv1.DeletionPolicyDelete,
	}
	if in.NetworkID != "" {
		out.RoleAssignments = append(out.RoleAssignments, fleetwrightv1.AdditionalRoleAssignment{
			Name: NetworkAssignment, Scope: in.NetworkID, Role: fleetwrightv1.AzureRole{ID: networkContributor},
			Principal: fleetwrightv1.AzurePrincipal{ClusterIdentity: fleetwrightv1.ClusterIdentityControlPlane},
		})
	}
	empty := len(out.Registries) == 0 && len(out.RoleAssignments) == 0 && len(out.MaintenanceConfigurations) == 0 &&
		equality.Semantic.DeepEqual(out.Autoscaler, fleetwrightv1.AutoscalerProfile{})
	if empty {
		return nil
	}
	return out
}
