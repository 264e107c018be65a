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
