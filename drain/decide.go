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
// It evicts nothing before all nodes are cordoned, and of each node only pods of the lowest order that is left there. Of
// each budget it picks at most one pod, only if the budget's own fresh status allows one and no granted eviction is still
// uncounted. Pods outside budgets go at most one per controller (unless policy says otherwise) and at most
// Policy.MaxUnbudgeted per plan. Pods on nodes that were given up are not evicted, but what is in their way is named.
func Decide(s Snapshot, policy Policy, now time.Time) Plan {
	return newDecision(s.sorted(), policy.withDefaults(), now).decide()
}

type decision struct {
	Snapshot
	policy  Policy
	now     time.Time
	nodes   map[string]Node
	budgets map[string][]Budget
	crews   map[types.UID]crew
	refused map[types.UID]Refusal
	hold    hold
	// waiting are the pods that would be evicted now if the API server had not asked to wait.
	waiting  []candidate
	lanes    map[string]*lane
	progress map[string]*NodeProgress
	moving   bool
	blockers []*Blocker
	plan     Plan
	// leftOn counts the pods that are left on each node where the snapshot has only a part of them; nil if it has all.
	leftOn map[string]int
}

func newDecision(s Snapshot, policy Policy, now time.Time) *decision {
	d := &decision{
		Snapshot: s, policy: policy, now: now,
		nodes:    map[string]Node{},
		budgets:  map[string][]Budget{},
		crews:    crews(s, now),
		lanes:    map[string]*lane{},
		progress: map[string]*NodeProgress{},
	}
	d.refused, d.hold = standing(s.Refusals, now)
	for _, n := range s.Nodes {
		d.nodes[n.Name] = n
		d.progress[n.Name] = &NodeProgress{Name: n.Name, Cordoned: n.Unschedulable || n.Gone, Quarantined: n.Quarantined}
	}
	for _, b := range s.Budgets {
		d.budgets[b.Namespace] = append(d.budgets[b.Namespace], b)
	}
	return d
}

func (d *decision) decide() Plan {
	pods := d.mustGo()
	lowest := lowestOrders(pods)
	for _, c := range pods {
		d.place(c, c.verdict.Order > lowest[c.Node])
	}
	d.choose()
	return d.finish()
}

// mustGo classifies the pods on the nodes, counts those that keep their node from being empty and returns them.
func (d *decision) mustGo() []candidate {
	pods := make([]candidate, 0, len(d.Pods))
	for _, p := range d.Pods {
		progress := d.progress[p.Node]
		if progress == nil || p.Node == "" {
			continue
		}
		verdict := Classify(p, d.policy, d.now)
		if verdict.Behavior == BehaviorSkip {
			if verdict.Skip.consents() {
				d.plan.Consented = append(d.plan.Consented, p.Key())
			}
			continue
		}
		d.plan.Remaining++
		progress.Remaining++
		if verdict.Behavior == BehaviorLeaving {
			d.plan.Leaving++
			progress.Leaving++
		}
		pods = append(pods, candidate{Pod: p, verdict: verdict, givenUp: progress.Quarantined})
	}
	return pods
}

// place reports one pod or puts it into its lane. A pod that its order holds back is in nobody's way; pods that are never
// evicted are named all the same, since they can be helped at any time.
func (d *decision) place(c candidate, held bool) {
	switch c.verdict.Behavior {
	case BehaviorLeaving:
		d.leaving(c)
	case BehaviorWaitCompleted:
		d.block([]candidate{c}, ReasonWaitCompleted, waitSentence(c.verdict), time.Time{})
	case BehaviorDoNotDisrupt:
		d.block([]candidate{c}, ReasonDoNotDisrupt, quietSentence(c.verdict.Until), time.Time{})
	case BehaviorUnmanaged:
		d.blockUnmanaged(c, held)
	default:
		d.enqueue(c, held)
	}
}

func (d *decision) enqueue(c candidate, held bool) {
	covering := budgetsOf(c.Pod, d.budgets)
	if !held {
		if d.returns(c.Pod) {
			d.block([]candidate{c}, ReasonReturnsToNode, returnsSentence, time.Time{})
			return
		}
		if r, ok := d.refused[c.UID]; ok {
			d.blockRefused(c, r)
			return
		}
		if len(covering) > 1 {
			d.blockMultiple(c, covering)
			return
		}
	}
	d.laneOf(c.Pod, covering).add(c, held)
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
	lanes := make([]*lane, 0, len(d.lanes))
	for _, l := range d.lanes {
		l.chain = l.rounds()
		lanes = append(lanes, l)
	}
	slices.SortFunc(lanes, func(a, b *lane) int {
		return cmp.Or(cmp.Compare(b.chain, a.chain), strings.Compare(a.key, b.key))
	})
	room := d.policy.MaxUnbudgeted
	for _, l := range lanes {
		room -= d.open(l, room)
	}
	for _, l := range lanes {
		free := turns(l.free, d.left)
		for _, c := range free[:min(room, len(free))] {
			d.evict(c, l, freeReason(c.Pod, l))
			room--
		}
	}
	if len(d.waiting) > 0 {
		d.blockThrottled()
	}
}

// left counts the pods that must still leave the node.
func (d *decision) left(node string) int {
	if d.leftOn != nil {
		return d.leftOn[node]
	}
	return d.progress[node].Remaining
}

// open lets the gated pod of a lane go whose turn it is, if the lane permits it, and returns how much of the round it used.
func (d *decision) open(l *lane, room int) int {
	if len(l.gated) == 0 {
		return 0
	}
	first, may := l.first(d.left)
	switch {
	case l.budget != nil && l.budget.inFlight(d.now):
		d.moving = true
	case l.budget != nil && !l.budget.allows():
		d.blockBudget(l)
	case l.budget != nil && may:
		d.evict(first, l, l.budget.sentence(l.ready(), d.now))
	case l.crew != nil && !l.crew.complete(d.now, d.policy.ReplacementTimeout):
		d.blockCrew(l)
	case may && room > 0:
		d.evict(first, l, l.crew.why(l.owner, d.policy.ReplacementTimeout))
		return 1
	}
	return 0
}

func (d *decision) uncordoned() bool {
	return slices.ContainsFunc(d.Nodes, func(n Node) bool { return !d.progress[n.Name].Cordoned })
}

func (d *decision) evict(c candidate, l *lane, why string) {
	if d.hold.left > 0 {
		d.waiting = append(d.waiting, c)
		return
	}
	e := Eviction{
		Pod: c.Key(), UID: c.UID, Node: c.Node, Owner: OwnerName(c.Pod), Why: why + quietNote(c.Pod),
		chain: l.chain, free: l.needsNothing(c.Pod), known: d.known(c, time.Time{}),
	}
	if l.budget != nil {
		e.Budget = l.budget.Key()
	}
	if c.LocalData {
		e.Why += "; its emptyDir data is lost"
	}
	d.plan.Evict = append(d.plan.Evict, e)
}
