package nodepool

import (
	"cmp"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/drain"
)

const (
	// settleEvery is how often debt is written while something is in the way.
	settleEvery = time.Minute
	// unseenAfter is how long nobody may have looked, or the time between is
	// nobody's debt: the drain was on hold, the operator away, or the cluster not
	// to be reached.
	unseenAfter = 5 * time.Minute
	// maxDebts is the API's bound.
	maxDebts = 20
)

// debtor is whose debt it is, and for what.
type debtor struct{ namespace, owner, budget, reason string }

func debtorOf(b drain.Blocker) debtor {
	return debtor{
		namespace: b.Pod.Namespace, owner: clip(cmp.Or(b.Owner, "Pod/"+b.Pod.Name), maxOwner),
		budget: budgetName(b), reason: string(b.Reason),
	}
}

func debtorIn(d fleetwrightv1.WorkloadDebt) debtor {
	return debtor{d.Namespace, d.Owner, d.Budget, d.Reason}
}

func debtorAmong(b fleetwrightv1.DrainBlocker) debtor {
	return debtor{b.Namespace, cmp.Or(b.Owner, "Pod/"+b.Pod), b.Budget, b.Reason}
}

// nobodys are reasons for which a drain waits and that no workload can help: a
// node that is not closed yet or does not answer, rights that we lack, an API
// server that is down.
var nobodys = []drain.Reason{drain.ReasonNotCordoned, drain.ReasonNodeLost, drain.ReasonForbidden, drain.ReasonUnreachable}

func owesFor(reason string) bool { return !slices.Contains(nobodys, drain.Reason(reason)) }

// settleDebt counts how long workloads have held up drains, from what was told of
// it last and from what is in the way now. What passes within blockedAfter is no
// debt; what does not is debt from its beginning. Of what was in the way at the
// last settlement, time counts from there, so that none counts twice. It returns
// what it was given until there is something to write.
func settleDebt(before fleetwrightv1.DrainDebt, blockers []drain.Blocker, now time.Time) fleetwrightv1.DrainDebt {
	now = now.Truncate(time.Second)
	standing, some := inTheWay(blockers, now)
	ended := slices.ContainsFunc(before.Workloads, func(d fleetwrightv1.WorkloadDebt) bool {
		return !d.SinceTime.IsZero() && standing[debtorIn(d)] == nil
	})
	passed := now.Sub(before.SettledTime.Time)
	seen := !before.SettledTime.IsZero() && passed >= 0 && passed <= unseenAfter
	if !ended && (!some || seen && passed < settleEvery) {
		return before
	}
	after := fleetwrightv1.DrainDebt{SettledTime: metav1.NewTime(now)}
	for _, d := range before.Workloads {
		o := standing[debtorIn(d)]
		delete(standing, debtorIn(d))
		switch {
		case o != nil:
			d = o.stands(d, before.SettledTime.Time, seen, now)
		case !d.SinceTime.IsZero():
			d = leaves(d, passed, seen)
		}
		if ptr.Deref(d.Seconds, 0) > 0 || o != nil {
			after.Workloads = append(after.Workloads, d)
		}
	}
	for who, o := range standing {
		d := fleetwrightv1.WorkloadDebt{Namespace: who.namespace, Owner: who.owner, Budget: who.budget, Reason: who.reason}
		after.Workloads = append(after.Workloads, o.stands(d, before.SettledTime.Time, seen, now))
	}
	after.Workloads = worstDebts(after.Workloads)
	return after
}

// obstacle is what one debtor has in the way now.
type obstacle struct {
	// oldest is its longest standing blocker, pods how many wait in all.
	oldest drain.Blocker
	pods   int
}

// inTheWay are the obstacles that are stuck; some is true when there are any that
// may become so.
func inTheWay(blockers []drain.Blocker, now time.Time) (stuck map[debtor]*obstacle, some bool) {
	stuck = map[debtor]*obstacle{}
	for _, b := range blockers {
		if b.Pod.Name == "" || !owesFor(string(b.Reason)) {
			continue
		}
		some = true
		if !b.Stuck(now, blockedAfter) {
			continue
		}
		if b.Since.IsZero() || b.Since.After(now) {
			b.Since = now
		}
		o := stuck[debtorOf(b)]
		if o == nil {
			o = &obstacle{oldest: b}
			stuck[debtorOf(b)] = o
		}
		if b.Since.Before(o.oldest.Since) {
			o.oldest = b
		}
		o.pods += max(b.Pods, 1)
	}
	return stuck, some
}

// stands adds what the obstacle has cost since the last settlement, or from its
// beginning if it was not stuck then. Nothing is known, and nothing added, of one
// that was not in the way then although it is older, or when that was long ago.
func (o *obstacle) stands(d fleetwrightv1.WorkloadDebt, settled time.Time, seen bool, now time.Time) fleetwrightv1.WorkloadDebt {
	from := o.oldest.Since
	switch begun := from.After(settled) || !o.oldest.Stuck(settled, blockedAfter); {
	case !seen, !begun && d.SinceTime.IsZero():
		from = now
	case !begun:
		from = settled
	}
	d.Seconds = new(ptr.Deref(d.Seconds, 0) + wholeSeconds(now.Sub(from)))
	d.LastTime, d.SinceTime = metav1.NewTime(now), metav1.NewTime(o.oldest.Since.Truncate(time.Second))
	d.Pods = *count32(o.pods)
	return d
}

// leaves ends the debt of a workload that is no longer in the way. It went some
// time after the last settlement, the most between two of which is counted.
func leaves(d fleetwrightv1.WorkloadDebt, passed time.Duration, seen bool) fleetwrightv1.WorkloadDebt {
	if seen {
		last := min(passed, settleEvery)
		d.Seconds = new(ptr.Deref(d.Seconds, 0) + wholeSeconds(last))
		d.LastTime = metav1.NewTime(d.LastTime.Add(last))
	}
	d.SinceTime, d.Pods = metav1.Time{}, 0
	return d
}

func wholeSeconds(d time.Duration) int64 { return int64(d / time.Second) }

// worstDebts keeps to the API's bound. Who stands in the way now is kept first:
// a workload that begins to has no debt yet.
func worstDebts(debts []fleetwrightv1.WorkloadDebt) []fleetwrightv1.WorkloadDebt {
	gone := func(d fleetwrightv1.WorkloadDebt) int {
		if d.SinceTime.IsZero() {
			return 1
		}
		return 0
	}
	slices.SortFunc(debts, func(a, b fleetwrightv1.WorkloadDebt) int {
		return cmp.Or(
			gone(a)-gone(b), cmp.Compare(*b.Seconds, *a.Seconds), b.LastTime.Compare(a.LastTime.Time),
			strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Owner, b.Owner), strings.Compare(a.Budget, b.Budget), strings.Compare(a.Reason, b.Reason),
		)
	})
	return debts[:min(len(debts), maxDebts)]
}

// blockers are all that is in the way of pods that are to leave now. What is known of
// pools that nothing is evicted from, because of a pause or because they are still
// open, holds nothing up.
func (o *observation) blockers() []drain.Blocker {
	var all []drain.Blocker
	for _, object := range climbs(o) {
		all = append(all, o.drains[object].Blockers...)
	}
	return all
}

// budgetName is the name of the blocker's budget, which is in the pod's namespace.
func budgetName(b drain.Blocker) string {
	return clip(strings.TrimPrefix(b.Budget, b.Pod.Namespace+"/"), maxBudget)
}
