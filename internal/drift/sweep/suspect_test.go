package sweep

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
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

// judged is the answer about one group of things.
func judged(declared []Declared, found map[string]Found, seen func(string) known) verdict {
	silent := !slices.ContainsFunc(declared, func(d Declared) bool { _, there := found[idKey(d.ID)]; return there })
	return judge(group{declared: declared, silent: silent}, found, seen, nil, noon)
}

func nothingKnown(string) known { return known{} }

func TestJudgeOne(t *testing.T) {
	for name, tc := range map[string]struct {
		found   string
		changed time.Time
		looked  time.Time // zero: never
		outcome Outcome
		agreed  bool
		known   known
		wakes   bool
		news    bool
	}{
		"as declared": {found: "good"},
		"different":   {found: "bad", wakes: true, news: true},
		"gone":        {wakes: true, news: true},
		"different, changed before the last look":         {found: "bad", changed: at(-30), looked: at(-20)},
		"different, changed after the last look":          {found: "bad", changed: at(-10), looked: at(-20), wakes: true, news: true},
		"different, changed within a clock's error":       {found: "bad", changed: at(-3).Add(-time.Second), looked: at(-3)},
		"the same when Graph cannot be late any more":     {found: "bad", changed: at(-20).Add(-time.Second), looked: at(-20), wakes: true, news: true},
		"different, no time, looked at minutes ago":       {found: "bad", looked: at(-9)},
		"different, no time, looked at long ago":          {found: "bad", looked: at(-10), wakes: true},
		"gone, looked at minutes ago":                     {looked: at(-9)},
		"gone, looked at long ago":                        {looked: at(-10), wakes: true},
		"as declared, whatever is known":                  {found: "good", changed: at(-1), looked: at(-20)},
		"different for hours, and seen since (reported)":  {found: "bad", changed: at(-600), looked: at(-590), outcome: Standing},
		"changed again after it was seen (and reported)":  {found: "bad", changed: at(-5), looked: at(-590), outcome: Standing, wakes: true, news: true},
		"changed in the same moment, looked at just then": {found: "bad", changed: at(-1), looked: at(-1)},
		"gone, after it was shown since the last look":    {looked: at(-2), agreed: true, wakes: true, news: true},
		"different, no time, after it was shown since":    {found: "bad", looked: at(-2), agreed: true, wakes: true, news: true},
		"the same, but changed long before that look":     {found: "bad", changed: at(-5), looked: at(-2), agreed: true},
		"within a clock's error, after it was shown":      {found: "bad", changed: at(-2).Add(-time.Second), looked: at(-2), agreed: true, wakes: true, news: true},
		// What was seen to be different and left so is no news while it is, and news when it is not any more.
		"gone, and told to be":                              {looked: at(-9), outcome: Standing, agreed: true},
		"gone, and told to be long ago":                     {looked: at(-10), outcome: Standing, agreed: true, wakes: true},
		"put right, after it was shown to be gone":          {found: "good", looked: at(-2), outcome: Standing, agreed: true, wakes: true, news: true},
		"put right, changed since":                          {found: "good", changed: at(-1), looked: at(-2), outcome: Standing, wakes: true, news: true},
		"as it was before it drifted":                       {found: "good", changed: at(-600), looked: at(-2), outcome: Standing},
		"as it was before it drifted, no time":              {found: "good", looked: at(-9), outcome: Standing},
		"put right, perhaps, and Graph cannot be late":      {found: "good", looked: at(-10), outcome: Standing, wakes: true},
		"gone, woken a moment ago":                          {known: known{woken: at(-2)}},
		"gone, woken and never looked at":                   {known: known{woken: at(-11)}, wakes: true},
		"gone, woken in vain twice":                         {looked: at(-21), known: known{woken: at(-21), pause: 40 * time.Minute}},
		"gone, woken in vain twice, and long ago":           {looked: at(-41), known: known{woken: at(-41), pause: 40 * time.Minute}, wakes: true},
		"different, changed since it was woken in vain":     {found: "bad", changed: at(-1), looked: at(-5), known: known{woken: at(-5), pause: 40 * time.Minute}, wakes: true, news: true},
		"different, changed before it was woken":            {found: "bad", changed: at(-6), looked: at(-9), known: known{woken: at(-5), pause: lag}},
		"gone, and its controller comes back":               {known: known{until: at(1)}},
		"gone, and its controller should have come back":    {known: known{until: at(0)}, wakes: true, news: true},
		"different, changed, and its controller comes back": {found: "bad", changed: at(-1), looked: at(-5), known: known{until: at(1)}},
	} {
		t.Run(name, func(t *testing.T) {
			declared := things(1)
			k := tc.known
			k.at, k.agreed = tc.looked, tc.agreed
			if k.looked() {
				k.outcome = cmp.Or(tc.outcome, AsDeclared)
			}
			v := judged(declared, rows(declared, tc.changed, map[int]string{0: tc.found}), func(string) known { return k })
			if got := len(v.wake) == 1; got != tc.wakes || v.result != resultOK || got && v.wake[0].news != tc.news {
				t.Errorf("judged %+v, want woken %t, news %t", v, tc.wakes, tc.news)
			}
		})
	}
}

