package capi

import (
	"cmp"
	"maps"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// Resources of Azure Service Operator that a cluster is made of, besides its ManagedCluster. Each is in the version that CAPZ v1.26 brings along.
const (
	asoGroupKind   = "ResourceGroup"
	asoGroupGroup  = "resources.azure.com"
	asoGroupAPI    = asoGroupGroup + "/v1api20200601"
	asoNetworkKind = "VirtualNetwork"
	asoSubnetKind  = "VirtualNetworksSubnet"
	asoNetGroup    = "network.azure.com"
	asoNetworkAPI  = asoNetGroup + "/v1api20240301"
)

// asoDetach has Azure Service Operator let go of what it is told to delete, asoSkip only read what others have made.
const (
	asoDetach = "detach-on-delete"
	asoSkip   = "skip"
)

// asoResource is one in spec.resources; first is what it has only when it is made.
type asoResource struct {
	api, kind, name string
	policy          string
	spec, first     map[string]any
}

// resources are two lists of the same order: what is wished for, and what is besides at creation.
func (w Wish) resources(all ...asoResource) (wished, first []any) {
	for _, r := range all {
		annotations := map[string]any{}
		setText(annotations, asoCredentialFrom, w.CredentialSecret)
		setText(annotations, asoPolicy, r.policy)
		named := map[string]any{"name": r.name}
		metadata := maps.Clone(named)
		if len(annotations) > 0 {
			metadata["annotations"] = annotations
		}
		wished = append(wished, map[string]any{"apiVersion": r.api, "kind": r.kind, "metadata": metadata, "spec": r.spec})
		first = append(first, map[string]any{"apiVersion": r.api, "kind": r.kind, "metadata": named, "spec": r.first})
	}
	return wished, first
}

func (w Wish) tagged(spec map[string]any) map[string]any {
	if len(w.Tags) > 0 {
		spec["tags"] = anyMap(w.Tags)
	}
	return spec
}

func ownerNamed(name string) map[string]any { return map[string]any{"name": name} }

// asoInfrastructure is the resource group and, with ranges of its own, the network. Without detach-on-delete Azure Service Operator deletes a
// group with everything in it, also one that it found.
func (w Wish) asoInfrastructure() WishedObject {
	group := cmp.Or(w.Names.ResourceGroup, w.Name)
	resourceGroup := asoResource{
		api: asoGroupAPI, kind: asoGroupKind, name: group, policy: asoDetach,
		spec: w.tagged(map[string]any{}), first: map[string]any{"azureName": cmp.Or(w.ResourceGroup, w.Name), "location": w.Location},
	}
	if w.DeleteResourceGroup {
		resourceGroup.policy = ""
	}
	all := []asoResource{resourceGroup}
	if w.VNet != "" {
		all = append(all, asoResource{
			api: asoNetworkAPI, kind: asoNetworkKind, name: w.Name,
			spec:  w.tagged(map[string]any{"addressSpace": map[string]any{"addressPrefixes": []any{w.VNet}}}),
			first: map[string]any{"azureName": w.Name, "owner": ownerNamed(group), "location": w.Location},
		})
	}
	for _, subnet := range []struct {
		name        fleetwrightv1.ClusterRangeName
		cidr        string
		delegations []any
	}{
		{fleetwrightv1.ClusterRangeNodes, w.Nodes, nil},
		{fleetwrightv1.ClusterRangePods, w.PodSubnet, podDelegation()},
	} {
		if subnet.cidr == "" {
			continue
		}
		spec := map[string]any{"addressPrefix": subnet.cidr}
		if subnet.delegations != nil {
			spec["delegations"] = subnet.delegations
		}
		all = append(all, asoResource{
			api: asoNetworkAPI, kind: asoSubnetKind, name: w.SubnetObject(string(subnet.name)),
			spec: spec, first: map[string]any{"azureName": string(subnet.name), "owner": ownerNamed(w.Name)},
		})
	}
	wished, first := w.resources(all...)
	return WishedObject{
		APIVersion: infraGroup + "/v1beta1", Kind: AzureASOManaged{}.Kinds().Cluster, Name: cmp.Or(w.Names.Infrastructure, w.Name),
		Spec: map[string]any{"resources": wished}, AtCreation: map[string]any{"resources": first},
	}
}

// podDelegation is what AKS puts on a subnet of pods itself: without it, whoever writes the subnet again would take it off.
func podDelegation() []any {
	return []any{map[string]any{"name": "aks-delegation", "serviceName": "Microsoft.ContainerService/managedClusters"}}
}

// asoControlPlane is the ManagedCluster. Version, ranges, agent pools and credentials are not in it: CAPZ puts them in and refuses another word.
func (w Wish) asoControlPlane() WishedObject {
	name := cmp.Or(w.Names.ManagedCluster, w.Name)
	spec := w.tagged(map[string]any{})
	if w.Tier != "" {
		spec["sku"] = map[string]any{"name": skuBase, "tier": w.Tier}
	}
	firstNetwork := map[string]any{"networkPlugin": "azure"}
	setText(firstNetwork, "networkPluginMode", w.NetworkPluginMode)
	w.setDataplane(firstNetwork)
	setText(firstNetwork, "outboundType", w.OutboundType)
	setText(firstNetwork, "dnsServiceIP", w.DNSServiceIP)
	first := map[string]any{
		"azureName": w.Name, "owner": ownerNamed(cmp.Or(w.Names.ResourceGroup, w.Name)), "dnsPrefix": w.Name,
		"identity": map[string]any{"type": "SystemAssigned"}, "servicePrincipalProfile": map[string]any{"clientId": "msi"},
		"networkProfile": firstNetwork,
	}
	setText(first, "location", w.Location)
	setText(first, "nodeResourceGroup", w.NodeResourceGroup)
	overridden(spec, first, w.Overrides)
	said := asMade("spec.resources[ManagedCluster].spec", spec, first)
	wished, begun := w.resources(asoResource{api: asoManagedCluster.GroupVersion().String(), kind: asoManagedCluster.Kind, name: name, spec: spec, first: first})
	plane := map[string]any{"resources": wished}
	setText(plane, "version", w.Version)
	return WishedObject{
		APIVersion: asoManagedControlPlane.GroupVersion().String(), Kind: asoManagedControlPlane.Kind, Name: cmp.Or(w.Names.ControlPlane, w.Name),
		Spec: plane, AtCreation: map[string]any{"resources": begun}, said: said,
	}
}
