package capi

import (
	"cmp"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

const (
	dataplaneCilium = "cilium"
	skuBase         = "Base"
)

// managedInfrastructure has nothing to say: all of it is in the control plane.
func (w Wish) managedInfrastructure() WishedObject {
	return WishedObject{
		APIVersion: infraGroup + "/v1beta1", Kind: AzureManaged{}.Kinds().Cluster, Name: cmp.Or(w.Names.Infrastructure, w.Name),
		Spec: map[string]any{},
	}
}

// managedControlPlane has CAPZ's own fields, and one patch of the ManagedCluster for what has none.
func (w Wish) managedControlPlane() WishedObject {
	spec := map[string]any{}
	if w.ClusterIdentity.Name != "" {
		identity := map[string]any{"name": w.ClusterIdentity.Name}
		if w.ClusterIdentity.Namespace != w.Namespace {
			// CAPZ looks in the control plane's own if none is named.
			setText(identity, "namespace", w.ClusterIdentity.Namespace)
		}
		spec["identityRef"] = identity
	}
	setText(spec, "version", w.Version)
	setText(spec, "subscriptionID", w.SubscriptionID)
	if len(w.Tags) > 0 {
		spec["additionalTags"] = anyMap(w.Tags)
	}
	patch := map[string]any{}
	switch w.Tier {
	case "":
	case string(fleetwrightv1.AKSTierPremium): // CAPZ's enum has it not
		patch["sku"] = map[string]any{"name": skuBase, "tier": w.Tier}
	default:
		spec["sku"] = map[string]any{"tier": w.Tier}
	}
	mergeOver(patch, w.Overrides)
	if len(patch) > 0 {
		spec[clusterPatchesField] = []any{canonical(map[string]any{"spec": patch})}
	}
	return WishedObject{
		APIVersion: azureManagedControlPlane.GroupVersion().String(), Kind: azureManagedControlPlane.Kind, Name: cmp.Or(w.Names.ControlPlane, w.Name),
		Spec: spec, AtCreation: w.managedAtCreation(),
	}
}

func (w Wish) managedAtCreation() map[string]any {
	identity := map[string]any{"apiVersion": azureClusterIdentity.GroupVersion().String(), "kind": azureClusterIdentity.Kind}
	first := map[string]any{"networkPlugin": "azure", "dnsPrefix": w.Name, "identityRef": identity}
	setText(first, "location", w.Location)
	setText(first, "resourceGroupName", cmp.Or(w.ResourceGroup, w.Name))
	setText(first, "networkPluginMode", w.NetworkPluginMode)
	w.setDataplane(first)
	setText(first, "outboundType", w.OutboundType)
	setText(first, "dnsServiceIP", w.DNSServiceIP)
	setText(first, "nodeResourceGroupName", w.NodeResourceGroup)
	if w.VNet != "" {
		network := map[string]any{"name": w.Name, "cidrBlock": w.VNet}
		if w.Nodes != "" {
			network["subnet"] = map[string]any{"name": string(fleetwrightv1.ClusterRangeNodes), "cidrBlock": w.Nodes}
		}
		first["virtualNetwork"] = network
	}
	return first
}

// setDataplane is the same in both flavours. It is told at creation only: AKS would change that of a living cluster by reimaging all pools at once
// with its own drain, and CAPZ's webhook refuses every write that does.
func (w Wish) setDataplane(network map[string]any) {
	setText(network, "networkDataplane", w.Dataplane)
	if w.Dataplane == dataplaneCilium {
		network["networkPolicy"] = dataplaneCilium
	}
}