// TestPausesDouble: a row that goes on saying what is not so costs ever fewer looks, up to one in Rest; one that says what is so ends that.
func TestPausesDouble(t *testing.T) {
	var k known
	now, looks := noon, 0
	for range int(2 * Rest / DefaultEvery) {
		if wakes, news := k.wakes(false, time.Time{}, now); wakes {
			looks++
			k = k.afterWake(news, now)
			k.at, k.outcome = now.Add(time.Second), AsDeclared
		}
		now = now.Add(DefaultEvery)
	}
	if looks != 11 || k.pause != Rest {
		t.Errorf("%d looks in two weeks, and a pause of %s", looks, k.pause)
	}
	if !k.learns(true) || k.learns(false) {
		t.Error("a row that is as declared teaches nothing")
	}
	k = k.afterRow(true)
	if wakes, news := k.wakes(false, time.Time{}, now); !wakes || !news {
		t.Errorf("the next drift is not found at once: %+v", k)
	}
	if k.learns(true) {
		t.Error("the same row teaches again")
	}
}

func TestJudgeMany(t *testing.T) {
	lookedAt := func(n int, k known) func(string) known {
		ids := map[string]bool{}
		for _, d := range things(n) {
			ids[idKey(d.ID)] = true
		}
		return func(id string) known {
			if ids[id] {
				return k
			}
			return known{}
		}
	}
	for name, tc := range map[string]struct {
		declared, bad int
		value         string
		seen          func(string) known
		woken         int
		result        string
	}{
		"a storm":                      {declared: 100, bad: 50, seen: nothingKnown, woken: 50, result: "ok"},
		"most of a few":                {declared: 19, bad: 19, seen: nothingKnown, woken: 19, result: "ok"},
		"more than half of many":       {declared: 100, bad: 51, seen: nothingKnown, woken: 10, result: "strange"},
		"the canaries saw nothing":     {declared: 100, bad: 100, value: "bad", seen: lookedAt(10, known{at: at(-1), outcome: AsDeclared}), woken: 0, result: "strange"},
		"the canaries saw it":          {declared: 100, bad: 100, value: "bad", seen: lookedAt(10, known{at: at(-1), outcome: Healed}), woken: 90, result: "ok"},
		"nine canaries saw it":         {declared: 100, bad: 100, value: "bad", seen: lookedAt(9, known{at: at(-1), outcome: Healed}), woken: 10, result: "strange"},
		"the canaries saw it long ago": {declared: 100, bad: 100, value: "bad", seen: lookedAt(10, known{at: at(-10), outcome: Healed}), woken: 10, result: "strange"},
		// Sixty are reported, or seen in vain: nothing is strange about them any more, and another three are believed at once.
		"sixty that are known and three": {declared: 100, bad: 63, seen: func(id string) known {
			if id >= idKey(thing(40).ID) {
				return known{at: at(-60), outcome: Standing, agreed: true, woken: at(-60), pause: 2 * time.Hour}
			}
			return known{}
		}, woken: 3, result: "ok"},
		// No row at all: it cannot be seen, whoever looks.
		"no row at all":                     {declared: 100, bad: 100, seen: nothingKnown, woken: 10, result: "unreadable"},
		"no row of a few":                   {declared: 19, bad: 19, seen: nothingKnown, woken: 19, result: "ok"},
		"no row at all, and canaries":       {declared: 100, bad: 100, seen: lookedAt(100, known{at: at(-15), outcome: AsDeclared, woken: at(-15), pause: 20 * time.Minute}), woken: 0, result: "unreadable"},
		"no row at all, canaries once more": {declared: 100, bad: 100, seen: lookedAt(100, known{at: at(-25), outcome: AsDeclared, woken: at(-25), pause: 20 * time.Minute}), woken: 10, result: "unreadable"},
		"no row at all, and it is true":     {declared: 100, bad: 100, seen: lookedAt(10, known{at: at(-1), outcome: Healed}), woken: 90, result: "ok"},
		"no row at all for a day":           {declared: 100, bad: 100, seen: lookedAt(70, known{at: at(-24 * 60), outcome: AsDeclared, pause: Rest, woken: at(-24 * 60)}), woken: 73, result: "unreadable"},
	} {
		t.Run(name, func(t *testing.T) {
			declared, bad := things(tc.declared), map[int]string{}
			for i := range tc.bad {
				bad[tc.declared-1-i] = tc.value
			}
			v := judged(declared, rows(declared, time.Time{}, bad), tc.seen)
			if len(v.wake) != tc.woken || v.result != tc.result {
				t.Errorf("%d woken, %s, want %d, %s", len(v.wake), v.result, tc.woken, tc.result)
			}
		})
	}
}

