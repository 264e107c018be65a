package sweep

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"
)

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

func at(minutes int) time.Time { return noon.Add(time.Duration(minutes) * time.Minute) }

func thing(n int) Declared {
	return Declared{
		Object: types.NamespacedName{Namespace: "shop", Name: fmt.Sprintf("c%03d", n)},
		ID:     fmt.Sprintf("/subscriptions/s%d/resourceGroups/rg/providers/P/t/c%03d", n/100, n), Fields: map[string]any{"v": "good"},
	}
}

func things(n int) []Declared {
	out := make([]Declared, n)
	for i := range out {
		out[i] = thing(i)
	}
	return out
}

// rows are what was found, all as declared but those that bad names: "" is gone.
func rows(declared []Declared, changed time.Time, bad map[int]string) map[string]Found {
	out := map[string]Found{}
	for i, d := range declared {
		value, isBad := bad[i]
		if !isBad {
			value = "good"
		}
		if value != "" {
			out[idKey(d.ID)] = Found{ID: d.ID, Fields: map[string]any{"v": value, "added": i}, ChangedAt: changed}
		}
	}
	return out
}

func TestJudgeOne(t *testing.T) {
	for name, tc := range map[string]struct {
		found   string
		changed time.Time
		looked  time.Time // zero: never
		shown   bool
		wakes   bool
	}{
		"as declared": {found: "good"},
		"different":   {found: "bad", wakes: true},
		"gone":        {wakes: true},
		"different, changed before the last look":         {found: "bad", changed: at(-30), looked: at(-20)},
		"different, changed after the last look":          {found: "bad", changed: at(-10), looked: at(-20), wakes: true},
		"different, changed within a clock's error":       {found: "bad", changed: at(-3).Add(-time.Second), looked: at(-3)},
		"the same when Graph cannot be late any more":     {found: "bad", changed: at(-20).Add(-time.Second), looked: at(-20), wakes: true},
		"different, no time, looked at minutes ago":       {found: "bad", looked: at(-9)},
		"different, no time, looked at long ago":          {found: "bad", looked: at(-10), wakes: true},
		"gone, looked at minutes ago":                     {looked: at(-9)},
		"gone, looked at long ago":                        {looked: at(-10), wakes: true},
		"as declared, whatever is known":                  {found: "good", changed: at(-1), looked: at(-20)},
		"different for hours, and seen since (reported)":  {found: "bad", changed: at(-600), looked: at(-590)},
		"changed again after it was seen (and reported)":  {found: "bad", changed: at(-5), looked: at(-590), wakes: true},
		"changed in the same moment, looked at just then": {found: "bad", changed: at(-1), looked: at(-1)},
		"gone, after it was shown since the last look":    {looked: at(-2), shown: true, wakes: true},
		"different, no time, after it was shown since":    {found: "bad", looked: at(-2), shown: true, wakes: true},
		"the same, but changed long before that look":     {found: "bad", changed: at(-5), looked: at(-2), shown: true},
		"within a clock's error, after it was shown":      {found: "bad", changed: at(-2).Add(-time.Second), looked: at(-2), shown: true, wakes: true},
	} {
		t.Run(name, func(t *testing.T) {
			declared := things(1)
			seen := func(string) (known, bool) { return known{at: tc.looked, shown: tc.shown}, !tc.looked.IsZero() }
			v := judge(declared, rows(declared, tc.changed, map[int]string{0: tc.found}), seen, nil, noon)
			if got := len(v.wake) == 1; got != tc.wakes || v.strange {
				t.Errorf("judged %+v, want woken %t", v, tc.wakes)
			}
		})
	}
}

