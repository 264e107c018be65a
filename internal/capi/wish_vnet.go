package capi

import (
	"cmp"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// vnetOfCAPZ is the network that CAPZ makes for an AzureManagedControlPlane that says nothing of it.
const vnetOfCAPZ = "10.0.0.0/8"

// vnet is the range of the network that was made with the cluster, empty for none: Azure's or CAPZ's own choice is none.
func (p *parts) vnet() string {
	if !p.ownsNetwork() {
		return ""
	}
	if p.flavor.Kinds().Related == nil {
		if cidr := stringAt(p.controlPlane, "spec", "virtualNetwork", "cidrBlock"); cidr != vnetOfCAPZ {
			return cidr
		}
		return ""
	}
	prefixes, _, _ := unstructured.NestedStringSlice(resourceOf(p.infrastructure, asoNetworkKind).Object, "spec", "addressSpace", "addressPrefixes")
	if len(prefixes) == 0 {
		return ""
	}
	return prefixes[0]
}

// ownsNetwork is true when the objects tell of a network that is the cluster's alone: it lies in the cluster's resource group and was made with it.
// In any other one there are others, who must not meet a role of this cluster's identity on all of it, nor a claim of all its addresses.
func (p *parts) ownsNetwork() bool {
	if p.flavor.Kinds().Related == nil {
		return p.controlPlane != nil && p.ownsManagedNetwork()
	}
	if p.infrastructure == nil {
		return false
	}
	network, group := resourceOf(p.infrastructure, asoNetworkKind), resourceOf(p.infrastructure, asoGroupKind)
	if network == nil || group == nil || network.GetAnnotations()[asoPolicy] == asoSkip {
		return false
	}
	return stringAt(network, "spec", "owner", "name") == group.GetName()
}

// ownsManagedNetwork: CAPZ finds a network by resource group and name, and makes the one that is not there. Where nothing else is said, both are the
// cluster's.
func (p *parts) ownsManagedNetwork() bool {
	text := func(path ...string) string { return stringAt(p.controlPlane, append([]string{"spec"}, path...)...) }
	group, name, plane := text("virtualNetwork", "resourceGroup"), text("virtualNetwork", "name"), p.controlPlane.GetName()
	if group != "" && !strings.EqualFold(group, text("resourceGroupName")) {
		return false
	}
	cluster := plane
	if p.cluster != nil {
		cluster = p.cluster.Name
	}
	name = cmp.Or(name, plane)
	return strings.EqualFold(name, plane) || strings.EqualFold(name, cluster)
}
