// Package maintenance is the section maintenanceConfigurations: when AKS may do its work on a cluster.
package maintenance

import (
	"strings"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/additionalconfig/section"
	"github.com/fleetwright/fleetwright/internal/capi"
)

// +kubebuilder:rbac:groups=fleetwright.io,resources=azuremaintenanceconfigurations,verbs=get;list;watch;create;patch;delete

// Section makes one AzureMaintenanceConfiguration per type, which can have no other name than it gets here.
var Section = section.Section{
	Name: "maintenanceConfigurations", Kind: "AzureMaintenanceConfiguration", Fixed: []string{"type"},
	Children: func(spec fleetwrightv1.AzureClusterAdditionalConfigSpec, _ capi.Cluster) []section.Child {
		children := make([]section.Child, 0, len(spec.MaintenanceConfigurations))
		for _, plan := range spec.MaintenanceConfigurations {
			children = append(children, section.Child{
				Name: spec.ClusterName + "-" + strings.ToLower(string(plan.Type)),
				Spec: fleetwrightv1.AzureMaintenanceConfigurationSpec{MaintenancePlan: plan},
			})
		}
		return children
	},
}
