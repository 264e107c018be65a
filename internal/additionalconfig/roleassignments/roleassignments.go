// Package roleassignments is the section roleAssignments: roles that a cluster needs besides pulling from registries.
package roleassignments

import (
	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/additionalconfig/section"
	"github.com/fleetwright/fleetwright/internal/capi"
)

// +kubebuilder:rbac:groups=fleetwright.io,resources=azureroleassignments,verbs=get;list;watch;create;patch;delete

// Section makes one AzureRoleAssignment per entry.
var Section = section.Section{
	Name: "roleAssignments", Kind: "AzureRoleAssignment", Fixed: []string{"scope", "role", "principal"}, Same: section.SameAssignment,
	Children: func(spec fleetwrightv1.AzureClusterAdditionalConfigSpec, _ capi.Cluster) []section.Child {
		children := make([]section.Child, 0, len(spec.RoleAssignments))
		for _, a := range spec.RoleAssignments {
			children = append(children, section.Child{
				Name: section.ChildName(spec.ClusterName, "role", a.Name),
				Spec: fleetwrightv1.AzureRoleAssignmentSpec{
					Scope: a.Scope, Role: a.Role, Principal: a.Principal, ExistingPolicy: a.ExistingPolicy, PullCheck: a.PullCheck,
				},
			})
		}
		return children
	},
}
