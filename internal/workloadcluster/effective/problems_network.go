package effective

import (
	"fmt"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// outbound is what Azure refuses, after ten minutes or more, of a way out and of a dataplane, neither of which can be changed then.
func outbound(spec fleetwrightv1.WorkloadClusterTemplate) []string {
	var out []string
	vnet := hasVNet(spec.Network)
	switch spec.Network.Outbound {
	case fleetwrightv1.NetworkOutboundNATGateway:
		if vnet {
			out = append(out, "network.outbound NATGateway does not go with network.addresses[vnet]: AKS puts its NAT gateway into no network but its own: "+
				"set LoadBalancer, or leave vnet out")
		}
	case fleetwrightv1.NetworkOutboundUserDefinedRouting:
		if pool := unrouted(spec, vnet); pool != "" {
			out = append(out, fmt.Sprintf("network.outbound UserDefinedRouting needs a subnet with a route table, and those that are made with the cluster have none: "+
				"let nodepools[%s].spec.subnet name one of yours, or set LoadBalancer", pool))
		}
	case fleetwrightv1.NetworkOutboundLoadBalancer:
	}
	if spec.Network.Dataplane != fleetwrightv1.NetworkDataplaneCilium {
		return out
	}
	for i := range spec.Nodepools {
		if spec.Nodepools[i].Spec.OS.Type == fleetwrightv1.OSTypeWindows {
			out = append(out, fmt.Sprintf("nodepools[%s].spec.os.type Windows does not go with network.dataplane Cilium, which AKS runs on Linux only", spec.Nodepools[i].Name))
		}
	}
	return out
}

// unrouted is the first pool whose nodes would be in a subnet that is made with the cluster, empty for none. A cluster of flavour AzureManaged without
// vnet may have been adopted, and then lie in a network that people made.
func unrouted(spec fleetwrightv1.WorkloadClusterTemplate, vnet bool) string {
	if spec.Flavor == fleetwrightv1.WorkloadClusterFlavorManaged && !vnet {
		return ""
	}
	for i := range spec.Nodepools {
		subnet := spec.Nodepools[i].Spec.Subnet
		if subnet == "" || vnet && subnet == string(fleetwrightv1.ClusterRangeNodes) {
			return spec.Nodepools[i].Name
		}
	}
	return ""
}

func hasVNet(n fleetwrightv1.WorkloadClusterNetwork) bool {
	for i := range n.Addresses {
		if n.Addresses[i].Name == fleetwrightv1.ClusterRangeVNet {
			return true
		}
	}
	return false
}
