package ownobject

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"strings"

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
// others have set besides is theirs: fields, and entries of lists that have a key.
func Lacks(want, is, owned map[string]any) bool {
	for name, value := range want {
		set, _ := owned["f:"+name].(map[string]any)
		if lacksValue(value, is[name], set) {
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

func lacksValue(want, is any, owned map[string]any) bool {
	switch want := want.(type) {
	case map[string]any:
		if has, alike := is.(map[string]any); alike {
			return Lacks(want, has, owned)
		}
	case []any:
		if has, alike := is.([]any); alike && entries(owned) {
			return lacksEntries(want, has, owned)
		}
	}
	return !reflect.DeepEqual(want, is)
}

// entries is true when a list is not owned as a whole, but entry by entry: by key ("k:" and its fields) or by value ("v:" and it).
func entries(owned map[string]any) bool {
	for name := range owned {
		if strings.HasPrefix(name, "k:") || strings.HasPrefix(name, "v:") {
			return true
		}
	}
	return false
}

// lacksEntries compares a list entry by entry. Of a list that is owned so, each entry that is wanted is owned once it was written.
func lacksEntries(want, is []any, owned map[string]any) bool {
	found := 0
	for name, fields := range owned {
		if name == "." {
			continue
		}
		key, err := keyOf(name)
		if err != nil {
			return true
		}
		wanted, has := entryOf(want, key), entryOf(is, key)
		set, _ := fields.(map[string]any)
		if wanted == nil || has == nil || lacksValue(wanted, has, set) {
			return true
		}
		found++
	}
	return found != len(want)
}

// keyOf is what tells an entry from the others: some of its fields, or its value.
func keyOf(name string) (key any, err error) {
	err = json.Unmarshal([]byte(name[len("k:"):]), &key)
	return key, err
}

// entryOf is the entry of a list that has that key, nil for none.
func entryOf(list []any, key any) any {
	fields, keyed := key.(map[string]any)
	for _, entry := range list {
		object, is := entry.(map[string]any)
		if !keyed || !is {
			if reflect.DeepEqual(plain(entry), plain(key)) {
				return entry
			}
			continue
		}
		same := true
		for field, value := range fields {
			same = same && reflect.DeepEqual(plain(object[field]), plain(value))
		}
		if same {
			return entry
		}
	}
	return nil
}

// plain is a value as encoding/json reads it, to which a number is a float whatever it was.
func plain(value any) any {
	if number, is := value.(int64); is {
		return float64(number)
	}
	return value
}
