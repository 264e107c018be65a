package capi

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/types"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// managedFields are those of an AzureManagedControlPlane that a wish has, or that CAPZ fills in by itself.
var managedFields = []string{
	"version", "location", "resourceGroupName", "subscriptionID", "identityRef", "additionalTags", "sku", "networkPlugin", "networkPluginMode",
	"networkDataplane", "outboundType", "dnsServiceIP", "dnsPrefix", "nodeResourceGroupName", "virtualNetwork", clusterPatchesField,
	"controlPlaneEndpoint", "sshPublicKey", "enablePreviewFeatures",
}

func (d *Described) describeManaged(p *parts, c Cluster) {
	plane := p.controlPlane
	text := func(path ...string) string { return stringAt(plane, append([]string{"spec"}, path...)...) }
	d.Location, d.ResourceGroup, d.Tags = locationName(text("location")), text("resourceGroupName"), mapAt(plane, "spec", "additionalTags")
	d.ClusterIdentity = types.NamespacedName{Namespace: cmp.Or(text("identityRef", "namespace"), c.Namespace), Name: text("identityRef", "name")}
	d.DNSServiceIP = text("dnsServiceIP")
	if group := text("nodeResourceGroupName"); group != fmt.Sprintf("MC_%s_%s_%s", d.ResourceGroup, plane.GetName(), text("location")) {
		d.NodeResourceGroup = group
	}
	d.Tier = text("sku", "tier")
	known := slices.Clone(managedFields)
	d.describeNetwork(text("networkPlugin"), text("networkPluginMode"), text("networkDataplane"), text("networkPolicy"), text("outboundType"))
	if d.Dataplane == dataplaneCilium {
		known = append(known, "networkPolicy")
	}
	// What CAPZ fills in.
	if text("loadBalancerSKU") == "Standard" {
		known = append(known, "loadBalancerSKU")
	}
	if !boolAt(plane, "spec", "oidcIssuerProfile", "enabled") {
		known = append(known, "oidcIssuerProfile")
	}
	switch cidr := text("virtualNetwork", "cidrBlock"); {
	case !p.ownsNetwork():
		d.odd("virtualNetwork %s of resource group %s is not this cluster's alone: no range of it is claimed, and no role is given there",
			text("virtualNetwork", "name"), cmp.Or(text("virtualNetwork", "resourceGroup"), d.ResourceGroup))
	case text("virtualNetwork", "subnet", "name") == string(fleetwrightv1.ClusterRangeNodes) && cidr != vnetOfCAPZ:
		d.VNet, d.Nodes = cidr, text("virtualNetwork", "subnet", "cidrBlock")
	case cidr != "":
		d.odd("virtualNetwork %s %s has subnet %q: pools name it, and no range is claimed", text("virtualNetwork", "name"), cidr, text("virtualNetwork", "subnet", "name"))
	}
	d.describePatches(p)
	spec := treeAt(plane, "spec")
	for _, field := range slices.Sorted(maps.Keys(spec)) {
		tree, isTree := spec[field].(map[string]any)
		if !slices.Contains(known, field) && (!isTree || len(tree) > 0) {
			d.odd("spec.%s of %s %s", field, plane.GetKind(), plane.GetName())
		}
	}
}

// describePatches: one patch that is as we would write it is overrides. Several may rest on their order.
func (d *Described) describePatches(p *parts) {
	var theirs []string
	for _, text := range stringsAt(p.controlPlane, "spec", clusterPatchesField) {
		if !isOurPatch(p.controlPlane, text) {
			theirs = append(theirs, text)
		}
	}
	if len(theirs) == 1 {
		patch := readPatch(theirs[0])
		spec, _ := patch["spec"].(map[string]any)
		if len(patch) == 1 && len(spec) > 0 && owned(spec) == "" {
			d.Overrides = spec
			return
		}
	}
	for i := range theirs {
		d.odd("spec.%s[%d] of %s %s", clusterPatchesField, i, p.controlPlane.GetKind(), p.controlPlane.GetName())
	}
}