// TestASubscriptionThatCannotBeReadSaysNothingOfOthers: 60 things of one subscription have no rows, one of 40 of another is different.
func TestASubscriptionThatCannotBeReadSaysNothingOfOthers(t *testing.T) {
	var declared []Declared
	for i := range 100 {
		d := thing(i)
		d.ID = fmt.Sprintf("/subscriptions/%s/x/%d", map[bool]string{true: "A", false: "b"}[i < 60], i)
		declared = append(declared, d)
	}
	bad := map[int]string{70: "bad"}
	for i := range 60 {
		bad[i] = ""
	}
	found := rows(declared, time.Time{}, bad)
	// What else is there in a subscription shows that it can be read.
	for _, elsewhere := range []string{"", "/subscriptions/a/x/somebody's"} {
		found[elsewhere] = Found{ID: elsewhere}
		want := map[string]int{"a unreadable": 10, "b ok": 1}
		if elsewhere != "" {
			want = map[string]int{"a strange": 10, "b ok": 1}
		}
		got := map[string]int{}
		for _, g := range groups(declared, found, nothingKnown) {
			v := judge(g, found, nothingKnown, nil, noon)
			got[strings.Join(g.subscriptions, "+")+" "+v.result] = len(v.wake)
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

// TestSmallSubscriptionsAreJudgedTogether, those that say something apart from those that do not.
func TestSmallSubscriptionsAreJudgedTogether(t *testing.T) {
	var declared []Declared
	for i := range 60 {
		declared = append(declared, Declared{ID: fmt.Sprintf("/subscriptions/s%02d/x/%d", i/4, i), Fields: map[string]any{"v": "good"}})
	}
	bad := map[int]string{41: "bad"}
	for i := range 40 {
		bad[i] = ""
	}
	found := rows(declared, time.Time{}, bad)
	var got []string
	for _, g := range groups(declared, found, nothingKnown) {
		v := judge(g, found, nothingKnown, nil, noon)
		got = append(got, fmt.Sprintf("%d %d %t %s %d", len(g.subscriptions), len(g.declared), g.silent, v.result, len(v.wake)))
	}
	if diff := gocmp.Diff([]string{"5 20 false ok 1", "10 40 true unreadable 10"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestASmallSubscriptionThatWasReadIsBelieved: three of 7 things that never showed a row are beside one of 3 whose rows are gone since.
func TestASmallSubscriptionThatWasReadIsBelieved(t *testing.T) {
	var declared []Declared
	for i, n := range []int{7, 7, 3, 7} {
		for j := range n {
			declared = append(declared, Declared{ID: fmt.Sprintf("/subscriptions/s%d/x/%d", i, j), Fields: map[string]any{"v": "good"}})
		}
	}
	for name, tc := range map[string]struct {
		third known
		want  []string
	}{
		"a row has agreed":      {known{at: at(-60), outcome: AsDeclared, agreed: true}, []string{"[s2] ok 3", "[s0 s1 s3] unreadable 0"}},
		"healed, and shown":     {known{at: at(-60), outcome: Healed, agreed: true}, []string{"[s2] ok 3", "[s0 s1 s3] unreadable 0"}},
		"no row since the look": {known{at: at(-5), outcome: AsDeclared}, []string{"[s0 s1 s2 s3] unreadable 0"}},
		"gone, and left so":     {known{at: at(-60), outcome: Standing, agreed: true, woken: at(-60), pause: 2 * time.Hour}, []string{"[s0 s1 s2 s3] unreadable 0"}},
	} {
		seen := func(key string) known {
			if strings.HasPrefix(key, "/subscriptions/s2/") {
				return tc.third
			}
			return known{at: at(-60), outcome: AsDeclared, woken: at(-60), pause: 2 * time.Hour}
		}
		var got []string
		for _, g := range groups(declared, nil, seen) {
			v := judge(g, nil, seen, nil, noon)
			got = append(got, fmt.Sprintf("%v %s %d", g.subscriptions, v.result, len(v.wake)))
		}
		if diff := gocmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestJudgeIsSound: whoever is woken does look different, and whoever looks different is woken unless it is strange.
func TestJudgeIsSound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		declared := things(rapid.IntRange(1, 60).Draw(t, "declared"))
		bad := rapid.MapOf(rapid.IntRange(0, len(declared)-1), rapid.SampledFrom([]string{"", "bad", "good"})).Draw(t, "bad")
		v := judged(declared, rows(declared, noon, bad), nothingKnown)
		different := map[types.NamespacedName]bool{}
		for i, value := range bad {
			if value != "good" {
				different[declared[i].Object] = true
			}
		}
		for _, w := range v.wake {
			if !different[w.object] {
				t.Fatalf("%s is woken and looks as declared", w.object)
			}
		}
		doubted := len(declared) >= 20 && 2*len(different) > len(declared)
		if (v.result != resultOK) != doubted || (!doubted && len(v.wake) != len(different)) || (doubted && len(v.wake) != canaries) {
			t.Fatalf("%d of %d differ, judged %+v", len(different), len(declared), v)
		}
	})
}

func TestBatches(t *testing.T) {
	var declared []Declared
	for _, of := range []struct {
		subscription string
		n            int
	}{{"B", 4}, {"a", 5}, {"c", 3}, {"b", 1}, {"d", 30}, {"e", 1}} {
		for range of.n {
			declared = append(declared, Declared{ID: "/Subscriptions/" + of.subscription + "/x"})
		}
	}
	declared = append(declared, Declared{ID: "/providers/Microsoft.Management/managementGroups/m/x"}, Declared{ID: "none"})
	type row struct {
		Subscriptions []string
		Declared      int
	}
	want := []row{{nil, 2}, {[]string{"a", "b"}, 10}, {[]string{"c"}, 3}, {[]string{"d"}, 30}, {[]string{"e"}, 1}}
	var got []row
	for _, b := range batches(declared, nil, 10) {
		got = append(got, row{b.subscriptions, len(b.declared)})
	}
	if diff := gocmp.Diff(want, got); diff != "" {
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
