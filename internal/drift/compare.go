package drift

import (
	"fmt"
	"strings"
)

// Missing is the name of the one Field when the whole thing is gone.
const Missing = "missing"

// Field is one value that differs.
type Field struct {
	// Path is the name in the spec, joined by dots; Missing when the whole is gone.
	Path string
	// Declared and Found are the values for people, cut to 120 bytes; empty for "not set".
	Declared, Found string
}

// String says what differs in one clause.
func (f Field) String() string {
	switch {
	case f.Path == Missing:
		return "it is missing"
	case f.Found == "":
		return fmt.Sprintf("%s is not set, declared is %q", f.Path, f.Declared)
	case f.Declared == "":
		return fmt.Sprintf("%s is %q, declared is none", f.Path, f.Found)
	}
	return fmt.Sprintf("%s is %q, declared is %q", f.Path, f.Found, f.Declared)
}

// Paths are the names of the fields, as a DriftRecord holds them.
func Paths(fields []Field) []string {
	out := make([]string, len(fields))
	for i := range fields {
		out[i] = fields[i].Path
	}
	return out
}

// Compare says which declared values were found different. declared holds what is owned and nothing else: a name that is not in it is not
// looked at, and neither is nil; an empty list, text or object means "there shall be none". found is nil when the whole thing is gone.
// Letter case of ids, the order of lists and what Azure adds make no difference. Fields come in the order of their names.
func Compare(declared, found map[string]any, rules ...Rule) []Field {
	if found == nil {
		return []Field{{Path: Missing}}
	}
	if identical(declared, found) {
		return nil
	}
	c := comparison{rules: make(map[string]As, len(rules))}
	for _, r := range rules {
		c.rules[r.Path] = r.As
	}
	for _, name := range names(declared) {
		if owned(declared[name]) {
			c.compare(place{name, name}, plain(declared[name]), plain(found[name]))
		}
	}
	return c.fields
}

// identical is the usual answer, at once: a sweep compares tens of thousands of things each minute. Only texts are looked at.
func identical(declared, found map[string]any) bool {
	for name, d := range declared {
		want, isText := d.(string)
		if got, alike := found[name].(string); !isText || !alike || want != got {
			return false
		}
	}
	return true
}

// place is where a value is: its name for people, and that of its rule.
type place struct{ path, rule string }

func (p place) of(name string) place { return place{p.path + "." + name, p.rule + "." + name} }

type comparison struct {
	rules  map[string]As
	fields []Field
}

func (c *comparison) compare(at place, declared, found any) {
	object, isObject := declared.(map[string]any)
	other, both := found.(map[string]any)
	if isObject && len(object) > 0 && (both || found == nil) {
		for _, name := range names(object) {
			c.compare(at.of(name), object[name], other[name])
		}
		return
	}
	if !c.same(at.rule, declared, found) {
		c.fields = append(c.fields, Field{Path: at.path, Declared: text(declared), Found: text(found)})
	}
}

func text(v any) string {
	if empty(v) {
		return ""
	}
	return shown(v)
}

// same tells whether what was found is as declared; an object may have more than is declared.
func (c *comparison) same(rule string, declared, found any) bool {
	if empty(declared) {
		return empty(found)
	}
	switch d := declared.(type) {
	case string:
		f, isText := found.(string)
		return isText && normal(d, c.rules[rule]) == normal(f, c.rules[rule])
	case map[string]any:
		f, isObject := found.(map[string]any)
		if !isObject {
			return false
		}
		for name := range d {
			if !c.same(rule+"."+name, d[name], f[name]) {
				return false
			}
		}
		return true
	case []any:
		f, isList := found.([]any)
		return (isList || found == nil) && c.sameList(rule, d, f)
	}
	return false
}

// sameList finds for each declared element another one that was found. It tries all ways: an element that declares little is as many of
// those found, and must not take the one that another needs.
func (c *comparison) sameList(rule string, declared, found []any) bool {
	as := c.rules[rule]
	if len(found) < len(declared) || (len(found) > len(declared) && as != AtLeast) {
		return false
	}
	if as == Ordered {
		for i := range declared {
			if !c.same(rule+"[]", declared[i], found[i]) {
				return false
			}
		}
		return true
	}
	takenBy := make(map[int]int, len(declared))
	for i := range declared {
		if !c.place(rule, declared, found, i, takenBy, map[int]bool{}) {
			return false
		}
	}
	return true
}

// place gives element i a partner, and others new ones if need be (an augmenting path of a bipartite matching).
func (c *comparison) place(rule string, declared, found []any, i int, takenBy map[int]int, tried map[int]bool) bool {
	for j := range found {
		if tried[j] || !c.same(rule+"[]", declared[i], found[j]) {
			continue
		}
		tried[j] = true
		if other, taken := takenBy[j]; !taken || c.place(rule, declared, found, other, takenBy, tried) {
			takenBy[j] = i
			return true
		}
	}
	return false
}

// sentence lists fields, at most three of them with their values.
func sentence(fields []Field) string {
	const most = 3
	parts := make([]string, 0, most+1)
	for i, f := range fields {
		if i == most {
			parts = append(parts, fmt.Sprintf("and %d more differ", len(fields)-most))
			break
		}
		parts = append(parts, f.String())
	}
	return strings.Join(parts, ", ")
}
