package capi

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	utiljson "k8s.io/apimachinery/pkg/util/json"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// Merged is an object with the wish in it, and what changes by it, from what was applied last (its annotation) and what is there; nil for a new
// object. What was applied last and is not wished any more is taken out; everything else stays. Resources are merged by kind (subnets by kind and
// name). They are never taken out, as Azure would lose them, and put in only with the object, or where they were before: a cluster that was made
// without a network gets none. Patches are a set; other lists are replaced whole. Fleetwright's own marks are no changes. Pure.
func (o WishedObject) Merged(there map[string]any) (merged map[string]any, changes []Change, err error) {
	last, err := lastApplied(there)
	if err != nil {
		return nil, nil, fmt.Errorf("merge %s: %w", o.text(), err)
	}
	merged = runtime.DeepCopyJSON(there)
	if merged == nil {
		merged = map[string]any{
			"apiVersion": o.APIVersion, "kind": o.Kind, "metadata": map[string]any{"namespace": o.Namespace, "name": o.Name},
		}
	}
	metadata := treeIn(merged, "metadata")
	for key, wish := range map[string]map[string]string{"labels": o.Labels, "annotations": o.Annotations} {
		put(metadata, key, threeWay(treeIn(last, "metadata", key), anyMap(wish), treeIn(metadata, key)))
	}
	if there != nil {
		o = o.asItIs(treeIn(last, "spec"), treeIn(there, "spec"))
	}
	spec := o.mergedSpec(treeIn(last, "spec"), treeIn(merged, "spec"), there != nil)
	if _, had := merged["spec"]; had || len(spec) > 0 {
		merged["spec"] = spec
	}
	changes = o.changes(there, merged)
	applied, err := o.applied(keyed(spec))
	if err != nil {
		return nil, nil, fmt.Errorf("merge %s: %w", o.text(), err)
	}
	annotateText(&unstructured.Unstructured{Object: merged}, fleetwrightv1.AnnotationApplied, applied)
	return merged, changes, nil
}

func put(into map[string]any, key string, tree map[string]any) {
	if _, had := into[key]; had || len(tree) > 0 {
		into[key] = tree
	}
}

func (o WishedObject) mergedSpec(last, there map[string]any, exists bool) map[string]any {
	keyedLast, keyedWish, keyedThere, first := keyed(last), keyed(o.Spec), keyed(there), keyed(o.AtCreation)
	resources := map[string]any{}
	for key, wish := range keyedWish.resources {
		is, isThere := keyedThere.resources[key]
		_, was := keyedLast.resources[key]
		switch {
		case !isThere && (was || !exists):
			resources[key] = overlaid(first.resources[key], wish)
			continue
		case !isThere:
			continue
		}
		before, wish := unnamed(keyedLast.resources[key]), unnamed(wish)
		wish["spec"] = wished(treeIn(first.resources[key], "spec"), treeIn(before, "spec"), treeIn(wish, "spec"), treeIn(is, "spec"), true)
		resources[key] = threeWay(before, wish, is)
	}
	merged := keyedSpec{
		rest:      threeWay(keyedLast.rest, wished(first.rest, keyedLast.rest, sameVersion(keyedWish.rest, keyedThere.rest), keyedThere.rest, exists), keyedThere.rest),
		resources: map[string]map[string]any{},
		patches:   keyedThere.patches, patchOrder: keyedThere.patchOrder, lists: keyedThere.lists,
	}
	for _, key := range ordered(keyedThere.resourceOrder, keyedWish.resourceOrder) {
		resource := treeIn(resources, key)
		if resource == nil {
			resource = keyedThere.resources[key]
		}
		if resource != nil {
			merged.resources[key], merged.resourceOrder = resource, append(merged.resourceOrder, key)
		}
	}
	merged.mergePatches(keyedLast, keyedWish)
	return merged.spec()
}

// sameVersion spells a version as it is spelled there: with a v it is none other.
func sameVersion(wish, there map[string]any) map[string]any {
	wished, _ := wish["version"].(string)
	is, _ := there["version"].(string)
	if wished == is || withV(wished) != withV(is) {
		return wish
	}
	out := maps.Clone(wish)
	out["version"] = is
	return out
}

