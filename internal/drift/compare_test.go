package drift

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const clusterID = "/subscriptions/0000/resourceGroups/rg-Shop/providers/Microsoft.ContainerService/managedClusters/shop"

type object = map[string]any

func TestCompare(t *testing.T) {
	var unset *int32
	for name, tc := range map[string]struct {
		declared, found object
		rules           []Rule
		want            []Field
	}{
		"equal":                      {declared: object{"expander": "random"}, found: object{"expander": "random"}},
		"another value":              {declared: object{"expander": "random"}, found: object{"expander": "priority"}, want: []Field{{"expander", "random", "priority"}}},
		"letter case of a value":     {declared: object{"expander": "random"}, found: object{"expander": "Random"}, want: []Field{{"expander", "random", "Random"}}},
		"that of an enumeration":     {declared: object{"expander": "random"}, found: object{"expander": "Random"}, rules: []Rule{{"expander", Fold}}},
		"gone":                       {declared: object{"expander": "random"}, want: []Field{{Path: "missing"}}},
		"not set any more":           {declared: object{"a": "1"}, found: object{}, want: []Field{{"a", "1", ""}}},
		"not owned":                  {declared: object{"a": nil, "b": unset, "c": []string(nil)}, found: object{"a": 1, "b": 2, "c": []any{"x"}, "d": 4}},
		"none is declared, and so":   {declared: object{"a": []string{}, "b": "", "c": object{}}, found: object{"b": nil, "c": object{}}},
		"none is declared, but is":   {declared: object{"a": []string{}}, found: object{"a": []any{"x"}}, want: []Field{{"a", "", `["x"]`}}},
		"a pointer":                  {declared: object{"n": new(int32(3))}, found: object{"n": json.Number("3")}},
		"an id in other letters":     {declared: object{"id": clusterID}, found: object{"id": "/SUBSCRIPTIONS/0000/resourcegroups/RG-shop/providers/microsoft.containerservice/managedclusters/shop/"}},
		"another id":                 {declared: object{"id": "/subscriptions/a"}, found: object{"id": "/subscriptions/b"}, want: []Field{{"id", "/subscriptions/a", "/subscriptions/b"}}},
		"a GUID in other letters":    {declared: object{"p": "7f951dda-4ed3-4680-a7ca-43fe172d538d"}, found: object{"p": "7F951DDA-4ED3-4680-A7CA-43FE172D538D"}},
		"a number as text":           {declared: object{"n": 10, "m": "10"}, found: object{"n": "10", "m": json.Number("10")}},
		"a number of Go":             {declared: object{"n": int32(10)}, found: object{"n": float64(10)}},
		"a truth as text":            {declared: object{"b": true}, found: object{"b": "true"}},
		"versions are no numbers":    {declared: object{"v": "1.30"}, found: object{"v": "1.3"}, want: []Field{{"v", "1.30", "1.3"}}},
		"numbers are":                {declared: object{"v": "0.50"}, found: object{"v": "0.5"}, rules: []Rule{{"v", Number}}},
		"a duration in other words":  {declared: object{"d": 600}, found: object{"d": "10m"}, rules: []Rule{{"d", Duration}}},
		"another duration":           {declared: object{"d": "10m"}, found: object{"d": "10s"}, rules: []Rule{{"d", Duration}}, want: []Field{{"d", "10m", "10s"}}},
		"a time in another zone":     {declared: object{"t": time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)}, found: object{"t": "2026-11-26T13:00:00.000+01:00"}},
		"another order":              {declared: object{"l": []string{"a", "b"}}, found: object{"l": []any{"b", "a"}}},
		"an order that matters":      {declared: object{"l": []string{"a", "b"}}, found: object{"l": []any{"b", "a"}}, rules: []Rule{{"l", Ordered}}, want: []Field{{"l", `["a","b"]`, `["b","a"]`}}},
		"one more in a list":         {declared: object{"l": []string{"a"}}, found: object{"l": []any{"b", "a"}}, want: []Field{{"l", `["a"]`, `["b","a"]`}}},
		"more are allowed":           {declared: object{"l": []string{"a"}}, found: object{"l": []any{"b", "a"}}, rules: []Rule{{"l", AtLeast}}},
		"twice is not once":          {declared: object{"l": []string{"a", "a"}}, found: object{"l": []any{"a", "b"}}, want: []Field{{"l", `["a","a"]`, `["a","b"]`}}},
		"fields of an object":        {declared: object{"p": object{"a": 1, "b": object{"c": 2}}}, found: object{"p": object{"a": 2, "b": object{"x": 1}, "y": 1}}, want: []Field{{"p.a", "1", "2"}, {"p.b.c", "2", ""}}},
		"an object that is gone":     {declared: object{"p": object{"a": 1}}, found: object{}, want: []Field{{"p.a", "1", ""}}},
		"an object that is a text":   {declared: object{"p": object{"a": 1}}, found: object{"p": "x"}, want: []Field{{"p", `{"a":"1"}`, "x"}}},
		"additions in lists":         {declared: object{"l": []any{object{"name": "a", "on": true}}}, found: object{"l": []any{object{"name": "a", "on": true, "days": 0}}}},
		"a rule inside of a list":    {declared: object{"l": []any{object{"c": "Audit"}}}, found: object{"l": []any{object{"c": "audit"}}}, rules: []Rule{{"l[].c", Fold}}},
		"elements that declare less": {declared: object{"l": []any{object{"a": 1}, object{"a": 1, "b": 2}}}, found: object{"l": []any{object{"a": 1, "b": 2}, object{"a": 1, "b": 3}}}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, Compare(tc.declared, tc.found, tc.rules...)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestFieldsForPeople(t *testing.T) {
	fields := []Field{{"a", "1", "2"}, {"b", "1", ""}, {"c", "", "2"}, {"d", "1", "2"}}
	if got, want := sentence(fields), `a is "2", declared is "1", b is not set, declared is "1", c is "2", declared is none, and 1 more differ`; got != want {
		t.Errorf("sentence is\n%s, want\n%s", got, want)
	}
	if got := sentence(Compare(object{}, nil)); got != "it is missing" {
		t.Errorf("sentence is %q", got)
	}
}
