package capi

import (
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const resourcesField = "resources"

// keyedSpec is the spec of one of CAPZ's objects, with its two lists by key. The API server knows an owner of each list as a whole only.
type keyedSpec struct {
	rest map[string]any
	// lists are those that are there, also empty ones.
	lists         []string
	resources     map[string]map[string]any
	resourceOrder []string
	// patches are the texts by what they say.
	patches    map[string]string
	patchOrder []string
}

// keyed takes a spec apart; it shares what is below.
func keyed(spec map[string]any) keyedSpec {
	out := keyedSpec{rest: maps.Clone(spec), resources: map[string]map[string]any{}, patches: map[string]string{}}
	for _, field := range []string{resourcesField, clusterPatchesField} {
		list, isList := spec[field].([]any)
		if !isList {
			continue
		}
		delete(out.rest, field)
		out.lists = append(out.lists, field)
		for _, item := range list {
			out.add(field, item)
		}
	}
	return out
}

func (k *keyedSpec) add(field string, item any) {
	switch value := item.(type) {
	case map[string]any:
		if field == resourcesField {
			key := k.free(resourceKey(value))
			k.resources[key], k.resourceOrder = value, append(k.resourceOrder, key)
		}
	case string:
		if field == clusterPatchesField {
			says := patchKey(value)
			key := says
			for n := 2; k.patches[key] != ""; n++ { // people may write a patch twice
				key = fmt.Sprintf("%s #%d", says, n)
			}
			k.patches[key], k.patchOrder = value, append(k.patchOrder, key)
		}
	}
}

// free is the key, or one beside it for a second resource of that key: CAPZ takes the first.
func (k *keyedSpec) free(key string) string {
	for n, candidate := 2, key; ; n++ {
		if _, taken := k.resources[candidate]; !taken {
			return candidate
		}
		candidate = fmt.Sprintf("%s #%d", key, n)
	}
}

// resourceKey tells resources apart. A cluster has one group, one network and one managed cluster, whatever they are called: another one under
// our name would be another one in Azure.
func resourceKey(resource map[string]any) string {
	u := &unstructured.Unstructured{Object: resource}
	gvk := u.GroupVersionKind()
	switch {
	case gvk.Group == asoGroupGroup && gvk.Kind == asoGroupKind,
		gvk.Group == asoNetGroup && gvk.Kind == asoNetworkKind,
		gvk.Group == asoGroup && gvk.Kind == asoManagedCluster.Kind:
		return gvk.Kind
	case gvk.Group == asoNetGroup && gvk.Kind == asoSubnetKind:
		return gvk.Kind + " " + u.GetName()
	}
	return gvk.GroupKind().String() + " " + u.GetName()
}

// patchKey is what a patch says, however it is written.
func patchKey(text string) string {
	if patch := readPatch(text); patch != nil {
		return canonical(patch)
	}
	return text
}

// mergePatches puts in the patch that is wished for, unless somebody says the same already, in the place of our last one, or at the end.
func (k *keyedSpec) mergePatches(last, wish keyedSpec) {
	patches, order := map[string]string{}, []string{}
	put := func(from keyedSpec, key string) {
		if _, said := patches[key]; !said {
			patches[key], order = from.patches[key], append(order, key)
		}
	}
	for _, key := range k.patchOrder {
		_, was := last.patches[key]
		_, is := wish.patches[key]
		if !was || is {
			put(*k, key)
			continue
		}
		for _, instead := range wish.patchOrder {
			if _, said := k.patches[instead]; !said {
				put(wish, instead)
			}
		}
	}
	for _, key := range wish.patchOrder {
		put(wish, key)
	}
	k.patches, k.patchOrder = patches, order
}

// spec puts it together again.
func (k *keyedSpec) spec() map[string]any {
	out := maps.Clone(k.rest)
	if out == nil {
		out = map[string]any{}
	}
	resources := make([]any, 0, len(k.resourceOrder))
	for _, key := range k.resourceOrder {
		resources = append(resources, k.resources[key])
	}
	patches := make([]any, 0, len(k.patchOrder))
	for _, key := range k.patchOrder {
		patches = append(patches, k.patches[key])
	}
	for field, list := range map[string][]any{resourcesField: resources, clusterPatchesField: patches} {
		if len(list) > 0 || slices.Contains(k.lists, field) {
			out[field] = list
		}
	}
	return out
}

// ordered are the keys that are there, in their order, and then those that are not.
func ordered(there, wish []string) []string {
	out := slices.Clone(there)
	for _, key := range wish {
		if !slices.Contains(out, key) {
			out = append(out, key)
		}
	}
	return out
}
