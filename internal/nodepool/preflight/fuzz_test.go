package preflight

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"

	"github.com/fleetwright/fleetwright/drain"
)

// FuzzLook looks at odd clusters: it never panics, keeps to its bounds, and does not depend on the order of lists.
func FuzzLook(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(seed, "shop")
	}
	f.Add(uint64(1), "\xff\n\x00/ü")
	f.Fuzz(func(t *testing.T, seed uint64, odd string) {
		w := oddWorld{Rand: rand.New(rand.NewPCG(seed, 1)), odd: odd}
		snapshot, policy := w.snapshot(), drain.Policy{WaitFor: drain.WaitFor(w.of("", "Eviction", odd)), Unmanaged: drain.Unmanaged(w.of("", "Evict"))}
		got := Look(snapshot, policy, noon)
		checkBounds(t, got)
		w.shuffle(&snapshot)
		if diff := cmp.Diff(got, Look(snapshot, policy, noon), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("another order gives another report (-first +second):\n%s", diff)
		}
	})
}

func checkBounds(t *testing.T, r Report) {
	t.Helper()
	for name, list := range map[string][2]int{
		"Budgets": {len(r.Budgets.Items), r.Budgets.Total}, "Overlaps": {len(r.Overlaps.Items), r.Overlaps.Total},
		"Waits": {len(r.Waits.Items), r.Waits.Total}, "Singletons": {len(r.Singletons.Items), r.Singletons.Total},
		"Unmanaged": {len(r.Unmanaged.Items), r.Unmanaged.Total}, "Pinned": {len(r.Pinned.Items), r.Pinned.Total},
		"Selectors": {len(r.Selectors.Items), r.Selectors.Total}, "Unbounded": {len(r.Estimate.Unbounded), r.WithoutEnd},
	} {
		if list[0] != min(MaxListed, list[1]) {
			t.Errorf("%s lists %d of %d", name, list[0], list[1])
		}
	}
	if r.Estimate.Low < 0 || r.Estimate.High < r.Estimate.Low {
		t.Errorf("Estimate = %+v", r.Estimate)
	}
	if r.PodsStaying < 0 || r.LocalData > r.PodsToMove || r.NotSafeToEvict > r.PodsToMove || r.BudgetsNever > r.Budgets.Total {
		t.Errorf("counts do not add up: %+v", r)
	}
	warnings := r.Warnings()
	if len(warnings) > MaxWarnings {
		t.Errorf("%d warnings", len(warnings))
	}
	for _, w := range append(warnings, r.Summary()) {
		if w == "" || len(w) > MaxWarningLength || !utf8.ValidString(w) {
			t.Errorf("warning of %d bytes: %q", len(w), w)
		}
	}
}

// oddWorld makes snapshots of objects that are rarely seen, with few distinct names so that they meet.
type oddWorld struct {
	*rand.Rand
	odd string
}

func (w oddWorld) of(choices ...string) string { return choices[w.IntN(len(choices))] }

func (w oddWorld) name() string { return w.of("a", "b", "c", "", w.odd) }

func (w oddWorld) number() int32 {
	return []int32{0, 1, 2, 3, -1, math.MaxInt32, math.MinInt32}[w.IntN(7)]
}

func (w oddWorld) snapshot() Snapshot {
	var s Snapshot
	for _, node := range []string{"old-1", "old-2", w.odd}[:1+w.IntN(3)] {
		s.Drain.Nodes = append(s.Drain.Nodes, drain.Node{Name: node, Gone: w.IntN(3) == 0, Ready: w.IntN(2) == 0})
	}
	for i := range w.IntN(120) {
		p := w.pod(i)
		s.Drain.Pods = append(s.Drain.Pods, p)
		s.Facts = append(s.Facts, w.facts(p))
	}
	for i := range w.IntN(4) {
		s.Drain.Budgets = append(s.Drain.Budgets, w.budget(string(rune('a'+i))))
		s.Claims = append(s.Claims, Claim{Namespace: "shop", Name: string(rune('a' + i)), Volume: w.name(), SingleNode: w.IntN(2) == 0})
		s.Volumes = append(s.Volumes, Volume{Name: string(rune('a' + i)), Local: w.IntN(4) == 0, Zones: []string{"", "eu-1", w.odd}[:w.IntN(4)]})
		s.Deployments = append(s.Deployments, Deployment{Namespace: "shop", Name: string(rune('a' + i)), Desired: w.number()})
		s.Drain.Owners = append(s.Drain.Owners, drain.Owner{UID: types.UID(rune('a' + i)), Desired: w.number()})
	}
	return s
}

func (w oddWorld) pod(i int) drain.Pod {
	p := drain.Pod{
		Namespace: w.of("shop", w.odd), Name: w.of("a", "b", w.odd), UID: types.UID(rune('0' + i)), Node: w.of("old-1", "old-2", "new-1", w.odd),
		Labels: map[string]string{"app": w.name(), "pod-template-hash": w.of("", "5d4f"), drain.LabelDrain: w.of("", "", "", "skip", "wait-completed")},
		Phase:  corev1.PodPhase(w.of("Running", "Running", "Pending", "Failed", w.odd)), Ready: w.IntN(3) > 0, LocalData: w.IntN(2) == 0, Mirror: w.IntN(9) == 0,
	}
	if w.IntN(5) > 0 {
		name := w.name()
		p.Controller = drain.Controller{Group: "apps", Kind: w.of("ReplicaSet", "StatefulSet", "DaemonSet", "Job", w.odd), Name: name + w.of("", "-5d4f"), UID: types.UID(name)}
		p.Controller.Missing = w.IntN(9) == 0
	}
	if w.IntN(6) == 0 {
		p.Deadline = noon.Add(time.Duration(w.IntN(3)-1) * time.Hour)
	}
	return p
}

func (w oddWorld) facts(p drain.Pod) PodFacts {
	f := PodFacts{Pod: p.Key(), UID: p.UID, Grace: []time.Duration{0, 30 * time.Second, math.MaxInt64, math.MinInt64}[w.IntN(4)], NotSafeToEvict: w.IntN(2) == 0}
	for range w.IntN(3) {
		f.Claims = append(f.Claims, w.name())
		f.Selectors = append(f.Selectors, Selector{
			Use: SelectorUse(w.of("NodeSelector", "TopologySpread", w.odd)), Label: w.of("agentpool", w.odd), Values: []string{"blue", w.odd}[:w.IntN(3)],
			Strict: w.IntN(3) == 0, Avoids: w.IntN(3) == 0,
		})
	}
	return f
}

func (w oddWorld) budget(name string) drain.Budget {
	b := drain.Budget{
		Namespace: "shop", Name: name, Allowed: w.number(), Healthy: w.number(), Desired: w.number(), Expected: w.number(),
		Generation: int64(w.IntN(2)), SyncFailure: w.of("", "", w.odd), BlockedSince: noon.Add(-time.Duration(w.IntN(3)) * time.Minute),
	}
	switch w.IntN(4) {
	case 0:
	case 1:
		b.Selector = labels.Everything()
	default:
		b.Selector = labels.SelectorFromSet(labels.Set{"app": w.name()})
	}
	return b
}

func (w oddWorld) shuffle(s *Snapshot) {
	swap(w, s.Drain.Nodes)
	swap(w, s.Drain.Pods)
	swap(w, s.Drain.Budgets)
	swap(w, s.Drain.Owners)
	swap(w, s.Facts)
	swap(w, s.Deployments)
	swap(w, s.Claims)
	swap(w, s.Volumes)
}

func swap[T any](w oddWorld, items []T) {
	w.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
}
