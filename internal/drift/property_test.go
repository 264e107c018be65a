package drift

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// things generates what a spec may hold, with ids among the texts.
func things(depth int) *rapid.Generator[any] {
	texts := rapid.OneOf(rapid.StringMatching(`[a-zA-Z]{0,6}`), rapid.StringMatching(`/subscriptions/[a-zA-Z0-9]{1,4}/resourceGroups/[a-zA-Z]{1,4}`))
	leaves := rapid.OneOf(texts.AsAny(), rapid.Int32().AsAny(), rapid.Bool().AsAny())
	if depth == 0 {
		return leaves
	}
	return rapid.OneOf(leaves, rapid.SliceOfN(things(depth-1), 0, 4).AsAny(), objects(depth-1).AsAny())
}

func objects(depth int) *rapid.Generator[map[string]any] {
	return rapid.MapOfN(rapid.StringMatching(`[a-e]`), things(depth), 0, 4)
}

// churn is what Azure does to a thing without changing it: another letter case of ids, another order of lists, numbers and truths as
// text, empty things left out, things added.
func churn(t *rapid.T, v any, inList bool) any {
	switch v := v.(type) {
	case string:
		if isID(v) && rapid.Bool().Draw(t, "upper") {
			return strings.ToUpper(v)
		}
		return v
	case int32, bool:
		if rapid.Bool().Draw(t, "text") {
			return fmt.Sprint(v)
		}
		return v
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = churn(t, v[i], true)
		}
		if len(out) > 1 {
			out = rapid.Permutation(out).Draw(t, "order")
		}
		return out
	case map[string]any:
		out := map[string]any{"addedByAzure": "x"}
		if inList && len(v) == 0 {
			out = map[string]any{} // an empty element declares "an empty element"
		}
		for name, value := range v {
			if empty(value) && rapid.Bool().Draw(t, "leave out") {
				continue
			}
			out[name] = churn(t, value, inList || len(v) == 0)
			if o, isObject := value.(map[string]any); isObject && len(o) == 0 {
				out[name] = map[string]any{}
			}
		}
		return out
	}
	return v
}

func TestChurnIsNoDrift(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		declared := objects(3).Draw(t, "declared")
		found := churn(t, declared, false).(map[string]any)
		raw, err := json.Marshal(found)
		if err != nil {
			t.Fatal(err)
		}
		var read map[string]any // as it comes from Azure
		if err := json.Unmarshal(raw, &read); err != nil {
			t.Fatal(err)
		}
		if fields := Compare(declared, read); len(fields) != 0 {
			t.Fatalf("%s of %s is called drift: %v", raw, shown(plain(declared)), fields)
		}
	})
}

// TestDriftIsSeen: whatever owned leaf at the top is changed, its field is named, and no other.
func TestDriftIsSeen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		declared := objects(2).Filter(func(o map[string]any) bool { return len(o) > 0 }).Draw(t, "declared")
		found := churn(t, declared, false).(map[string]any)
		name := rapid.SampledFrom(names(declared)).Draw(t, "name")
		found[name] = "something else!"
		fields := Compare(declared, found)
		if len(fields) != 1 || fields[0].Path != name {
			t.Fatalf("fields are %v, want %s", fields, name)
		}
	})
}
