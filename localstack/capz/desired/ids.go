package desired

import (
	"fmt"
	"strings"

	infrav1 "sigs.k8s.io/cluster-api-provider-azure/api/v1beta1"
)

// The API versions that Azure Service Operator v2.18.0 uses for CAPZ v1.26.0, and CAPZ itself for scale sets.
const (
	GroupVersion            = "2020-06-01"
	NetworkVersion          = "2020-11-01"
	ContainerServiceVersion = "2025-08-01"
	ComputeVersion          = "2024-03-01"
)

// ResourceGroupID is the id of a resource group in a control plane's subscription.
func ResourceGroupID(controlPlane *infrav1.AzureManagedControlPlane, name string) string {
	return fmt.Sprintf("/subscriptions/%s/resourceGroups/%s", controlPlane.Spec.SubscriptionID, name)
}

// NetworkID is the id of the control plane's virtual network.
func NetworkID(controlPlane *infrav1.AzureManagedControlPlane) string {
	network := controlPlane.Spec.VirtualNetwork
	return ResourceGroupID(controlPlane, network.ResourceGroup) + "/providers/Microsoft.Network/virtualNetworks/" + network.Name
}

// SubnetID is the id of a subnet of the control plane's virtual network, see azure.SubnetID in azure/defaults.go.
func SubnetID(controlPlane *infrav1.AzureManagedControlPlane, name string) string {
	return NetworkID(controlPlane) + "/subnets/" + name
}

// ManagedClusterID is the id of the AKS cluster, see azure.ManagedClusterID in azure/defaults.go.
func ManagedClusterID(controlPlane *infrav1.AzureManagedControlPlane) string {
	group := ResourceGroupID(controlPlane, controlPlane.Spec.ResourceGroupName)
	return group + "/providers/Microsoft.ContainerService/managedClusters/" + controlPlane.Name
}

// AgentPoolID is the id of an agent pool of the AKS cluster.
func AgentPoolID(controlPlane *infrav1.AzureManagedControlPlane, pool *infrav1.AzureManagedMachinePool) string {
	return ManagedClusterID(controlPlane) + "/agentPools/" + poolName(pool)
}

// ScaleSetsID is the collection of scale sets in the cluster's node resource group.
func ScaleSetsID(controlPlane *infrav1.AzureManagedControlPlane) string {
	group := ResourceGroupID(controlPlane, controlPlane.Spec.NodeResourceGroupName)
	return group + "/providers/Microsoft.Compute/virtualMachineScaleSets"
}

// ProviderID turns the id of a scale set's instance into the id that cloud-provider-azure gives the node: only the name of
// the resource group is in lower case, see ConvertResourceGroupNameToLower in cloud-provider-azure's pkg/provider. An id
// without a resource group is an error.
func ProviderID(instanceID string) (string, error) {
	segments := strings.Split(instanceID, "/")
	for i := 0; i+2 < len(segments); i++ {
		if segments[i] == "resourceGroups" && segments[i+2] == "providers" {
			segments[i+1] = strings.ToLower(segments[i+1])
			return "azure://" + strings.Join(segments, "/"), nil
		}
	}
	return "", fmt.Errorf("no resource group in instance id %q", instanceID)
}

func poolName(pool *infrav1.AzureManagedMachinePool) string {
	if pool.Spec.Name == nil {
		return ""
	}
	return *pool.Spec.Name
}
