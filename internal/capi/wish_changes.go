package capi

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// Change is one field that differs from the wish, for people. From and To are JSON, empty for nothing.
type Change struct{ Object, Field, From, To string }

// String is a line for people.
func (c Change) String() string {
	if c.Field == "" {
		return c.Object + " is to be made"
	}
	return fmt.Sprintf("%s: %s from %s to %s", c.Object, c.Field, cmp.Or(c.From, "nothing"), cmp.Or(c.To, "nothing"))
}

// capOfAll is the number of nodes that Nodepools let a cluster have whose annotation says nothing.
const capOfAll = "950"

// changes are the differences in what is not only ours, in the order of their paths.
func (o WishedObject) changes(there, merged map[string]any) []Change {
	if there == nil {
		return []Change{{Object: o.text()}}
	}
	before, after := valuesOf(there), valuesOf(merged)
	var out []Change
	for path, value := range after {
		if before[path] != value {
			out = append(out, Change{Object: o.text(), Field: path, From: before[path], To: value})
		}
	}
	for path, value := range before {
		if _, still := after[path]; !still {
			out = append(out, Change{Object: o.text(), Field: path, From: value})
		}
	}
	out = slices.DeleteFunc(out, isMark)
	slices.SortFunc(out, func(a, b Change) int { return cmp.Compare(a.Field, b.Field) })
	return out
}

// fixedFields are those of AtCreation that a spec has a word on. Others are names, or ranges that nobody asks Azure for again: a cluster that is
// adopted keeps its own.
var fixedFields = []string{
	"spec.location", "spec.resourceGroupName", "spec.networkPluginMode", "spec.networkDataplane", "spec.outboundType", "spec.virtualNetwork.cidrBlock",
	"spec.virtualNetwork.subnet.cidrBlock",
	"spec.resources[ResourceGroup].spec.azureName", "spec.resources[ManagedCluster].spec.location",
	"spec.resources[ManagedCluster].spec.networkProfile.networkPluginMode", "spec.resources[ManagedCluster].spec.networkProfile.networkDataplane",
	"spec.resources[ManagedCluster].spec.networkProfile.outboundType",
}

// Fixed are the differences that Merged leaves: what is wished otherwise than it was made, and Azure does not change. What the object does not say
// is no difference, but for the dataplane, which is Azure's own then. Pure.
func (o WishedObject) Fixed(there map[string]any) []Change {
	if there == nil {
		return nil
	}
	wish, is := valuesOf(map[string]any{"spec": o.AtCreation}), valuesOf(there)
	out := o.fixedOverrides(there)
	for _, field := range append(slices.Clone(fixedFields), o.said...) {
		want, has := text(wish[field]), text(is[field])
		plugin, isMode := strings.CutSuffix(field, "Mode")
		if isMode && text(is[plugin]) == "" {
			continue // then it does not say how the network is at all
		}
		silent := has == ""
		if strings.HasSuffix(field, "networkDataplane") {
			silent = silent && want == quoted("azure")
		}
		silent = silent && !slices.Contains(o.said, field)
		if !sameToAzure(field, want, has) && (isMode || want != "" && !silent) {
			out = append(out, Change{Object: o.text(), Field: field, From: has, To: want})
		}
	}
	return out
}

// sameToAzure is true for two spellings of one value: of a location people write the name that Azure shows, of a resource group's name Azure does not
// tell capitals from small letters.
func sameToAzure(field, a, b string) bool {
	switch {
	case strings.HasSuffix(field, ".location"):
		return locationName(a) == locationName(b)
	case strings.HasSuffix(field, ".resourceGroupName"), strings.HasSuffix(field, "[ResourceGroup].spec.azureName"):
		return strings.EqualFold(a, b)
	}
	return a == b
}

// locationName is a location as Azure's interfaces have it: westeurope for "West Europe".
func locationName(text string) string { return strings.ToLower(strings.ReplaceAll(text, " ", "")) }

// text is the value where it is one that says something.
func text(value string) string {
	if !strings.HasPrefix(value, `"`) || value == `""` {
		return ""
	}
	return value
}

// isMark is true for what only says whose the object is. A cap that is written down is none, unless it is the one that holds anyway.
func isMark(c Change) bool {
	for _, of := range []string{"metadata.labels.", "metadata.annotations."} {
		key, found := strings.CutPrefix(c.Field, of)
		if !found || !strings.HasPrefix(key, ourPrefix) {
			continue
		}
		if key != fleetwrightv1.AnnotationNodeCap {
			return true
		}
		return c.From == "" && c.To == quoted(capOfAll)
	}
	return false
}

// valuesOf are the values that a wish may speak of, by their paths.
func valuesOf(object map[string]any) map[string]string {
	spec := keyed(treeIn(object, "spec"))
	out := map[string]string{}
	addValues(out, "spec", spec.rest)
	for key, resource := range spec.resources {
		addValues(out, fmt.Sprintf("spec.%s[%s]", resourcesField, key), resource)
	}
	for i, key := range slices.Sorted(slices.Values(spec.patchOrder)) {
		out[fmt.Sprintf("spec.%s[%d]", clusterPatchesField, i)] = key
	}
	for _, key := range []string{"labels", "annotations"} {
		addValues(out, "metadata."+key, treeIn(object, "metadata", key))
	}
	return out
}

func addValues(out map[string]string, path string, value any) {
	tree, isTree := value.(map[string]any)
	if !isTree {
		out[path] = quoted(value)
		return
	}
	for key, below := range tree {
		addValues(out, path+"."+key, below)
	}
}

func quoted(value any) string {
	// What came from JSON goes back to it.
	text, _ := json.Marshal(value)
	return string(text)
}
