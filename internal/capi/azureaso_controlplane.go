package capi

import (
	"cmp"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// asoClusterOf is the cluster of an object of Azure Service Operator that CAPZ
// put no label on: the managed cluster is called as the Cluster is by custom.
func asoClusterOf(o client.Object) string {
	u, ok := o.(*unstructured.Unstructured)
	switch {
	case !ok || u.GroupVersionKind().Group != asoGroup:
		return ""
	case u.GetKind() == asoManagedCluster.Kind:
		return u.GetName()
	}
	return stringAt(u, "spec", "owner", "name")
}

// ReadControlPlane implements Flavor.
func (AzureASOManaged) ReadControlPlane(c *Cluster, plane, related *unstructured.Unstructured) {
	resource := resourceIn(plane, asoManagedCluster.Kind)
	if resource == nil {
		resource = &unstructured.Unstructured{Object: map[string]any{}}
	}
	if related == nil {
		related = &unstructured.Unstructured{Object: map[string]any{}}
	}
	c.readCredentialFrom(plane, related, resource)
	c.ownerName = resource.GetName()
	c.annotations = map[string]any{}
	for key, value := range resource.GetAnnotations() {
		if strings.HasPrefix(key, asoAnnotations) && key != asoPolicy {
			c.annotations[key] = value
		}
	}
	c.Location = cmp.Or(stringAt(related, "status", "location"), stringAt(resource, "spec", "location"))
	c.ResourceGroup = stringAt(resource, "spec", "owner", "name")
	c.ManagedClusterName = cmp.Or(stringAt(resource, "spec", "azureName"), resource.GetName())
	if id, err := arm.ParseResourceID(stringAt(related, "status", "id")); err == nil {
		c.SubscriptionID, c.ResourceGroup, c.ManagedClusterName = id.SubscriptionID, id.ResourceGroupName, id.Name
	}
	network := func(field string) string {
		return cmp.Or(stringAt(related, "status", "networkProfile", field), stringAt(resource, "spec", "networkProfile", field))
	}
	c.NetworkPlugin, c.NetworkPluginMode = network("networkPlugin"), network("networkPluginMode")
	c.KubeletIdentity = stringAt(related, "status", "identityProfile", "kubeletidentity", "objectId")
	c.ControlPlaneIdentity = controlPlaneIdentity(related)

	// CAPZ takes initialized and ready back for the time of each change.
	c.Provisioned = c.Provisioned || boolAt(plane, "status", "initialized") || boolAt(plane, "status", "ready")
	c.readVersions(cmp.Or(stringAt(plane, "spec", "version"), stringAt(resource, "spec", "kubernetesVersion")),
		cmp.Or(stringAt(related, "status", "currentKubernetesVersion"), stringAt(plane, "status", "version")))
	progress := asoProgress(related)
	if progress.waiting {
		progress.State = Failed // it keeps no pool waiting
	}
	c.readOperation(progress.Progress)
}

// controlPlaneIdentity is the object id of the identity that Azure made for the cluster, or of the one it was given.
func controlPlaneIdentity(managedCluster *unstructured.Unstructured) string {
	if id := stringAt(managedCluster, "status", "identity", "principalId"); id != "" {
		return id
	}
	users, _, _ := unstructured.NestedMap(managedCluster.Object, "status", "identity", "userAssignedIdentities")
	for name := range users { // AKS takes one
		if id := stringAt(managedCluster, "status", "identity", "userAssignedIdentities", name, "principalId"); id != "" {
			return id
		}
	}
	return ""
}
