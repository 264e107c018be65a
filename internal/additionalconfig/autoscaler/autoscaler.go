// Package autoscaler is the section autoscaler: the profile of a cluster's autoscaler.
package autoscaler

import (
	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/additionalconfig/section"
	"github.com/fleetwright/fleetwright/internal/capi"
)

// +kubebuilder:rbac:groups=fleetwright.io,resources=azureclusterautoscalers,verbs=get;list;watch;create;patch;delete

// Section makes the one AzureClusterAutoscaler that a cluster can have, which is named like the cluster.
var Section = section.Section{
	Name: "autoscaler", Kind: "AzureClusterAutoscaler",
	Children: func(spec fleetwrightv1.AzureClusterAdditionalConfigSpec, _ capi.Cluster) []section.Child {
		if spec.Autoscaler == (fleetwrightv1.AutoscalerProfile{}) {
			return nil
		}
		return []section.Child{{Name: spec.ClusterName, Spec: fleetwrightv1.AzureClusterAutoscalerSpec{Profile: spec.Autoscaler}}}
	},
}