// unnamed is a resource without its version and name, which stay as they are: another name would be another one in Azure.
func unnamed(resource map[string]any) map[string]any {
	out := map[string]any{}
	if annotations := treeIn(resource, "metadata", "annotations"); annotations != nil {
		out["metadata"] = map[string]any{"annotations": annotations}
	}
	if spec := treeIn(resource, "spec"); spec != nil {
		out["spec"] = spec
	}
	return out
}

// networkProfile is of the creation in parts only: load balancers and their like are changed later.
const networkProfile = "networkProfile"

// wished is all that is wished for: of something new with what it has at creation; of something that is there without, but for those fields that
// were wished for otherwise and are no more, which stay as they are: Azure would refuse another dnsPrefix, with everything else that is written, and
// a living cluster would lose the identity on which its roles are.
func wished(first, last, wish, there map[string]any, exists bool) map[string]any {
	if !exists {
		return overlaid(first, wish)
	}
	out := maps.Clone(wish)
	if out == nil {
		out = map[string]any{}
	}
	for key, value := range first {
		now, is := wish[key]
		has, isThere := there[key]
		tree, isTree := value.(map[string]any)
		treeThere, hasTree := has.(map[string]any)
		treeNow, _ := now.(map[string]any)
		_, was := last[key]
		switch {
		case isTree && hasTree && (treeNow != nil || key == networkProfile):
			// Only parts of it are of the creation.
			if below := wished(tree, treeIn(last, key), treeNow, treeThere, true); len(below) > 0 {
				out[key] = below
			}
		case was && !is && isThere:
			out[key] = has
		}
	}
	return out
}

// overlaid is the one with the other over it.
func overlaid(under, over map[string]any) map[string]any {
	out := maps.Clone(under)
	if out == nil {
		out = map[string]any{}
	}
	for key, value := range over {
		tree, isTree := value.(map[string]any)
		below, both := out[key].(map[string]any)
		if isTree && both {
			out[key] = overlaid(below, tree)
		} else {
			out[key] = value
		}
	}
	return out
}

// threeWay is what is there, with the wish in it and without what was wished last and is no more. Only fields are taken out that were ours, and
// objects that are empty without them.
func threeWay(last, wish, there map[string]any) map[string]any {
	out := maps.Clone(there)
	if out == nil {
		out = map[string]any{}
	}
	for key, value := range last {
		if _, still := wish[key]; still {
			continue
		}
		before, wasTree := value.(map[string]any)
		is, isTree := out[key].(map[string]any)
		if below := threeWay(before, nil, is); wasTree && isTree && len(below) > 0 {
			out[key] = below
		} else {
			delete(out, key)
		}
	}
	for key, value := range wish {
		tree, isTree := value.(map[string]any)
		if !isTree {
			out[key] = value
			continue
		}
		before, _ := last[key].(map[string]any)
		is, _ := there[key].(map[string]any)
		out[key] = threeWay(before, tree, is)
	}
	return out
}

// treeIn is the object at a path, nil for none.
func treeIn(tree map[string]any, path ...string) map[string]any {
	for _, key := range path {
		tree, _ = tree[key].(map[string]any)
	}
	return tree
}

// applied is the wish as the annotation remembers it: of the resources those that were put in.
func (o WishedObject) applied(merged keyedSpec) (string, error) {
	wish := keyed(o.Spec)
	wish.resourceOrder = slices.DeleteFunc(wish.resourceOrder, func(key string) bool { _, is := merged.resources[key]; return !is })
	tree := map[string]any{"spec": wish.spec(), "metadata": map[string]any{"labels": o.Labels, "annotations": o.Annotations}}
	text, err := json.Marshal(tree)
	return string(text), err
}

// lastApplied is nil for an object that does not remember.
func lastApplied(there map[string]any) (map[string]any, error) {
	text, _ := treeIn(there, "metadata", "annotations")[fleetwrightv1.AnnotationApplied].(string)
	if text == "" {
		return nil, nil
	}
	var out map[string]any
	if err := utiljson.Unmarshal([]byte(text), &out); err != nil {
		return nil, fmt.Errorf("read annotation %s, which is to be JSON: take it off: %w", fleetwrightv1.AnnotationApplied, err)
	}
	return out, nil
}
