package capi

import (
	"reflect"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// CAPZ gives the agent pool a number of nodes of its own: the MachinePool's, and
// as long as the object has a scaler the one in Azure Service Operator's status,
// which is as old as that operator's last look, up to an hour
// (azure/services/agentpools/spec.go). Patches come after that, and have the last
// word.

// Pin implements Flavor.
func (AzureManaged) Pin(infra *unstructured.Unstructured, count *int32) {
	if count == nil {
		dropCount(infra)
		return
	}
	sayCount(infra, int64(*count))
}

// LeaveCount implements Flavor: null takes the field out of the agent pool.
func (AzureManaged) LeaveCount(infra *unstructured.Unstructured) { sayCount(infra, nil) }

// countPatched is the number of nodes that our patches say; left is true when
// they say that there is none.
func countPatched(infra *unstructured.Unstructured) (count *int32, left bool) {
	for _, text := range stringsAt(infra, "spec", patchesField) {
		if patch := ourPatch(text); patch != nil {
			if value, said := specIn(patch)["count"]; said {
				count, left = countOf(value), value == nil
			}
		}
	}
	return count, left
}

func countOf(value any) *int32 {
	n, isNumber := value.(int64)
	if !isNumber {
		return nil
	}
	count := int32(min(max(n, 0), 1<<31-1))
	return &count
}

func sayCount(infra *unstructured.Unstructured, count any) {
	patches := stringsAt(infra, "spec", patchesField)
	merged := map[string]any{}
	if last := len(patches) - 1; last >= 0 {
		if patch := ourPatch(patches[last]); patch != nil {
			if said, found := specIn(patch)["count"]; found && reflect.DeepEqual(said, count) {
				return
			}
			merged, patches = patch, patches[:last]
		}
	}
	spec := specIn(merged)
	if spec == nil {
		spec = map[string]any{}
		merged["spec"] = spec
	}
	spec["count"] = count
	specOf(infra)[patchesField] = anyList(append(patches, canonical(merged)))
}

func dropCount(infra *unstructured.Unstructured) {
	var left []string
	for _, text := range stringsAt(infra, "spec", patchesField) {
		patch := ourPatch(text)
		if spec := specIn(patch); spec != nil {
			delete(spec, "count")
			if len(spec) == 0 {
				delete(patch, "spec")
			}
			if len(patch) == 0 {
				continue
			}
			text = canonical(patch)
		}
		left = append(left, text)
	}
	if len(left) == 0 {
		delete(specOf(infra), patchesField)
		return
	}
	specOf(infra)[patchesField] = anyList(left)
}

// ourPatch reads a patch if it is one as we write them, nil otherwise.
func ourPatch(text string) map[string]any {
	if patch := readPatch(text); patch != nil && canonical(patch) == text {
		return patch
	}
	return nil
}

func specIn(patch map[string]any) map[string]any {
	spec, _ := patch["spec"].(map[string]any)
	return spec
}
