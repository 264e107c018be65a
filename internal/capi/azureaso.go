package capi

import (
	"cmp"
	"maps"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/agentpool"
)

const (
	asoGroup = "containerservice.azure.com"
	// asoVersion is the one in which Azure Service Operator's objects are read and
	// new agent pools are written; CAPZ v1.26 uses the same.
	asoVersion        = "v1api20250801"
	asoPreviewVersion = "v20251002preview"
	// asoAnnotations are how Azure Service Operator finds its credentials, among
	// others.
	asoAnnotations = "serviceoperator.azure.com/"
	asoPolicy      = asoAnnotations + "reconcile-policy"
)

// Kinds of the flavour AzureASOManaged*.
var (
	asoManagedControlPlane = schema.GroupVersionKind{Group: infraGroup, Version: "v1beta1", Kind: "AzureASOManagedControlPlane"}
	asoManagedMachinePool  = schema.GroupVersionKind{Group: infraGroup, Version: "v1beta1", Kind: "AzureASOManagedMachinePool"}
	asoManagedCluster      = schema.GroupVersionKind{Group: asoGroup, Version: asoVersion, Kind: "ManagedCluster"}
	asoAgentPool           = schema.GroupVersionKind{Group: asoGroup, Version: asoVersion, Kind: "ManagedClustersAgentPool"}
)

// AzureASOManaged is CAPZ's second flavour: its objects hold whole objects of
// Azure Service Operator in spec.resources, and CAPZ says of them only whether
// they are ready. How far Azure has come, they say themselves.
type AzureASOManaged struct{}

// Kinds implements Flavor.
func (AzureASOManaged) Kinds() Kinds {
	return Kinds{
		Cluster: "AzureASOManagedCluster", ControlPlane: asoManagedControlPlane, Pool: asoManagedMachinePool,
		Related: []schema.GroupVersionKind{asoManagedCluster, asoAgentPool},
	}
}

// Related implements Flavor.
func (AzureASOManaged) Related(o *unstructured.Unstructured) *unstructured.Unstructured {
	kind := asoAgentPool
	if o.GetKind() == asoManagedControlPlane.Kind {
		kind = asoManagedCluster
	}
	resource := resourceIn(o, kind.Kind)
	if resource == nil || resource.GetName() == "" {
		return nil
	}
	out := empty(kind)
	out.SetName(resource.GetName())
	return out
}

// resourceIn is the object of that kind in spec.resources, not a copy; nil when
// there is none. CAPZ takes the first as well.
func resourceIn(o *unstructured.Unstructured, kind string) *unstructured.Unstructured {
	list, _ := treeAt(o, "spec")["resources"].([]any)
	for _, item := range list {
		resource, isTree := item.(map[string]any)
		if !isTree {
			continue
		}
		u := &unstructured.Unstructured{Object: resource}
		if gvk := u.GroupVersionKind(); gvk.Group == asoGroup && gvk.Kind == kind {
			return u
		}
	}
	return nil
}

// Read implements Flavor.
func (AzureASOManaged) Read(infra, related *unstructured.Unstructured) Reading {
	out := Reading{
		Name:        infra.GetName(),
		ProviderIDs: stringsAt(infra, "spec", "providerIDList"),
		Ready:       boolAt(infra, "status", "ready"),
	}
	if resource := resourceIn(infra, asoAgentPool.Kind); resource != nil {
		out.Name = cmp.Or(stringAt(resource, "spec", "azureName"), resource.GetName(), out.Name)
		out.Spec, out.PublicName = readAgentPool(treeAt(resource, "spec")), publicName(treeAt(resource, "spec"))
		if count, said := intAt(resource, "spec", "count"); said {
			out.Pinned = &count
		}
	}
	if related == nil {
		if _, looked := treeAt(infra, "status")["resources"]; looked {
			out.Progress.State = Working
		}
		return out
	}
	out.PoolID = stringAt(related, "status", "id")
	out.SubnetID, out.PodSubnetID = stringAt(related, "status", "vnetSubnetID"), stringAt(related, "status", "podSubnetID")
	out.Made = hasSucceeded(stringAt(related, "status", "provisioningState"))
	out.Progress = asoProgress(related).Progress
	if infra.GetDeletionTimestamp() != nil && out.Progress.State == Failed {
		out.Progress.State = DeletionFailed
	}
	return out
}

// hasSucceeded tells a pool that Azure made from one that it makes or failed to
// make.
func hasSucceeded(provisioningState string) bool {
	switch provisioningState {
	case "", "Creating", "Failed", "Canceled":
		return false
	}
	return true
}

