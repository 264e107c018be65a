// Package preflight tells what emptying nodes would meet, before the first eviction: budgets that let nothing go,
// workloads with a short outage, pods that cannot start elsewhere, the zones their volumes need, and how long it takes.
//
// [Observe] reads, [Look] judges without client or clock. What happens to a pod is the drain engine's own answer: Look
// asks drain.Classify and drain.Decide, as if the nodes were already cordoned, and adds what the engine does not need.
//
// Only pods on the named nodes are looked at. A workload that has none there, such as a CronJob between two runs or a
// Deployment scaled to zero, is not seen, whatever its template says.
package preflight

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/fleetwright/fleetwright/drain"
	"github.com/fleetwright/fleetwright/internal/nodepool/fit"
)

// MaxListed bounds every list of a Report; Capped.Total says how many there are.
const MaxListed = 50

// Capped is the head of a list, the worst first.
type Capped[T any] struct {
	// Items are at most MaxListed.
	Items []T
	// Total counts what was found, listed or not.
	Total int
}

// Workload is whoever brings a pod back, as its user knows it. A pod without controller is its own workload, with Kind
// "Pod".
type Workload struct {
	Namespace string
	Kind      string
	Name      string
}

// String returns "Deployment shop/cart".
func (w Workload) String() string { return w.Kind + " " + w.Namespace + "/" + w.Name }

// Report is what would happen to the pods of the nodes. The same snapshot, policy and time give the same report.
type Report struct {
	// Nodes counts the nodes to empty.
	Nodes int
	// PodsToMove must leave the nodes, including those that already terminate; the drain engine's Remaining.
	PodsToMove int
	// PodsStaying do not keep a node from being empty. Staying counts them by the engine's reason.
	PodsStaying int
	Staying     map[drain.SkipReason]int

	// Budgets allow no eviction now; BudgetsNever counts those that never do.
	Budgets      Capped[BlockedBudget]
	BudgetsNever int
	// Overlaps are pods that more than one budget covers, which the eviction API refuses.
	Overlaps Capped[Overlap]
	// Waits are what else the drain engine would wait for.
	Waits Capped[Wait]
	// Singletons have a short outage when their only pod moves, and no budget that would have said so.
	Singletons Capped[Singleton]
	// Unmanaged pods have no controller to bring them back.
	Unmanaged Capped[UnmanagedPod]
	// Pinned are volumes that tie a pod to one zone or one node; VolumesLocal counts the latter.
	Pinned       Capped[PinnedVolume]
	VolumesLocal int
	// ZonesNeeded is the number of pods to move by the zone their volumes pin them to: each zone needs room in new nodes
	// before its pods are evicted. The key "" stands for nodes outside of zones. Compare with ZoneOf of the new nodes.
	ZonesNeeded map[string]int
	// Selectors are uses of labels that the next generation of the pool will not have; SelectorsStrict counts those that
	// keep pods from starting there.
	Selectors       Capped[BoundSelector]
	SelectorsStrict int

	// Fit is where the pods would go; nil while that is not known.
	Fit *fit.Report

	// LocalData counts the pods to move that have an emptyDir volume, whose content is lost.
	LocalData int
	// NotSafeToEvict counts the pods to move that ask the cluster autoscaler, which the drain engine is not, to leave
	// them alone.
	NotSafeToEvict int

	// Estimate is how long the drain takes. Its Unbounded holds at most MaxListed names; WithoutEnd counts them all.
	Estimate   Range
	WithoutEnd int
	// Longest is the chain that takes longest among those with an end; the zero value if there is none.
	Longest Chain
}

