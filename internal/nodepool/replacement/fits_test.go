package replacement

import (
	"maps"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/utils/ptr"
)

func unfit(n int) func(*story) { return func(s *story) { s.unfit = n } }

// An answer that cannot be had stops the first eviction, and is not laid on the API
// server.
func TestWhatCannotBeToldOfPodsIsSaid(t *testing.T) {
	of := []PodsOf{{Object: "blue"}}
	l := &look{World: World{Nodepool: Nodepool{Generation: 3}, Fits: []Fit{{Of: of, Untold: "set up the scheduler's plugins: no"}}}}
	plan := l.doPodsFit(of, "pool blue")
	if plan == nil || plan.Verdict != Waiting || plan.Reason != "PodsDoNotFit" {
		t.Fatalf("doPodsFit() = %v", plan)
	}
	want := "whether the pods on pool blue have a place elsewhere cannot be told: set up the scheduler's plugins: no; " +
		"it is tried again, or annotate the Nodepool with fleetwright.io/skip-fit-check=3 to go on all the same"
	if plan.Message != want {
		t.Errorf("says %q, want %q", plan.Message, want)
	}
}

// Nodes get ready one by one. One answer about the whole step is enough where its
// pods have a place, and else those whose turn it is are asked about.
func TestAStepIsAskedAboutAsAWhole(t *testing.T) {
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	old, green := Pool{Object: "blue", Name: "blue", Replaces: 4}, Pool{Object: "green", Size: ptr.To[int32](2)}
	for _, name := range []string{"a", "b", "c", "d"} {
		old.Nodes = append(old.Nodes, Node{Name: name})
	}
	green.Nodes = []Node{{Name: "new-1", Ready: true, ReadySince: now.Add(-time.Hour)}, {Name: "new-2"}}
	step := func(nodes ...string) []PodsOf { return []PodsOf{{Object: "blue", Nodes: nodes}} }
	for name, test := range map[string]struct {
		known []Fit
		asks  []PodsOf
		waits bool
	}{
		"nothing is known":              {nil, step("a", "b"), false},
		"the step has a place":          {[]Fit{{Of: step("a", "b")}}, nil, false},
		"it has none":                   {[]Fit{{Of: step("a", "b"), Unfit: 1}}, step("a"), false},
		"a part of it has":              {[]Fit{{Of: step("a", "b"), Unfit: 1}, {Of: step("a")}}, nil, false},
		"not even that":                 {[]Fit{{Of: step("a", "b"), Unfit: 2}, {Of: step("a"), Unfit: 1}}, nil, true},
		"the whole pool had":            {[]Fit{{Of: step()}}, nil, false},
		"another node of it had":        {[]Fit{{Of: step("c")}}, step("a", "b"), false},
		"the whole pool cannot be told": {[]Fit{{Of: step(), Untold: "no"}}, step("a", "b"), false},
	} {
		t.Run(name, func(t *testing.T) {
			l := &look{World: World{Fits: test.known, Pools: []Pool{old, green}}, now: now, wanted: &green, outgoing: []Pool{old}}
			l.Nodepool.Spec.Replicas = ptr.To[int32](4)
			plan := l.doesTheBatchFit(old)
			var asks []PodsOf
			if plan != nil {
				asks = plan.NeedsFit
			}
			if diff := cmp.Diff(test.asks, asks); diff != "" || test.waits != (plan != nil && plan.Reason == "PodsDoNotFit") {
				t.Errorf("%v asks (-want +got)\n%s", plan, diff)
			}
		})
	}
}

func TestPodsOfNodesThatWereGivenUpNeedNoPlace(t *testing.T) {
	open, closed, givenUp := Node{Name: "b"}, Node{Name: "a", Cordoned: true}, Node{Name: "c", Cordoned: true, Quarantined: true}
	for name, test := range map[string]struct {
		give []Node
		want []PodsOf
	}{
		"none is given up":   {[]Node{open, closed}, []PodsOf{{Object: "blue"}}},
		"one is":             {[]Node{givenUp, open, closed}, []PodsOf{{Object: "blue", Nodes: []string{"a", "b"}}}},
		"all are":            {[]Node{givenUp}, nil},
		"all that are, open": {[]Node{{Name: "c", Quarantined: true}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var asked []PodsOf
			if plan := (&look{}).doTheirPodsFit([]Pool{{Object: "blue", Nodes: test.give}}); plan != nil {
				asked = plan.NeedsFit
			}
			if diff := cmp.Diff(test.want, asked); diff != "" {
				t.Errorf("asked about (-want +got)\n%s", diff)
			}
		})
	}
}

// init adds the stories of pods that have no place but where they are.
func init() {
	maps.Copy(stories, map[string]storyCase{
		"pods-without-a-place-hold-the-first-eviction": {
			ends:  "Ready",
			begin: func(t *testing.T) *story { return newStory(t).running(6) },
			script: []scripted{
				{0, "machineType D8; two pods select what only the old pool has", func(s *story) { setMachine("D8")(s); s.unfit = 2 }},
				{40 * time.Minute, "their owner changes them", unfit(0)},
			},
		},
		"pods-without-a-place-for-good": {
			ends:   "PodsDoNotFit",
			begin:  func(t *testing.T) *story { return newStory(t).running(6) },
			script: []scripted{{0, "machineType D8; two pods select what only the old pool has", func(s *story) { setMachine("D8")(s); s.unfit = 2 }}},
		},
		"pods-lose-their-place-once-the-drain-has-begun": {
			ends:  "Ready",
			begin: func(t *testing.T) *story { return newStory(t).running(6) },
			script: []scripted{
				{0, "machineType D8", setMachine("D8")},
				{6*time.Minute + 10*time.Second, "two pods select what only the old pool has", func(s *story) {
					s.each(func(p *Pool) {
						if !p.DrainStarted.IsZero() {
							s.unfit = 2
						}
					})
				}},
			},
		},
		"pods-without-a-place-and-the-way-back": {
			ends:  "Ready",
			begin: func(t *testing.T) *story { return newStory(t).running(6) },
			script: []scripted{
				{0, "machineType D8; two pods select what only the old pool has", func(s *story) { setMachine("D8")(s); s.unfit = 2 }},
				{40 * time.Minute, "back to D4", setMachine("D4")},
			},
		},
		"a-step-of-a-shift-waits-for-pods-without-a-place": {
			ends:  "Ready",
			begin: eight,
			script: []scripted{
				{0, "machineType D8", setMachine("D8")},
				{8 * time.Minute, "a pod selects what only the old pool has", unfit(1)},
				{40 * time.Minute, "its owner changes it", unfit(0)},
			},
		},
		"pods-without-a-place-and-a-person-who-goes-on-all-the-same": {
			ends: "Ready",
			begin: func(t *testing.T) *story {
				t.Helper()
				s := newStory(t).running(6)
				s.w.Nodepool.Generation = 7
				return s
			},
			script: []scripted{
				{0, "machineType D8; two pods select what only the old pool has", func(s *story) { setMachine("D8")(s); s.unfit = 2 }},
				{40 * time.Minute, "fleetwright.io/skip-fit-check=7", func(s *story) { s.w.Nodepool.SkipFitCheck = true }},
			},
		},
		"deleted-with-pods-that-have-no-place": {
			ends:   "DeletingPool",
			begin:  func(t *testing.T) *story { return newStory(t).running(6) },
			script: []scripted{{0, "deleted; no pod has another place", func(s *story) { s.w.Nodepool.Deleting, s.unfit = true, 6 }}},
		},
	})
}
