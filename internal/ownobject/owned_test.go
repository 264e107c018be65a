package ownobject_test

import (
	"testing"

	"github.com/fleetwright/fleetwright/internal/ownobject"
)

func TestLacks(t *testing.T) {
	type fields = map[string]any
	want := fields{"a": "1", "in": fields{"b": "2"}, "list": []any{"x"}}
	ours := fields{"f:a": fields{}, "f:in": fields{"f:b": fields{}}, "f:list": fields{}}
	for name, test := range map[string]struct {
		is, owned fields
		want      bool
	}{
		"as it should be":               {is: fields{"a": "1", "in": fields{"b": "2"}, "list": []any{"x"}}, owned: ours},
		"more of others":                {is: fields{"a": "1", "in": fields{"b": "2", "c": "3"}, "list": []any{"x"}, "d": "4"}, owned: ours},
		"another value":                 {is: fields{"a": "2", "in": fields{"b": "2"}, "list": []any{"x"}}, owned: ours, want: true},
		"another value deeper":          {is: fields{"a": "1", "in": fields{"b": "3"}, "list": []any{"x"}}, owned: ours, want: true},
		"another list":                  {is: fields{"a": "1", "in": fields{"b": "2"}, "list": []any{"x", "y"}}, owned: ours, want: true},
		"less":                          {is: fields{"a": "1", "list": []any{"x"}}, owned: ours, want: true},
		"what we have set once":         {is: fields{"a": "1", "in": fields{"b": "2"}, "list": []any{"x"}, "d": "4"}, owned: fields{"f:d": fields{}}, want: true},
		"what we have set once, deeper": {is: fields{"a": "1", "in": fields{"b": "2", "c": "3"}, "list": []any{"x"}}, owned: fields{"f:in": fields{"f:c": fields{}}}, want: true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := ownobject.Lacks(want, test.is, test.owned); got != test.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

// Of a list with keys, or of a set, entries of others are theirs; a list that is owned as a whole is compared as a whole.
func TestLacksEntries(t *testing.T) {
	type fields = map[string]any
	entry := func(name, id string) any { return fields{"name": name, "id": id} }
	want := fields{"list": []any{entry("a", "1"), entry("b", "2")}, "set": []any{"x", int64(2)}}
	ours := func(names ...string) fields {
		keys := fields{}
		for _, name := range names {
			keys[`k:{"name":"`+name+`"}`] = fields{".": fields{}, "f:name": fields{}, "f:id": fields{}}
		}
		return fields{"f:list": keys, "f:set": fields{`v:"x"`: fields{}, "v:2": fields{}}}
	}
	set := []any{int64(2), "theirs", "x"}
	for name, test := range map[string]struct {
		is, owned fields
		want      bool
	}{
		"as it should be":        {is: want, owned: ours("a", "b")},
		"entries of others":      {is: fields{"list": []any{entry("c", "3"), entry("b", "2"), entry("a", "1")}, "set": set}, owned: ours("a", "b")},
		"another value":          {is: fields{"list": []any{entry("a", "1"), entry("b", "3")}, "set": set}, owned: ours("a", "b"), want: true},
		"one is missing":         {is: fields{"list": []any{entry("a", "1")}, "set": set}, owned: ours("a", "b"), want: true},
		"one was never written":  {is: fields{"list": []any{entry("a", "1"), entry("b", "2")}, "set": set}, owned: ours("a"), want: true},
		"one is wanted no more":  {is: fields{"list": []any{entry("a", "1"), entry("b", "2"), entry("c", "3")}, "set": set}, owned: ours("a", "b", "c"), want: true},
		"one of a set is gone":   {is: fields{"list": want["list"], "set": []any{"x"}}, owned: ours("a", "b"), want: true},
		"nothing was written":    {is: fields{"list": want["list"], "set": append([]any{"y"}, set...)}, owned: fields{}, want: true},
		"a list owned as whole":  {is: fields{"list": []any{entry("a", "1"), entry("b", "2"), entry("c", "3")}, "set": set}, owned: fields{"f:list": fields{}, "f:set": ours()["f:set"]}, want: true},
		"others' in an entry":    {is: fields{"list": []any{fields{"name": "a", "id": "1", "more": "y"}, entry("b", "2")}, "set": set}, owned: ours("a", "b")},
		"a key that is not read": {is: want, owned: fields{"f:list": fields{"k:{": fields{}}, "f:set": ours()["f:set"]}, want: true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := ownobject.Lacks(want, test.is, test.owned); got != test.want {
				t.Errorf("got %v", got)
			}
		})
	}
}
