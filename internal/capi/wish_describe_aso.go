package capi

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

func (d *Described) describeASO(p *parts, c Cluster) {
	managedCluster, group := resourceOf(p.controlPlane, asoManagedCluster.Kind), resourceOf(p.infrastructure, asoGroupKind)
	text := func(path ...string) string { return stringAt(managedCluster, append([]string{"spec"}, path...)...) }
	if d.Version == "" {
		d.Version = withV(text("kubernetesVersion"))
		d.odd("spec.version of %s %s is not set: what is written there is %s", p.controlPlane.GetKind(), p.controlPlane.GetName(), cmp.Or(d.Version, "nothing"))
	}
	d.Location, d.NodeResourceGroup = locationName(text("location")), text("nodeResourceGroup")
	d.Pods, d.Services = cmp.Or(d.Pods, text("networkProfile", "podCidr")), cmp.Or(d.Services, text("networkProfile", "serviceCidr"))
	d.DNSServiceIP = text("networkProfile", "dnsServiceIP")
	d.describeNetwork(c.NetworkPlugin, c.NetworkPluginMode, text("networkProfile", "networkDataplane"), text("networkProfile", "networkPolicy"),
		text("networkProfile", "outboundType"))
	switch {
	case text("sku", "name") != "":
		d.Tier = text("sku", "tier")
	case text("sku", "tier") != "":
		d.odd("sku.tier is %s without sku.name", text("sku", "tier"))
	}
	d.describeGroup(p, group, c)
	resources := append(d.describeVNet(p), managedCluster)
	if group != nil {
		resources = append(resources, group)
	}
	d.CredentialSecret = d.commonCredential(resources)
	d.Tags = d.commonTags(resources)
	d.describeOverrides(treeAt(managedCluster, "spec"))
	for _, key := range keyed(treeAt(p.controlPlane, "spec")).resourceOrder {
		if key != asoManagedCluster.Kind {
			d.odd("%s in spec.resources of %s %s", key, p.controlPlane.GetKind(), p.controlPlane.GetName())
		}
	}
}

func (d *Described) describeGroup(p *parts, group *unstructured.Unstructured, c Cluster) {
	if group == nil {
		d.ResourceGroup = c.ResourceGroup
		d.odd("spec.resources of %s %s has no ResourceGroup: resourceGroupPolicy says nothing", p.infrastructure.GetKind(), p.infrastructure.GetName())
		return
	}
	d.ResourceGroup = cmp.Or(stringAt(group, "spec", "azureName"), group.GetName())
	switch policy := group.GetAnnotations()[asoPolicy]; policy {
	case asoDetach:
	case "", "manage":
		d.DeleteResourceGroup = true
	default:
		d.DeleteResourceGroup = true
		d.odd("annotation %s of ResourceGroup %s is %s", asoPolicy, group.GetName(), policy)
	}
}

// describeVNet takes the network over if it is as we would have made it, and leaves it alone otherwise. The resources are those that were.
func (d *Described) describeVNet(p *parts) []*unstructured.Unstructured {
	resources := keyed(treeAt(p.infrastructure, "spec"))
	network := resourceOf(p.infrastructure, asoNetworkKind)
	taken := map[string]*unstructured.Unstructured{}
	prefix := func(name fleetwrightv1.ClusterRangeName) string {
		key := asoSubnetKind + " " + d.Wish.SubnetObject(string(name))
		subnet := resourceOf(p.infrastructure, key)
		if subnet == nil || cmp.Or(stringAt(subnet, "spec", "azureName"), subnet.GetName()) != string(name) {
			return ""
		}
		taken[key] = subnet
		return stringAt(subnet, "spec", "addressPrefix")
	}
	if network != nil && p.ownsNetwork() {
		prefixes := stringsAt(network, "spec", "addressSpace", "addressPrefixes")
		nodes, pods := prefix(fleetwrightv1.ClusterRangeNodes), prefix(fleetwrightv1.ClusterRangePods)
		if len(prefixes) == 1 && nodes != "" {
			d.VNet, d.Nodes = prefixes[0], nodes
			taken[asoNetworkKind] = network
			if key := asoSubnetKind + " " + d.Wish.SubnetObject(string(fleetwrightv1.ClusterRangePods)); pods != "" && taken[key] != nil &&
				canonicalValue(podDelegation()) == canonicalValue(treeAt(taken[key], "spec")["delegations"]) {
				d.PodSubnet = pods
			} else {
				delete(taken, key)
			}
		} else {
			taken = nil
		}
	}
	var out []*unstructured.Unstructured
	for _, key := range resources.resourceOrder {
		switch {
		case taken[key] != nil:
			out = append(out, taken[key])
		case key != asoGroupKind:
			d.odd("%s in spec.resources of %s %s", key, p.infrastructure.GetKind(), p.infrastructure.GetName())
		}
	}
	return out
}