// Build implements Flavor. Version and number of nodes are not in it: CAPZ takes
// them from the MachinePool and refuses another word on them.
func (AzureASOManaged) Build(infra *unstructured.Unstructured, c Cluster, p NewPool) {
	s := p.Spec
	spec := agentpool.Tree(s.Overrides)
	spec["azureName"], spec["owner"] = p.Name, map[string]any{"name": cmp.Or(c.ownerName, c.Name)}
	spec["type"], spec["vmSize"] = "VirtualMachineScaleSets", s.MachineType
	spec["mode"] = cmp.Or(s.Mode, string(fleetwrightv1.NodepoolModeUser))
	setText(spec, "scaleSetPriority", s.Type)
	setText(spec, "scaleSetEvictionPolicy", s.SpotEvictionPolicy)
	setText(spec, "osDiskType", s.DiskType)
	setText(spec, "osType", s.OSType)
	setText(spec, "osSKU", s.OSSKU)
	setNumber(spec, "osDiskSizeGB", s.DiskSizeGiB)
	setNumber(spec, "maxPods", s.MaxPods)
	if len(s.Zones) > 0 {
		spec["availabilityZones"] = anyList(s.Zones)
	}
	if amount, said := priceNumber(s.SpotMaxPrice); said {
		spec["spotMaxPrice"] = amount
	}
	if s.Subnet != "" {
		spec["vnetSubnetReference"] = subnetReference(s.Subnet)
	}
	if s.PodSubnet != "" {
		spec["podSubnetReference"] = subnetReference(s.PodSubnet)
	}
	metadata := map[string]any{"name": p.Object}
	if len(c.annotations) > 0 {
		metadata["annotations"] = maps.Clone(c.annotations)
	}
	specOf(infra)["resources"] = []any{map[string]any{
		"apiVersion": asoGroup + "/" + apiVersionFor(s.Overrides), "kind": asoAgentPool.Kind,
		"metadata": metadata, "spec": spec,
	}}
}

// apiVersionFor is the preview's only for fields that no other version has.
func apiVersionFor(overrides map[string]string) string {
	for path := range overrides {
		if agentpool.ProviderFieldOf(path).Preview {
			return asoPreviewVersion
		}
	}
	return asoVersion
}

// SetInPlace implements Flavor.
func (AzureASOManaged) SetInPlace(infra *unstructured.Unstructured, s agentpool.Spec) {
	edit(infra, func(pool *unstructured.Unstructured, spec map[string]any) {
		setText(spec, "mode", s.Mode)
		spec["nodeLabels"] = wantedLabels(mapAt(pool, "spec", "nodeLabels"), s)
		spec["tags"] = anyMap(s.Tags)
		setText(spec, "scaleDownMode", s.ScaleDownMode)
		var taints []string
		for _, text := range stringsAt(pool, "spec", "nodeTaints") {
			if strings.HasPrefix(text, aksPrefix) {
				taints = append(taints, text)
			}
		}
		for _, t := range s.Taints {
			taints = append(taints, taintText(t))
		}
		if delete(spec, "nodeTaints"); len(taints) > 0 {
			spec["nodeTaints"] = anyList(taints)
		}
		mergePatch(spec, agentpool.Tree(s.OfEffect(agentpool.InPlace)))
	})
}

// SetOwned implements Flavor.
func (AzureASOManaged) SetOwned(infra *unstructured.Unstructured, o Owned) {
	edit(infra, func(pool *unstructured.Unstructured, spec map[string]any) {
		spec["nodeLabels"] = ownedLabels(mapAt(pool, "spec", "nodeLabels"), o)
		spec["tags"] = ownedTags(mapAt(pool, "spec", "tags"), o)
	})
}

// SetScaling implements Flavor.
func (AzureASOManaged) SetScaling(infra *unstructured.Unstructured, s *agentpool.Scaling) {
	edit(infra, func(_ *unstructured.Unstructured, spec map[string]any) {
		if s == nil {
			spec["enableAutoScaling"] = false
			delete(spec, "minCount")
			delete(spec, "maxCount")
			return
		}
		spec["enableAutoScaling"], spec["minCount"], spec["maxCount"] = true, int64(s.Min), int64(s.Max)
	})
}

// Pin implements Flavor. CAPZ applies nothing while the resource and the
// MachinePool name different numbers (pkg/mutators: Incompatible).
func (AzureASOManaged) Pin(infra *unstructured.Unstructured, count *int32) {
	edit(infra, func(_ *unstructured.Unstructured, spec map[string]any) {
		if delete(spec, "count"); count != nil {
			spec["count"] = int64(*count)
		}
	})
}

// LeaveCount implements Flavor: CAPZ itself asks for no number when the
// autoscaler chooses it.
func (f AzureASOManaged) LeaveCount(infra *unstructured.Unstructured) { f.Pin(infra, nil) }

// edit changes the agent pool in the object's resources; one without any is left
// alone.
func edit(infra *unstructured.Unstructured, change func(pool *unstructured.Unstructured, spec map[string]any)) {
	if pool := resourceIn(infra, asoAgentPool.Kind); pool != nil {
		change(pool, specOf(pool))
	}
}
