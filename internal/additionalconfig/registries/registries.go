// Package registries is the section registries: the container registries that the nodes of a cluster may pull from.
package registries

import (
	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/additionalconfig/section"
	"github.com/fleetwright/fleetwright/internal/capi"
)

// acrPull is the name of the built-in role that lets nodes pull, as people know it.
const acrPull = "AcrPull"

// +kubebuilder:rbac:groups=fleetwright.io,resources=azureroleassignments,verbs=get;list;watch;create;patch;delete

// Section makes one AzureRoleAssignment per registry.
var Section = section.Section{
	Name: "registries", Kind: "AzureRoleAssignment", Fixed: []string{"scope", "role", "principal"}, Same: section.SameAssignment,
	Children: func(spec fleetwrightv1.AzureClusterAdditionalConfigSpec, _ capi.Cluster) []section.Child {
		children := make([]section.Child, 0, len(spec.Registries))
		for _, r := range spec.Registries {
			children = append(children, section.Child{
				Name: section.ChildName(spec.ClusterName, "registry", r.Name),
				Spec: fleetwrightv1.AzureRoleAssignmentSpec{
					Scope: r.ID, Role: fleetwrightv1.AzureRole{Name: acrPull}, PullCheck: r.PullCheck,
					Principal: fleetwrightv1.AzurePrincipal{ClusterIdentity: fleetwrightv1.ClusterIdentityKubelet},
				},
			})
		}
		return children
	},
}
