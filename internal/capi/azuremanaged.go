package capi

import (
	"cmp"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/agentpool"
)

const infraGroup = "infrastructure.cluster.x-k8s.io"

// Kinds of the flavour AzureManaged*.
var (
	azureManagedControlPlane = schema.GroupVersionKind{Group: infraGroup, Version: "v1beta1", Kind: "AzureManagedControlPlane"}
	azureManagedMachinePool  = schema.GroupVersionKind{Group: infraGroup, Version: "v1beta1", Kind: "AzureManagedMachinePool"}
)

// AzureManaged is CAPZ's first flavour: fields of its own for most of an agent
// pool, and patches of Azure Service Operator's object for the rest.
type AzureManaged struct{}

// Kinds implements Flavor.
func (AzureManaged) Kinds() Kinds {
	return Kinds{Cluster: "AzureManagedCluster", ControlPlane: azureManagedControlPlane, Pool: azureManagedMachinePool}
}

// Related implements Flavor: CAPZ copies all that matters.
func (AzureManaged) Related(*unstructured.Unstructured) *unstructured.Unstructured { return nil }

// ReadControlPlane implements Flavor.
func (AzureManaged) ReadControlPlane(c *Cluster, plane, _ *unstructured.Unstructured) {
	c.readIdentityRef(plane)
	c.SubscriptionID = stringAt(plane, "spec", "subscriptionID")
	c.ResourceGroup = stringAt(plane, "spec", "resourceGroupName")
	c.Location = stringAt(plane, "spec", "location")
	c.ManagedClusterName = plane.GetName()
	c.NetworkPlugin = stringAt(plane, "spec", "networkPlugin")
	c.NetworkPluginMode = stringAt(plane, "spec", "networkPluginMode")
	c.nodeSubnet = stringAt(plane, "spec", "virtualNetwork", "subnet", "name")
	if network := stringAt(plane, "spec", "virtualNetwork", "name"); network != "" && c.SubscriptionID != "" {
		c.network = fmt.Sprintf("/subscriptions/%s/resourceGroups/%s/providers/Microsoft.Network/virtualNetworks/%s",
			c.SubscriptionID, cmp.Or(stringAt(plane, "spec", "virtualNetwork", "resourceGroup"), c.ResourceGroup), network)
	}
	c.Provisioned = c.Provisioned || boolAt(plane, "status", "initialized") || boolAt(plane, "status", "ready")
	c.readVersions(stringAt(plane, "spec", "version"), stringAt(plane, "status", "version"))
	running := conditionOf(plane, "ManagedClusterRunning")
	progress := running.progress()
	if running.reason == reasonFailed {
		progress.State = Failed // also while it waits for a pool's operation: it keeps no pool waiting
	}
	c.readOperation(progress)
}

// Read implements Flavor.
func (AzureManaged) Read(infra, _ *unstructured.Unstructured) Reading {
	pinned, left := countPatched(infra)
	spec := patchedAgentPool(infra)
	return Reading{
		Pinned: pinned, CountLeft: left,
		Name:        cmp.Or(stringAt(infra, "spec", "name"), infra.GetName()),
		ProviderIDs: stringsAt(infra, "spec", "providerIDList"),
		Ready:       boolAt(infra, "status", "ready"),
		Spec:        readAgentPool(spec),
		PublicName:  publicName(spec),
		Progress:    conditionOf(infra, "AgentPoolsReady").progress(),
	}
}

// Build implements Flavor.
func (AzureManaged) Build(infra *unstructured.Unstructured, c Cluster, p NewPool) {
	s := p.Spec
	spec := specOf(infra)
	spec["name"], spec["sku"] = p.Name, s.MachineType
	spec["mode"] = cmp.Or(s.Mode, string(fleetwrightv1.NodepoolModeUser))
	setText(spec, "scaleSetPriority", s.Type)
	setText(spec, "spotMaxPrice", s.SpotMaxPrice)
	setText(spec, "osDiskType", s.DiskType)
	setText(spec, "osType", s.OSType)
	setNumber(spec, "osDiskSizeGB", s.DiskSizeGiB)
	setNumber(spec, "maxPods", s.MaxPods)
	if len(s.Zones) > 0 {
		spec["availabilityZones"] = anyList(s.Zones)
	}
	// What has no field here is merged into Azure Service Operator's object.
	patch := agentpool.Tree(s.Overrides)
	setText(patch, "osSKU", s.OSSKU)
	setText(patch, "scaleSetEvictionPolicy", s.SpotEvictionPolicy)
	if strings.HasPrefix(s.Subnet, "/") {
		patch["vnetSubnetReference"] = subnetReference(s.Subnet)
	} else {
		setText(spec, "subnetName", s.Subnet)
	}
	if s.PodSubnet != "" {
		patch["podSubnetReference"] = subnetReference(cmp.Or(c.subnetID(s.PodSubnet), s.PodSubnet))
	}
	addPatch(infra, patch)
}

// SetInPlace implements Flavor.
func (AzureManaged) SetInPlace(infra *unstructured.Unstructured, s agentpool.Spec) {
	spec := specOf(infra)
	setText(spec, "mode", s.Mode)
	spec["nodeLabels"] = wantedLabels(mapAt(infra, "spec", "nodeLabels"), s)
	spec["additionalTags"] = anyMap(s.Tags)
	setText(spec, "scaleDownMode", s.ScaleDownMode)
	list := aksTaints(infra)
	for _, t := range s.Taints {
		list = append(list, map[string]any{"key": t.Key, "value": t.Value, "effect": t.Effect})
	}
	if delete(spec, "taints"); len(list) > 0 {
		spec["taints"] = list
	}
	addPatch(infra, agentpool.Tree(s.OfEffect(agentpool.InPlace)))
}

// aksTaints are the taints that AKS added.
func aksTaints(infra *unstructured.Unstructured) []any {
	list, _, _ := unstructured.NestedSlice(infra.Object, "spec", "taints")
	var out []any
	for _, item := range list {
		t, _ := item.(map[string]any)
		if key, _ := t["key"].(string); strings.HasPrefix(key, aksPrefix) {
			out = append(out, item)
		}
	}
	return out
}

// SetOwned implements Flavor.
func (AzureManaged) SetOwned(infra *unstructured.Unstructured, o Owned) {
	spec := specOf(infra)
	spec["nodeLabels"] = ownedLabels(mapAt(infra, "spec", "nodeLabels"), o)
	spec["additionalTags"] = ownedTags(mapAt(infra, "spec", "additionalTags"), o)
}

// SetScaling implements Flavor.
func (AzureManaged) SetScaling(infra *unstructured.Unstructured, s *agentpool.Scaling) {
	spec := specOf(infra)
	if s == nil {
		delete(spec, "scaling")
		return
	}
	spec["scaling"] = map[string]any{"minSize": int64(s.Min), "maxSize": int64(s.Max)}
}
