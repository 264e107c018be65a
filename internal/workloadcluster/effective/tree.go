package effective

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// tree is an object of JSON, and entries a list of it whose entries are told apart by a key: what is merged.
type (
	tree    = map[string]any
	entries map[string]any
)

// treeOf reads a value by its JSON. Numbers stay as they are written: overrides may have such as no float holds.
func treeOf(value any) (tree, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	out := tree{}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if err := decoder.Decode(&out); err != nil {
		return nil, err
	}
	for path, key := range keyed {
		parent, name := holder(out, path)
		list, _ := parent[name].([]any)
		if list == nil {
			continue
		}
		byKey := entries{}
		for _, entry := range list {
			e, _ := entry.(tree)
			text, _ := e[key].(string)
			if byKey[text] != nil {
				return nil, fmt.Errorf("%s has %q twice: tell its entries apart by %s", path, text, key)
			}
			byKey[text] = e
		}
		parent[name] = byKey
	}
	return out, nil
}

// listed is the tree with lists where its entries are, sorted by their key.
func listed(t tree) tree {
	out := maps.Clone(t)
	for path := range keyed {
		parent, name := out, path
		if field, below, nested := strings.Cut(path, "."); nested {
			child, ok := out[field].(tree)
			if !ok {
				continue
			}
			parent, name = maps.Clone(child), below
			out[field] = parent
		}
		byKey, ok := parent[name].(entries)
		if !ok {
			continue
		}
		list := make([]any, 0, len(byKey))
		for _, key := range slices.Sorted(maps.Keys(byKey)) {
			list = append(list, byKey[key])
		}
		parent[name] = list
	}
	return out
}

// holder is the object that holds the field at the path, nil if it is not there, and the field's name in it.
func holder(t tree, path string) (tree, string) {
	fields := strings.Split(path, ".")
	last := len(fields) - 1
	parent, _ := at(t, fields[:last]...).(tree)
	return parent, fields[last]
}

// at is the value at a path, nil if there is none.
func at(t tree, path ...string) any {
	var value any = t
	for _, field := range path {
		object, _ := value.(tree)
		value = object[field]
	}
	return value
}

// without is a copy of the object that lacks some fields.
func without(t tree, fields ...string) tree {
	out := maps.Clone(t)
	for _, field := range fields {
		delete(out, field)
	}
	return out
}