// Look tells what draining the snapshot's nodes under the policy would meet.
func Look(s Snapshot, policy drain.Policy, now time.Time) Report {
	l := newLook(s, policy, now)
	r := Report{
		Nodes: len(l.plan.Nodes), PodsToMove: l.plan.Remaining, PodsStaying: len(l.pods) - l.plan.Remaining,
		Staying:    l.staying(),
		Overlaps:   capped(l.overlaps()),
		Waits:      capped(l.waits()),
		Singletons: capped(l.singletons()),
		Unmanaged:  capped(l.unmanaged()),
	}
	budgets, pinned, selectors := l.blockedBudgets(), l.pinnedVolumes(), l.boundSelectors()
	r.Budgets, r.BudgetsNever = capped(budgets), len(filter(budgets, BlockedBudget.never))
	r.Pinned, r.VolumesLocal, r.ZonesNeeded = capped(pinned), len(filter(pinned, PinnedVolume.local)), zonesNeeded(pinned)
	r.Selectors, r.SelectorsStrict = capped(selectors), len(filter(selectors, BoundSelector.strict))
	for _, p := range l.pods {
		if p.stays() {
			continue
		}
		if p.LocalData {
			r.LocalData++
		}
		if p.facts.NotSafeToEvict {
			r.NotSafeToEvict++
		}
	}
	chains := l.chains()
	r.Estimate, r.Longest = Estimate(chains, r.PodsToMove), longest(chains)
	r.WithoutEnd = len(r.Estimate.Unbounded)
	r.Estimate.Unbounded = r.Estimate.Unbounded[:min(MaxListed, r.WithoutEnd)]
	return r
}

// look is the snapshot, with everything known about one pod in one place.
type look struct {
	Snapshot
	policy drain.Policy
	now    time.Time
	// plan is the drain engine's first round as if all nodes were cordoned: before that it names no other obstacle.
	plan drain.Plan
	// pods are those on the nodes, each once, sorted by namespace and name.
	pods []pod
}

// pod is a pod on one of the nodes.
type pod struct {
	drain.Pod
	verdict  drain.Verdict
	facts    PodFacts
	workload Workload
	// budgets are the keys of those that cover it.
	budgets []string
}

func (p pod) stays() bool { return p.verdict.Behavior == drain.BehaviorSkip }

func newLook(s Snapshot, policy drain.Policy, now time.Time) *look {
	s.Drain.Nodes = slices.Clone(s.Drain.Nodes)
	onNodes := map[string]bool{}
	for i := range s.Drain.Nodes {
		s.Drain.Nodes[i].Unschedulable = true
		onNodes[s.Drain.Nodes[i].Name] = true
	}
	facts := map[podKey]PodFacts{}
	for _, f := range s.Facts {
		facts[podKey{f.Pod, f.UID}] = f
	}
	l := &look{Snapshot: s, policy: policy, now: now, plan: drain.Decide(s.Drain, unordered(policy), now)}
	for _, p := range s.Drain.Pods {
		if p.Node == "" || !onNodes[p.Node] {
			continue
		}
		l.pods = append(l.pods, pod{
			Pod: p, verdict: drain.Classify(p, policy, now), facts: facts[podKey{p.Key(), p.UID}], workload: workloadOf(p),
			budgets: covering(p, s.Drain.Budgets),
		})
	}
	slices.SortFunc(l.pods, comparePods)
	l.pods = slices.CompactFunc(l.pods, func(a, b pod) bool { return comparePods(a, b) == 0 })
	return l
}

// unordered is the policy without orders on a node: what waits for its turn there is looked at as well.
func unordered(policy drain.Policy) drain.Policy {
	policy.Rules = slices.Clone(policy.Rules)
	for i := range policy.Rules {
		policy.Rules[i].Order = 0
	}
	return policy
}

type podKey struct {
	types.NamespacedName
	types.UID
}

func comparePods(a, b pod) int {
	return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name), cmp.Compare(a.UID, b.UID))
}

func workloadOf(p drain.Pod) Workload {
	kind, name, owned := strings.Cut(drain.OwnerName(p), "/")
	if !owned {
		kind, name = "Pod", p.Name
	}
	return Workload{Namespace: p.Namespace, Kind: kind, Name: name}
}

func compareWorkloads(a, b Workload) int {
	return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
}

func (l *look) staying() map[drain.SkipReason]int {
	reasons := map[drain.SkipReason]int{}
	for _, p := range l.pods {
		if p.stays() {
			reasons[p.verdict.Skip]++
		}
	}
	return reasons
}

func capped[T any](items []T) Capped[T] {
	return Capped[T]{Items: items[:min(MaxListed, len(items))], Total: len(items)}
}

func filter[T any](items []T, keep func(T) bool) []T {
	var kept []T
	for _, item := range items {
		if keep(item) {
			kept = append(kept, item)
		}
	}
	return kept
}

// sortedValues returns the map's values, sorted.
func sortedValues[K comparable, V any](m map[K]V, compare func(a, b V) int) []V {
	return slices.SortedFunc(maps.Values(m), compare)
}
