package capi

import (
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"

	"github.com/fleetwright/fleetwright/internal/agentpool"
)

// patchesField holds JSON merge patches that CAPZ applies, in order, to the
// object of Azure Service Operator that it makes of an AzureManagedMachinePool.
const patchesField = "asoManagedClustersAgentPoolPatches"

// patchedAgentPool is the agent pool's spec as CAPZ makes it: from the fields of
// an AzureManagedMachinePool, with the patches applied.
func patchedAgentPool(infra *unstructured.Unstructured) map[string]any {
	out := typedAgentPool(infra)
	for _, text := range stringsAt(infra, "spec", patchesField) {
		if patch := readPatch(text); patch != nil {
			spec, _ := patch["spec"].(map[string]any)
			mergePatch(out, spec)
		}
	}
	return out
}

// typedAgentPool puts the fields of an AzureManagedMachinePool under the names
// of the agent pool's.
func typedAgentPool(infra *unstructured.Unstructured) map[string]any {
	spec := treeAt(infra.DeepCopy(), "spec")
	out := map[string]any{}
	for _, f := range agentpool.ProviderFields() {
		if value, found := spec[f.Typed]; found && f.Typed != "" {
			out[f.Path] = value
		}
	}
	delete(out, "enableAutoScaling")
	delete(out, "minCount")
	delete(out, "maxCount")
	if _, scaled := spec["scaling"].(map[string]any); scaled {
		out["enableAutoScaling"] = true
		out["minCount"], _, _ = unstructured.NestedFieldNoCopy(spec, "scaling", "minSize")
		out["maxCount"], _, _ = unstructured.NestedFieldNoCopy(spec, "scaling", "maxSize")
	}
	if taints := typedTaints(spec); len(taints) > 0 {
		out["nodeTaints"] = taints
	}
	if name, found := out["vnetSubnetReference"]; found {
		out["vnetSubnetReference"] = map[string]any{"name": name}
	}
	if id, found := out["nodePublicIPPrefixReference"]; found {
		out["nodePublicIPPrefixReference"] = map[string]any{"armId": id}
	}
	if sysctls, _, _ := unstructured.NestedMap(out, "linuxOSConfig", "sysctls"); sysctls != nil {
		out["linuxOSConfig"].(map[string]any)["sysctls"] = asoNames(sysctls)
	}
	return out
}

func typedTaints(spec map[string]any) []any {
	list, _ := spec["taints"].([]any)
	out := make([]any, 0, len(list))
	for _, item := range list {
		t, _ := item.(map[string]any)
		text := func(key string) string { s, _ := t[key].(string); return s }
		out = append(out, taintText(agentpool.Taint{Key: text("key"), Value: text("value"), Effect: text("effect")}))
	}
	return out
}

// asoNames: CAPZ writes IP and TCP in capitals where Azure Service Operator does
// not.
func asoNames(sysctls map[string]any) map[string]any {
	out := make(map[string]any, len(sysctls))
	for name, value := range sysctls {
		out[strings.NewReplacer("Ipv4IPL", "Ipv4IpL", "Ipv4TCP", "Ipv4Tcp").Replace(name)] = value
	}
	return out
}

// readPatch reads a patch, which people may write as YAML; nil when it is no
// object.
func readPatch(text string) map[string]any {
	body, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		return nil
	}
	var patch map[string]any
	if utiljson.Unmarshal(body, &patch) != nil {
		return nil
	}
	return patch
}

// addPatch lets the patches say what is wanted, and changes none of them when
// they do already. Values are put into the last patch if it is one as we write
// them; patches that people wrote otherwise stay as they are, and ours comes
// after them.
func addPatch(infra *unstructured.Unstructured, wanted map[string]any) {
	said := agentpool.Leaves(patchedAgentPool(infra))
	missing := map[string]string{}
	for path, value := range agentpool.Leaves(wanted) {
		if said[path] != value {
			missing[path] = value
		}
	}
	if len(missing) == 0 {
		return
	}
	patches := stringsAt(infra, "spec", patchesField)
	merged := map[string]any{}
	if last := len(patches) - 1; last >= 0 {
		if patch := ourPatch(patches[last]); patch != nil {
			merged, patches = patch, patches[:last]
		}
	}
	mergePatch(merged, map[string]any{"spec": agentpool.Tree(missing)})
	specOf(infra)[patchesField] = anyList(append(patches, canonical(merged)))
}
