package replacement

import (
	"fmt"
	"slices"
	"time"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// areEnoughNodesReady holds the first eviction back until the wanted pool has
// proven itself: as many nodes as promised, of the wanted version by their own
// kubelets' word, Ready for minReady. Once the old pool is being drained, one
// ready node is enough to go on.
func (l *look) areEnoughNodesReady() *Plan {
	p := l.wanted
	need := l.promise()
	proven := l.drainBegan() && l.oldNodesClosed()
	if proven {
		need = min(need, 1)
	}
	settled, wait, older := p.settledNodes(p.Spec.Version, l.Nodepool.MinReady, l.now)
	if settled >= need {
		return nil
	}
	if more := l.goal() - p.size(); l.growsNow() && !l.shifting() && l.way(more).step == 0 {
		return l.noRoom(l.way(more), fmt.Sprintf("give pool %s %s", p.Name, count(int(more), "more node")))
	}
	if l.deferred != nil && (len(l.outgoing) == 0 || l.deferred.Wish == nil && wait == 0) {
		// Nodes that Azure refused, or was not asked for yet, are not awaited.
		return l.deferred
	}
	if len(l.outgoing) == 0 && wait == 0 && older == "" && l.servedBefore() {
		return &Plan{
			Verdict: Waiting, Reason: fleetwrightv1.ReasonTooFewReadyNodes, CheckAgain: later,
			Message: fmt.Sprintf("%d of %s of pool %s are ready", settled, count(need, "node"), p.Name),
		}
	}
	return l.waitForNodes(settled, need, wait, older, proven)
}

// waitForNodes is the wait for the wanted pool's nodes, of which one is older
// than it is said to be, if older is not empty.
func (l *look) waitForNodes(settled, need int, wait time.Duration, older string, proven bool) *Plan {
	p := l.wanted
	plan := &Plan{
		Verdict: Moving, CheckAgain: orDefault(wait, soon),
		Step: string(fleetwrightv1.ReplacementStepWaitingForGreen), Reason: fleetwrightv1.ReasonWaitingForGreen,
		Message: fmt.Sprintf("%d of %s of pool %s are ready for %s", settled, count(need, "node"), p.Name, l.Nodepool.MinReady),
	}
	if older != "" {
		plan.Reason, plan.CheckAgain = fleetwrightv1.ReasonNodesOlderThanReported, later
		plan.Message += fmt.Sprintf("; Azure reports %s but %s", p.Spec.Version, older)
	}
	if l.timedOut(p) && wait == 0 && !proven && (len(l.outgoing) > 0 || len(p.Nodes) == 0) {
		plan.Verdict, plan.Reason, plan.CheckAgain = Stuck, fleetwrightv1.ReasonProvisioningTimedOut, later
		plan.Message += fmt.Sprintf("; that took longer than %s%s", l.Nodepool.ProvisionTimeout, l.oldPoolIsSafe())
	}
	return plan
}

// servedBefore is true for a pool of which nothing is on its way that could be
// waited for: some nodes of it have failed, or were taken away.
func (l *look) servedBefore() bool {
	p := l.wanted
	coming := p.Operation != "" || p.Members > len(p.Nodes) || p.Unlisted > 0
	return l.timedOut(p) && len(p.Nodes) > 0 && !coming
}

// promise is how many nodes the wanted pool must have ready before the old one
// is touched: what the spec says, or as many as serve now. A number nobody
// fixed is not asked of a pool that aims at less: it grows with its pods. A
// shift in stages asks for what the pool has so far.
func (l *look) promise() int {
	otherwise := int32(1)
	if r := l.wanted.Spec.Replicas; r != nil {
		otherwise = *r
	}
	need := wantedSize(l.Nodepool.Spec, l.before(), otherwise)
	size := max(l.wanted.size(), 1)
	switch autoscaled := l.wanted.Spec.Scaling != nil && l.Nodepool.Spec.Replicas == nil; {
	case l.shifting() && l.drainBegan():
		// One more than stand in already moves the shift on; a node that fails does
		// not halt it.
		need = min(size, l.goneOld()+1)
	case l.shifting(), autoscaled && !l.growsNow(), l.takenOver() && l.Nodepool.Spec.Replicas == nil:
		need = min(need, size)
	}
	if l.goesBack() {
		// What a person closed meanwhile is theirs to open.
		for _, n := range l.wanted.Nodes {
			if n.Cordoned && !n.CordonedByUs && need > 1 {
				need--
			}
		}
	}
	return int(need)
}

// goesBack is true when an older pool is wanted again.
func (l *look) goesBack() bool {
	return len(l.outgoing) > 0 && l.outgoing[len(l.outgoing)-1].Created.After(l.wanted.Created)
}

// goneOld is how many old nodes were taken away already.
func (l *look) goneOld() int32 {
	var left int32
	for _, o := range l.outgoing {
		left += int32(min(o.count(), maxPoolNodes))
	}
	return max(l.before()-left, 0)
}

// oldNodesClosed is true when all nodes that leave were closed for the wanted
// pool: it was proven then.
func (l *look) oldNodesClosed() bool {
	for _, o := range l.outgoing {
		if !o.Deleting && slices.ContainsFunc(o.Nodes, func(n Node) bool { return !n.Cordoned }) {
			return false
		}
	}
	return true
}

// drainBegan is true once the wanted pool was proven and an old pool began to
// drain into it. A drain that began for an earlier green proves nothing of
// this one.
func (l *look) drainBegan() bool {
	for _, o := range l.outgoing {
		if o.DrainStarted.After(l.wanted.Created) {
			return true
		}
	}
	return false
}
