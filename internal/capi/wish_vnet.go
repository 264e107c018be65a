package capi

import "k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

// vnetOfCAPZ is the network that CAPZ makes for an AzureManagedControlPlane that says nothing of it.
const vnetOfCAPZ = "10.0.0.0/8"

// vnet is the range of the network that was made with the cluster, empty for none: Azure's or CAPZ's own choice is none.
func (p *parts) vnet() string {
	if p.flavor.Kinds().Related == nil {
		if p.controlPlane == nil {
			return ""
		}
		if cidr := stringAt(p.controlPlane, "spec", "virtualNetwork", "cidrBlock"); cidr != vnetOfCAPZ {
			return cidr
		}
		return ""
	}
	if p.infrastructure == nil {
		return ""
	}
	network := resourceOf(p.infrastructure, asoNetworkKind)
	if network == nil {
		return ""
	}
	prefixes, _, _ := unstructured.NestedStringSlice(network.Object, "spec", "addressSpace", "addressPrefixes")
	if len(prefixes) == 0 {
		return ""
	}
	return prefixes[0]
}