func TestJudgeMany(t *testing.T) {
	unseen := func(string) (known, bool) { return known{}, false }
	lookedAt := func(n int, k known) func(string) (known, bool) {
		ids := map[string]bool{}
		for _, d := range things(n) {
			ids[idKey(d.ID)] = true
		}
		return func(id string) (known, bool) { return k, ids[id] }
	}
	for name, tc := range map[string]struct {
		declared, bad int
		seen          func(string) (known, bool)
		woken         int
		strange       bool
	}{
		"a storm":                      {declared: 100, bad: 50, seen: unseen, woken: 50},
		"most of a few":                {declared: 19, bad: 19, seen: unseen, woken: 19},
		"more than half of many":       {declared: 100, bad: 51, seen: unseen, woken: 10, strange: true},
		"the canaries saw nothing":     {declared: 100, bad: 100, seen: lookedAt(10, known{at: at(-1)}), woken: 0, strange: true},
		"the canaries saw it":          {declared: 100, bad: 100, seen: lookedAt(10, known{at: at(-1), drifted: true}), woken: 90},
		"nine canaries saw it":         {declared: 100, bad: 100, seen: lookedAt(9, known{at: at(-1), drifted: true}), woken: 10, strange: true},
		"the canaries saw it long ago": {declared: 100, bad: 100, seen: lookedAt(10, known{at: at(-10), drifted: true}), woken: 10, strange: true},
	} {
		t.Run(name, func(t *testing.T) {
			declared, bad := things(tc.declared), map[int]string{}
			for i := range tc.bad {
				bad[tc.declared-1-i] = ""
			}
			v := judge(declared, rows(declared, time.Time{}, bad), tc.seen, nil, noon)
			if len(v.wake) != tc.woken || v.strange != tc.strange {
				t.Errorf("%d woken, strange %t, want %d, %t", len(v.wake), v.strange, tc.woken, tc.strange)
			}
		})
	}
}

// TestJudgeIsSound: whoever is woken does look different, and whoever looks different is woken unless it is strange.
func TestJudgeIsSound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		declared := things(rapid.IntRange(1, 60).Draw(t, "declared"))
		bad := rapid.MapOf(rapid.IntRange(0, len(declared)-1), rapid.SampledFrom([]string{"", "bad", "good"})).Draw(t, "bad")
		v := judge(declared, rows(declared, noon, bad), func(string) (known, bool) { return known{}, false }, nil, noon)
		different := map[types.NamespacedName]bool{}
		for i, value := range bad {
			if value != "good" {
				different[declared[i].Object] = true
			}
		}
		for _, object := range v.wake {
			if !different[object] {
				t.Fatalf("%s is woken and looks as declared", object)
			}
		}
		if v.strange != (len(declared) >= 20 && 2*len(different) > len(declared)) || (!v.strange && len(v.wake) != len(different)) || len(v.wake) > max(len(different), canaries) {
			t.Fatalf("%d of %d differ, judged %+v", len(different), len(declared), v)
		}
	})
}

func TestBatches(t *testing.T) {
	at := func(identity, subscription string, n int) []Declared {
		out := make([]Declared, n)
		for i := range out {
			out[i] = Declared{Identity: identity, ID: "/Subscriptions/" + subscription + "/x"}
		}
		return out
	}
	var declared []Declared
	for _, d := range [][]Declared{at("", "B", 4), at("", "a", 5), at("", "c", 3), at("", "b", 1), at("other", "a", 1), at("", "d", 30), at("", "e", 1)} {
		declared = append(declared, d...)
	}
	declared = append(declared, Declared{ID: "/providers/Microsoft.Management/managementGroups/m/x"}, Declared{ID: "none"})
	type row struct {
		Identity      string
		Subscriptions []string
		Declared      int
	}
	want := []row{{"", nil, 2}, {"", []string{"a", "b"}, 10}, {"", []string{"c"}, 3}, {"", []string{"d"}, 30}, {"", []string{"e"}, 1}, {"other", []string{"a"}, 1}}
	var got []row
	for _, b := range batches(declared, nil, 10) {
		got = append(got, row{b.identity, b.subscriptions, len(b.declared)})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestBatchesCountRows(t *testing.T) {
	var declared []Declared
	for i := range 40 {
		declared = append(declared, Declared{ID: fmt.Sprintf("/subscriptions/s%d/x/%d", i/10, i), Fields: map[string]any{"p": fmt.Sprint(i / 5)}})
	}
	got := batches(declared, func(d Declared) string { return fmt.Sprint(d.Fields["p"]) }, 4)
	if len(got) != 2 || len(got[0].subscriptions) != 2 || got[0].rows != 4 {
		t.Errorf("batches %+v", got)
	}
}
