package reporting

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// kind is one whose objects hold while a Freeze that reaches them is in effect, and say so in condition Paused.
type kind struct {
	name   string
	object client.Object
	// list makes an empty list of them.
	list func() client.ObjectList
}

// kinds are all of them.
var kinds = []kind{
	{"Nodepool", &fleetwrightv1.Nodepool{}, func() client.ObjectList { return &fleetwrightv1.NodepoolList{} }},
	{"AzureClusterAdditionalConfig", &fleetwrightv1.AzureClusterAdditionalConfig{}, func() client.ObjectList { return &fleetwrightv1.AzureClusterAdditionalConfigList{} }},
	{"AzureRoleAssignment", &fleetwrightv1.AzureRoleAssignment{}, func() client.ObjectList { return &fleetwrightv1.AzureRoleAssignmentList{} }},
	{"AzureClusterAutoscaler", &fleetwrightv1.AzureClusterAutoscaler{}, func() client.ObjectList { return &fleetwrightv1.AzureClusterAutoscalerList{} }},
	{"AzureMaintenanceConfiguration", &fleetwrightv1.AzureMaintenanceConfiguration{}, func() client.ObjectList { return &fleetwrightv1.AzureMaintenanceConfigurationList{} }},
	{"WorkloadCluster", &fleetwrightv1.WorkloadCluster{}, func() client.ObjectList { return &fleetwrightv1.WorkloadClusterList{} }},
	{"AddressClaim", &fleetwrightv1.AddressClaim{}, func() client.ObjectList { return &fleetwrightv1.AddressClaimList{} }},
}

// said is what an object says of itself, as far as it matters to Freezes.
type said struct {
	// cluster is the name of its Cluster, empty for none.
	cluster string
	// observed is the generation that its conditions are about.
	observed   int64
	conditions []metav1.Condition
}

func saidBy(o client.Object) said {
	switch o := o.(type) {
	case *fleetwrightv1.Nodepool:
		return said{o.Spec.ClusterName, o.Status.ObservedGeneration, o.Status.Conditions}
	case *fleetwrightv1.AzureClusterAdditionalConfig:
		return said{o.Spec.ClusterName, o.Status.ObservedGeneration, o.Status.Conditions}
	case *fleetwrightv1.AzureRoleAssignment:
		return said{o.Spec.ClusterName, o.Status.ObservedGeneration, o.Status.Conditions}
	case *fleetwrightv1.AzureClusterAutoscaler:
		return said{o.Spec.ClusterName, o.Status.ObservedGeneration, o.Status.Conditions}
	case *fleetwrightv1.AzureMaintenanceConfiguration:
		return said{o.Spec.ClusterName, o.Status.ObservedGeneration, o.Status.Conditions}
	case *fleetwrightv1.WorkloadCluster:
		return said{o.Name, o.Status.ObservedGeneration, o.Status.Conditions}
	case *fleetwrightv1.AddressClaim:
		return said{o.Spec.ClusterName, o.Status.ObservedGeneration, o.Status.Conditions}
	}
	return said{}
}
