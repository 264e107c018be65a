package agentpool

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	utiljson "k8s.io/apimachinery/pkg/util/json"
)

// maxOverrides is how large providerOverrides may be, in bytes of JSON.
const maxOverrides = 16 << 10

// ParseOverrides reads a Nodepool's providerOverrides into Spec.Overrides.
// conflict is the sentence for people when something in them cannot be set, with
// what to do instead; the leaves are then those that can.
func ParseOverrides(raw []byte) (leaves map[string]string, conflict string) {
	if len(raw) == 0 {
		return nil, ""
	}
	if len(raw) > maxOverrides {
		return nil, fmt.Sprintf("providerOverrides are %d bytes long: at most %d are allowed", len(raw), maxOverrides)
	}
	var tree map[string]any
	if err := utiljson.Unmarshal(raw, &tree); err != nil {
		return nil, fmt.Sprintf("providerOverrides are no object: %v", err)
	}
	all := Leaves(tree)
	for _, path := range slices.Sorted(maps.Keys(all)) {
		if refusal := refuse(path, all[path]); refusal != "" {
			delete(all, path)
			if conflict == "" {
				conflict = refusal
			}
		}
	}
	if len(all) == 0 {
		return nil, conflict
	}
	return all, conflict
}

// refuse says why a leaf cannot be set, or nothing.
func refuse(path, value string) string {
	leaf := fmt.Sprintf("providerOverrides.%s (%s)", path, shortened(value))
	field := ProviderFieldOf(path)
	switch {
	case value == "null":
		return leaf + " says nothing: leave it out, or say the value you want"
	case field.Nodepool != "":
		return fmt.Sprintf("%s is set by %s: use that field", leaf, field.Nodepool)
	case field.Class == Unsupported:
		return fmt.Sprintf("%s cannot be set, because %s: take it out", leaf, field.Why)
	case slices.Contains(strings.Split(path, "."), ""):
		return leaf + " has an empty name or one with a dot in it, which AKS has nowhere: take it out"
	}
	return ""
}

// shortened keeps messages readable.
func shortened(value string) string {
	const enough = 40
	if len(value) <= enough {
		return value
	}
	return strings.ToValidUTF8(value[:enough], "") + "..."
}

// Leaves flattens a tree of JSON to dotted paths with canonical JSON values.
// Lists are leaves, as AKS changes them as a whole.
func Leaves(tree map[string]any) map[string]string {
	out := map[string]string{}
	addLeaves(out, "", tree)
	return out
}

func addLeaves(out map[string]string, prefix string, tree map[string]any) {
	for key, value := range tree {
		if strings.Contains(key, ".") {
			key = "." + strings.ReplaceAll(key, ".", "") // an empty part of a path is refused
		}
		path := prefix + key
		if inner, isTree := value.(map[string]any); isTree {
			addLeaves(out, path+".", inner)
			continue
		}
		// What came from JSON goes back to it.
		text, _ := json.Marshal(value)
		out[path] = string(text)
	}
}

// Tree is the reverse of Leaves.
func Tree(leaves map[string]string) map[string]any {
	out := map[string]any{}
	for _, path := range slices.Sorted(maps.Keys(leaves)) {
		var value any
		if utiljson.Unmarshal([]byte(leaves[path]), &value) != nil {
			continue
		}
		parts := strings.Split(path, ".")
		at := out
		for _, part := range parts[:len(parts)-1] {
			inner, isTree := at[part].(map[string]any)
			if !isTree {
				inner = map[string]any{}
				at[part] = inner
			}
			at = inner
		}
		at[parts[len(parts)-1]] = value
	}
	return out
}

// OfEffect are the leaves of a pool's overrides whose change costs that much.
func (s Spec) OfEffect(effect Effect) map[string]string {
	var out map[string]string
	for path, value := range s.Overrides {
		if ProviderFieldOf(path).Class.Effect() != effect {
			continue
		}
		if out == nil {
			out = map[string]string{}
		}
		out[path] = value
	}
	return out
}

// overrideChanges compares what is asked for; a key that is not asked for any
// more is no wish for another value.
func overrideChanges(wanted, existing Spec) []Change {
	var out []Change
	for _, path := range slices.Sorted(maps.Keys(wanted.Overrides)) {
		want, have := wanted.Overrides[path], existing.Overrides[path]
		if want == have || (strings.HasSuffix(path, ".armId") && strings.EqualFold(want, have)) {
			continue
		}
		out = append(out, Change{Field: "providerOverrides." + path, From: have, To: want, Effect: ProviderFieldOf(path).Class.Effect()})
	}
	return out
}
