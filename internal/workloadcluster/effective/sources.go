package effective

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// Sorted is a template with the entries of its lists sorted by their keys, as Spec has them.
func Sorted(template fleetwrightv1.WorkloadClusterTemplate) (out fleetwrightv1.WorkloadClusterTemplate, err error) {
	root, err := treeOf(template)
	if err != nil {
		return out, err
	}
	data, err := json.Marshal(listed(root))
	if err != nil {
		return out, err
	}
	err = json.Unmarshal(data, &out)
	return out, err
}

// Value is one value of what class and spec amount to.
type Value struct {
	// Path is for people: nodepools[general].spec.machineType. At is where it is in the JSON of Spec, whose lists are Sorted: fields by their name,
	// entries of lists by their index.
	Path string
	At   []any
	// Value is it as JSON has it, and Source the layer it comes from.
	Value  any
	Source Layer
}

// Values are all of them, sorted by where they are.
func (e Effective) Values() ([]Value, error) {
	root, err := treeOf(e.Spec)
	if err != nil {
		return nil, err
	}
	var out []Value
	walk(root, "", "", nil, func(path string, at []any, value any) {
		out = append(out, Value{Path: path, At: at, Value: value, Source: e.Sources[path]})
	})
	return out, nil
}

// walk goes through the values as merge puts them in: what is merged as a whole is one.
func walk(object tree, path, rule string, at []any, visit func(path string, at []any, value any)) {
	for _, field := range slices.Sorted(maps.Keys(object)) {
		here, named, place := join(path, field), strings.TrimPrefix(rule+"."+field, "."), append(slices.Clip(at), field)
		switch value := object[field].(type) {
		case entries:
			for i, key := range slices.Sorted(maps.Keys(value)) {
				entry, where := here+"["+key+"]", append(slices.Clip(place), i)
				if named != "nodepools" {
					visit(entry, where, value[key])
					continue
				}
				walk(value[key].(tree), entry, named, where, visit)
			}
		case tree:
			if named == "nodepools.spec" {
				named = "pool"
			}
			if whole[named] || len(value) == 0 {
				visit(here, place, value)
				continue
			}
			walk(value, here, named, place, visit)
		default:
			visit(here, place, value)
		}
	}
}
