package drain

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// Decide says what to do next. It is a function of its arguments: the same snapshot, policy and time give the same
// plan, whatever the order of the slices.
//
// It evicts nothing before all nodes are cordoned. Of each budget it picks at most one pod, only if the budget's own
// fresh status allows one and no granted eviction is still uncounted. Pods outside budgets go at most one per
// controller (unless policy says otherwise) and at most Policy.MaxUnbudgeted per plan.
func Decide(s Snapshot, policy Policy, now time.Time) Plan {
	d := newDecision(s.sorted(), policy.withDefaults(), now)
	for _, p := range d.Pods {
		if d.onNodes[p.Node] && p.Node != "" {
			d.place(p)
		}
	}
	d.choose()
	return d.finish()
}

type decision struct {
	Snapshot
	policy   Policy
	now      time.Time
	onNodes  map[string]bool
	budgets  map[string][]Budget
	crews    map[types.UID]crew
	refused  map[types.UID]Refusal
	hold     time.Duration
	lanes    map[string]*lane
	progress map[string]*NodeProgress
	moving   bool
	plan     Plan
}

func newDecision(s Snapshot, policy Policy, now time.Time) *decision {
	d := &decision{
		Snapshot: s, policy: policy, now: now,
		onNodes:  map[string]bool{},
		budgets:  map[string][]Budget{},
		crews:    crews(s, now),
		lanes:    map[string]*lane{},
		progress: map[string]*NodeProgress{},
	}
	d.refused, d.hold = standing(s.Refusals, now)
	for _, n := range s.Nodes {
		d.onNodes[n.Name] = true
		d.progress[n.Name] = &NodeProgress{Name: n.Name, Cordoned: n.Unschedulable || n.Gone}
	}
	for _, b := range s.Budgets {
		d.budgets[b.Namespace] = append(d.budgets[b.Namespace], b)
	}
	return d
}

// place classifies one pod and either counts it, reports it, or puts it into its lane.
func (d *decision) place(p Pod) {
	verdict := Classify(p, d.policy)
	if verdict.Behavior == BehaviorSkip {
		if verdict.Skip == SkipLabel {
			d.plan.Consented = append(d.plan.Consented, p.Key())
		}
		return
	}
	d.plan.Remaining++
	d.progress[p.Node].Remaining++
	switch verdict.Behavior {
	case BehaviorLeaving:
		d.leaving(p)
	case BehaviorWaitCompleted:
		d.block(p, ReasonWaitCompleted, "it carries the label "+LabelDrain+": wait-completed and has not finished")
	case BehaviorUnmanaged:
		d.block(p, ReasonUnmanagedPod, "no controller would bring it back, move or delete it by hand")
	default:
		d.enqueue(p)
	}
}

func (d *decision) leaving(p Pod) {
	d.plan.Leaving++
	d.progress[p.Node].Leaving++
	if d.now.Sub(p.Deadline) <= d.policy.StuckAfter {
		d.moving = true
		return
	}
	reason, message := ReasonStuckTerminating, "it should have ended at "+p.Deadline.UTC().Format(time.RFC3339)
	switch {
	case len(p.Finalizers) > 0:
		reason, message = ReasonFinalizer, message+" and is kept by finalizer "+strings.Join(p.Finalizers, ", ")
	case d.nodeLost(p.Node):
		reason, message = ReasonNodeLost, message+" and its node "+p.Node+" does not answer"
	}
	b := d.block(p, reason, message)
	b.Since = p.Deadline
}

func (d *decision) nodeLost(name string) bool {
	return slices.ContainsFunc(d.Nodes, func(n Node) bool { return n.Name == name && (n.Gone || !n.Ready) })
}

func (d *decision) enqueue(p Pod) {
	if r, ok := d.refused[p.UID]; ok {
		d.plan.Blockers = append(d.plan.Blockers, r.blocker(p))
		return
	}
	covering := budgetsOf(p, d.budgets)
	if len(covering) > 1 {
		b := d.block(p, ReasonMultipleBudgets, multipleSentence(covering))
		b.Budget = covering[0].Key()
		return
	}
	l := d.laneOf(p, covering)
	if l.needsNothing(p) {
		l.free = append(l.free, p)
	} else {
		l.gated = append(l.gated, p)
	}
}

