package effective

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// merging merges layers and notes where each value comes from.
type merging struct {
	sources map[string]Layer
}

// merge puts from over into, as a JSON merge patch does: a null takes out what is below. path is where we are for people, rule for the tables.
func (m merging) merge(into, from tree, path, rule string, layer Layer) {
	for _, field := range slices.Sorted(maps.Keys(from)) {
		value, here, named := from[field], join(path, field), strings.TrimPrefix(rule+"."+field, ".")
		switch value := value.(type) {
		case nil:
			m.drop(into, here, field)
		case entries:
			m.entries(into, value, here, field, layer)
		case tree:
			below, isTree := into[field].(tree)
			if whole[named] {
				m.put(into, value, here, field, layer)
				continue
			}
			if !isTree {
				below = tree{}
				into[field] = below
			}
			m.merge(below, value, here, named, layer)
			delete(m.sources, here)
			if len(below) == 0 {
				m.sources[here] = layer
			}
		default:
			m.put(into, value, here, field, layer)
		}
	}
}

// entries puts those of a list over those below, each as a whole.
func (m merging) entries(into tree, from entries, path, field string, layer Layer) {
	below, _ := into[field].(entries)
	if below == nil {
		below = entries{}
		into[field] = below
	}
	for key, entry := range from {
		below[key] = entry
		m.sources[path+"["+key+"]"] = layer
	}
}

func (m merging) put(into tree, value any, path, field string, layer Layer) {
	m.drop(into, path, field)
	into[field] = value
	m.sources[path] = layer
}

func (m merging) drop(into tree, path, field string) {
	before, there := into[field]
	if !there {
		return
	}
	delete(into, field)
	delete(m.sources, path)
	if object, ok := before.(tree); ok && len(object) > 0 {
		maps.DeleteFunc(m.sources, func(p string, _ Layer) bool {
			return strings.HasPrefix(p, path+".") || strings.HasPrefix(p, path+"[")
		})
	}
}

var plain = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// join names a field of an object; a label's key stands in brackets.
func join(path, field string) string {
	switch {
	case path == "":
		return field
	case plain.MatchString(field):
		return path + "." + field
	default:
		return path + "[" + field + "]"
	}
}
