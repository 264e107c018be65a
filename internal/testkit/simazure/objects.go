package simazure

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/capi"
)

// ManagementCluster is one in memory, with Cluster API's kinds and ours. The status of kind is written apart from its spec.
func ManagementCluster(t *testing.T, kind client.Object, objects ...client.Object) client.Client {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{capi.AddToScheme, fleetwrightv1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	c := fake.NewClientBuilder().WithScheme(scheme).WithStatusSubresource(kind).Build()
	for _, o := range objects {
		if err := c.Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// ClusterObjects are a Cluster of flavour AzureManaged that is up, with label stage=production, and its control plane.
func ClusterObjects(namespace, group, name string) []client.Object {
	ref := func(kind string) clusterv1.ContractVersionedObjectReference {
		return clusterv1.ContractVersionedObjectReference{APIGroup: "infrastructure.cluster.x-k8s.io", Kind: kind, Name: name}
	}
	c := &clusterv1.Cluster{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{"stage": "production"}}}
	c.Spec.InfrastructureRef, c.Spec.ControlPlaneRef = ref("AzureManagedCluster"), ref("AzureManagedControlPlane")
	c.Status.Initialization.ControlPlaneInitialized = new(true)
	plane := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "infrastructure.cluster.x-k8s.io/v1beta1", "kind": "AzureManagedControlPlane",
		"metadata": map[string]any{"namespace": namespace, "name": name},
		"spec": map[string]any{
			"subscriptionID": SubscriptionID, "resourceGroupName": group, "location": "westeurope", "version": "v1.34.2",
			"identityRef": map[string]any{"kind": "AzureClusterIdentity", "name": name},
		},
	}}
	return []client.Object{c, plane}
}