// commonCredential is the Secret that all resources name, empty when they do not agree.
func (d *Described) commonCredential(resources []*unstructured.Unstructured) string {
	secret := resources[0].GetAnnotations()[asoCredentialFrom]
	for _, r := range resources[1:] {
		if other := r.GetAnnotations()[asoCredentialFrom]; other != secret {
			d.odd("resources name different Secrets in annotation %s: %q and %q", asoCredentialFrom, secret, other)
			return ""
		}
	}
	return secret
}

// commonTags are those that all resources with tags have.
func (d *Described) commonTags(resources []*unstructured.Unstructured) map[string]string {
	var common map[string]string
	for _, r := range resources {
		if r.GetKind() == asoSubnetKind {
			continue
		}
		tags := mapAt(r, "spec", "tags")
		if common == nil {
			common = maps.Clone(tags)
			if common == nil {
				common = map[string]string{}
			}
		}
		maps.DeleteFunc(common, func(key, value string) bool { has, found := tags[key]; return !found || has != value })
	}
	for _, r := range resources {
		for _, key := range slices.Sorted(maps.Keys(mapAt(r, "spec", "tags"))) {
			if _, is := common[key]; !is {
				d.odd("tag %s of %s %s", key, r.GetKind(), r.GetName())
			}
		}
	}
	return common
}

// describeOverrides: what a ManagedCluster says besides, and would not have been made with anyhow, is overrides.
func (d *Described) describeOverrides(spec map[string]any) {
	rest := runtime.DeepCopyJSON(spec)
	for _, path := range ownedOverrides {
		parts := strings.Split(path, ".")
		value, said, _ := unstructured.NestedFieldNoCopy(rest, parts...)
		if !said {
			continue
		}
		unstructured.RemoveNestedField(rest, parts...)
		switch path {
		case "agentPoolProfiles", "operatorSpec", "autoScalerProfile", "networkProfile.podCidrs", "networkProfile.serviceCidrs":
			d.odd("%s of the ManagedCluster", path)
		case "kubernetesVersion":
			if text, _ := value.(string); withV(text) != d.Version {
				d.odd("kubernetesVersion of the ManagedCluster is %s", text)
			}
		}
	}
	for path := owned(rest); path != ""; path = owned(rest) {
		field, _, _ := strings.Cut(path, ".")
		delete(rest, field)
		d.odd("%s of the ManagedCluster is no object", field)
	}
	if name, _, _ := unstructured.NestedString(rest, "sku", "name"); name == skuBase {
		unstructured.RemoveNestedField(rest, "sku", "name")
	}
	if policy, _, _ := unstructured.NestedString(rest, "networkProfile", "networkPolicy"); d.Dataplane == dataplaneCilium && policy == dataplaneCilium {
		unstructured.RemoveNestedField(rest, "networkProfile", "networkPolicy")
	}
	usual := map[string]any{"dnsPrefix": d.Name, "identity": map[string]any{"type": "SystemAssigned"}, "servicePrincipalProfile": map[string]any{"clientId": "msi"}}
	for key, value := range rest {
		tree, isTree := value.(map[string]any)
		if isTree && len(tree) == 0 || canonicalValue(value) == canonicalValue(usual[key]) {
			delete(rest, key)
		}
	}
	if len(rest) > 0 {
		d.Overrides = rest
	}
}

func canonicalValue(value any) string { return canonical(map[string]any{"": value}) }
