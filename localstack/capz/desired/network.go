package desired

import (
	"k8s.io/utils/ptr"
	infrav1 "sigs.k8s.io/cluster-api-provider-azure/api/v1beta1"

	"github.com/fleetwright/fleetwright/localstack/capz/armclient"
)

// ResourceGroup is a resource group of the cluster, see azure/services/groups/spec.go.
func ResourceGroup(controlPlane *infrav1.AzureManagedControlPlane, cluster, name string) armclient.Body {
	return armclient.Body{
		"location": controlPlane.Spec.Location,
		"tags":     ownedTags(controlPlane, cluster, name),
	}
}

// Network is the cluster's virtual network, see azure/services/virtualnetworks/spec.go.
func Network(controlPlane *infrav1.AzureManagedControlPlane, cluster string) armclient.Body {
	network := controlPlane.Spec.VirtualNetwork
	return armclient.Body{
		"location": controlPlane.Spec.Location,
		"tags":     ownedTags(controlPlane, cluster, network.Name),
		"properties": map[string]any{
			"addressSpace": map[string]any{"addressPrefixes": []string{network.CIDRBlock}},
		},
	}
}

// Subnet is the subnet of the cluster's nodes, see azure/services/subnets/spec.go.
func Subnet(controlPlane *infrav1.AzureManagedControlPlane) armclient.Body {
	subnet := controlPlane.Spec.VirtualNetwork.Subnet
	properties := map[string]any{"addressPrefix": subnet.CIDRBlock}
	if len(subnet.ServiceEndpoints) > 0 {
		var endpoints []map[string]any
		for _, endpoint := range subnet.ServiceEndpoints {
			endpoints = append(endpoints, map[string]any{"service": endpoint.Service, "locations": endpoint.Locations})
		}
		properties["serviceEndpoints"] = endpoints
	}
	return armclient.Body{"properties": properties}
}

// Owned says whether a resource carries the tag that CAPZ puts on what it made for a cluster and therefore deletes.
func Owned(existing armclient.Body, cluster string) bool {
	return infrav1.Tags(existing.Tags()).HasOwned(cluster)
}

func ownedTags(controlPlane *infrav1.AzureManagedControlPlane, cluster, name string) map[string]string {
	return infrav1.Build(infrav1.BuildParams{
		ClusterName: cluster,
		Lifecycle:   infrav1.ResourceLifecycleOwned,
		Name:        ptr.To(name),
		Role:        ptr.To(infrav1.CommonRole),
		Additional:  controlPlane.Spec.AdditionalTags,
	})
}
