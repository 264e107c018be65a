package ownobject

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

// OwnedSpec are the fields of an object's spec that a manager has set, in the form of managedFields: of the fields in a field, by "f:" and its
// name.
func OwnedSpec(object client.Object, manager string) (map[string]any, error) {
	out := map[string]any{}
	for _, entry := range object.GetManagedFields() {
		if entry.Manager != manager || entry.Subresource != "" || entry.FieldsV1 == nil {
			continue
		}
		var fields struct {
			Spec map[string]any `json:"f:spec"`
		}
		if err := json.Unmarshal(entry.FieldsV1.GetRawBytes(), &fields); err != nil {
			return nil, fmt.Errorf("read who has set what: %w", err)
		}
		merge(out, fields.Spec)
	}
	return out, nil
}

// merge adds the fields of one entry, for applies and other changes have an entry each.
func merge(into, more map[string]any) {
	for name, fields := range more {
		deeper, _ := fields.(map[string]any)
		known, _ := into[name].(map[string]any)
		sum := maps.Clone(known)
		if sum == nil {
			sum = map[string]any{}
		}
		merge(sum, deeper)
		into[name] = sum
	}
}

// Lacks is true when a spec does not have what is wanted, or has something that its owner (see OwnedSpec) has set and is wanted no more. What
// others have set besides is theirs.
func Lacks(want, is, owned map[string]any) bool {
	for name, value := range want {
		wanted, deep := value.(map[string]any)
		has, alike := is[name].(map[string]any)
		set, _ := owned["f:"+name].(map[string]any)
		switch {
		case deep && alike:
			if Lacks(wanted, has, set) {
				return true
			}
		case !reflect.DeepEqual(value, is[name]):
			return true
		}
	}
	for name := range is {
		_, wanted := want[name]
		if _, ours := owned["f:"+name]; ours && !wanted {
			return true
		}
	}
	return false
}