func (d *decision) laneOf(p Pod, covering []Budget) *lane {
	l := &lane{key: "pod " + p.Key().String()}
	if len(covering) == 1 {
		l = &lane{key: "budget " + covering[0].Key(), budget: &covering[0]}
	} else if c, ok := d.crews[p.Controller.UID]; ok && d.policy.WaitFor != WaitForEviction {
		l = &lane{key: "controller " + string(p.Controller.UID), crew: &c, owner: OwnerName(p)}
	}
	if known, ok := d.lanes[l.key]; ok {
		return known
	}
	d.lanes[l.key] = l
	return l
}

// choose fills the plan from the lanes, the longest chain first.
func (d *decision) choose() {
	if d.uncordoned() {
		d.moving = true
		return
	}
	if d.hold > 0 {
		return
	}
	lanes := make([]*lane, 0, len(d.lanes))
	for _, l := range d.lanes {
		lanes = append(lanes, l)
	}
	slices.SortFunc(lanes, func(a, b *lane) int {
		return cmp.Or(cmp.Compare(b.chain(), a.chain()), strings.Compare(a.key, b.key))
	})
	room := d.policy.MaxUnbudgeted
	for _, l := range lanes {
		room -= d.open(l, room)
	}
	for _, l := range lanes {
		for _, p := range l.free[:min(room, len(l.free))] {
			d.evict(p, l, freeReason(p, l))
			room--
		}
	}
}

// open lets the first gated pod of a lane go if the lane permits it, and returns how much of the round it used.
func (d *decision) open(l *lane, room int) int {
	if len(l.gated) == 0 {
		return 0
	}
	first := l.gated[0]
	switch {
	case l.budget != nil && l.budget.inFlight(d.now):
		d.moving = true
	case l.budget != nil && !l.budget.allows():
		d.blockLane(l, l.budget.reason(d.now), l.budget.sentence(l.ready(), d.now), l.budget.BlockedSince)
	case l.budget != nil:
		d.evict(first, l, l.budget.sentence(l.ready(), d.now))
	case !l.crew.complete(d.now, d.policy.ReplacementTimeout):
		d.blockLane(l, ReasonReplacementNotReady, l.crew.sentence(l.owner), l.crew.youngest)
	case room > 0:
		d.evict(first, l, l.crew.why(l.owner, d.policy.ReplacementTimeout))
		return 1
	}
	return 0
}

func (d *decision) uncordoned() bool {
	return slices.ContainsFunc(d.Nodes, func(n Node) bool { return !d.progress[n.Name].Cordoned })
}

func (d *decision) evict(p Pod, l *lane, why string) {
	e := Eviction{Pod: p.Key(), UID: p.UID, Node: p.Node, Owner: OwnerName(p), Why: why}
	if l.budget != nil {
		e.Budget = l.budget.Key()
	}
	if p.LocalData {
		e.Why += "; its emptyDir data is lost"
	}
	d.plan.Evict = append(d.plan.Evict, e)
}

func (d *decision) block(p Pod, reason Reason, message string) *Blocker {
	d.plan.Blockers = append(d.plan.Blockers, Blocker{
		Pod: p.Key(), Node: p.Node, Reason: reason, Message: message, Owner: OwnerName(p), Pods: 1,
	})
	return &d.plan.Blockers[len(d.plan.Blockers)-1]
}

func (d *decision) blockLane(l *lane, reason Reason, message string, since time.Time) {
	b := d.block(l.gated[0], reason, message)
	b.Pods, b.Since = len(l.gated), since
	if l.budget != nil {
		b.Budget = l.budget.Key()
	}
}

func multipleSentence(budgets []Budget) string {
	names := make([]string, 0, len(budgets))
	for _, b := range budgets {
		names = append(names, b.Key())
	}
	return "PodDisruptionBudgets " + strings.Join(names, " and ") + " both cover it, which the eviction API refuses"
}
