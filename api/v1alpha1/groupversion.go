package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion is fleetwright.io/v1alpha1.
var GroupVersion = schema.GroupVersion{Group: "fleetwright.io", Version: "v1alpha1"}

// AddToScheme registers every kind of this package in a scheme.
func AddToScheme(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion, &Nodepool{}, &NodepoolList{}, &Freeze{}, &FreezeList{})
	scheme.AddKnownTypes(GroupVersion, &AzureRoleAssignment{}, &AzureRoleAssignmentList{})
	scheme.AddKnownTypes(GroupVersion, &AzureClusterAutoscaler{}, &AzureClusterAutoscalerList{})
	scheme.AddKnownTypes(GroupVersion, &AzureClusterAdditionalConfig{}, &AzureClusterAdditionalConfigList{})
	scheme.AddKnownTypes(GroupVersion, &AzureMaintenanceConfiguration{}, &AzureMaintenanceConfigurationList{})
	scheme.AddKnownTypes(GroupVersion, &AddressPool{}, &AddressPoolList{}, &AddressClaim{}, &AddressClaimList{}, &AddressAllocation{}, &AddressAllocationList{})
	scheme.AddKnownTypes(GroupVersion, &WorkloadCluster{}, &WorkloadClusterList{}, &WorkloadClusterClass{}, &WorkloadClusterClassList{})
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
}
