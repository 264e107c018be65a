package replacement

import (
	"fmt"
	"slices"
	"time"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/agentpool"
)

// mayItBegin is asked before a pool is made. What has begun, pods having left
// the old pool, goes on whatever the answer would be now.
func (l *look) mayItBegin() *Plan {
	if len(l.Pools) > 0 && !slices.ContainsFunc(l.Pools, func(p Pool) bool { return !p.DrainStarted.IsZero() && !p.soaks() }) {
		for _, ask := range []func(*look) *Plan{(*look).isItAllowed, (*look).isAWindowOpen} {
			if plan := ask(l); plan != nil {
				return plan
			}
		}
	}
	return l.doesAzureHaveIt()
}

func (l *look) isItAllowed() *Plan {
	if l.Nodepool.Strategy != string(fleetwrightv1.ReplacementStrategyInPlaceOnly) {
		return nil
	}
	return &Plan{
		Verdict: Waiting, Reason: fleetwrightv1.ReasonStrategyForbids, CheckAgain: whenIdle,
		Message: fmt.Sprintf("%s needs another pool, which replacement.strategy InPlaceOnly forbids: change the strategy, or put the old value back", l.what()),
	}
}

func (l *look) isAWindowOpen() *Plan {
	if !l.Nodepool.Window.Closed {
		return nil
	}
	plan := &Plan{
		Verdict: Waiting, CheckAgain: whenIdle,
		Step: string(fleetwrightv1.ReplacementStepWaitingForWindow), Reason: fleetwrightv1.ReasonWaitingForWindow,
		Message: fmt.Sprintf("waits to replace pool %s for %s: no maintenance window is ever open", l.Pools[0].Name, l.what()),
	}
	if opens := l.Nodepool.Window.Opens; !opens.IsZero() {
		plan.CheckAgain = min(max(opens.Sub(l.now), soon), whenIdle)
		plan.Message = fmt.Sprintf("waits to replace pool %s for %s: the next maintenance window opens at %s", l.Pools[0].Name, l.what(), opens.UTC().Format(time.RFC3339))
	}
	return plan
}

// mayItsPodsMove asks for a window once more, before the first old node is
// closed: the new pool may have come long after the one it was made in.
func (l *look) mayItsPodsMove() *Plan {
	for _, o := range l.outgoing {
		if !o.Deleting && o.count() > 0 && o.Created.Before(l.wanted.Created) && !l.drainBegan() {
			return l.isAWindowOpen()
		}
	}
	return nil
}

// doSoakingPoolsGiveWay: what soaks is a way back to a spec that is two changes
// old by now.
func (l *look) doSoakingPoolsGiveWay() *Plan {
	for _, p := range l.Pools {
		serves := slices.ContainsFunc(l.Pools, func(o Pool) bool { return o.Object != p.Object && o.ReadyNodes() > 0 })
		if p.soaks() && !p.Deleting && serves {
			return l.retire([]Pool{p})
		}
	}
	return nil
}

func (l *look) doesAzureHaveIt() *Plan {
	if !l.Azure.Asked {
		return &Plan{
			Verdict: Moving, CheckAgain: soon, NeedsAzure: true,
			Step: string(fleetwrightv1.ReplacementStepCreatingGreen), Reason: fleetwrightv1.ReasonCreatingGreen,
			Message: fmt.Sprintf("what Azure has left for a pool for %s is not known yet", l.what()),
		}
	}
	if l.Azure.Refused == "" {
		return nil
	}
	return &Plan{
		Verdict: Stuck, Reason: fleetwrightv1.ReasonSKUNotAvailable, CheckAgain: later,
		Message: fmt.Sprintf("no pool can be made for %s: %s%s", l.what(), l.Azure.Refused, l.oldPoolIsSafe()),
	}
}

// doPinnedPodsHaveAPlace: a pod with a volume in one zone runs in that zone
// only, so the new pool has a ready node there before the old one is closed.
func (l *look) doPinnedPodsHaveAPlace() *Plan {
	for _, o := range l.outgoing {
		if o.Deleting || o.emptied() || l.restsEmpty(o) {
			continue
		}
		if plan := l.isThePictureWhole(o); plan != nil {
			if l.drainBegan() {
				continue
			}
			return l.asRollback(o, plan)
		}
		if len(o.Nodes) == 0 {
			continue
		}
		if !o.Drain.Known {
			plan := draining(o)
			plan.Message = fmt.Sprintf("the pods on pool %s are not known yet", o.Name)
			plan.NeedsPods = []PodsOf{{Object: o.Object}}
			return plan
		}
		for _, zone := range sortedKeys(o.Drain.Pinned) {
			if l.takesPodsIn(zone) {
				continue
			}
			return l.halfWay(&Plan{
				Verdict: Waiting, Reason: fleetwrightv1.ReasonWaitingForCapacity, CheckAgain: later,
				Message: fmt.Sprintf("%s on pool %s cannot leave zone %s because of a volume, and pool %s has no ready node there: add the zone to spec.zones or more nodes, or move the volumes", count(o.Drain.Pinned[zone], "pod"), o.Name, zone, l.wanted.Name),
			})
		}
	}
	return nil
}

func (l *look) takesPodsIn(zone string) bool {
	return slices.ContainsFunc(l.wanted.Nodes, func(n Node) bool { return n.Zone == zone && n.Ready && !n.Cordoned })
}

// disrupts tells what a hold forbids that is not a full stop.
func (l *look) disrupts(a Action) bool {
	switch a.Kind {
	case CordonNodes, EvictPods, DeletePool, DeleteMachines, HoldScaling, MarkEmpty:
		return true
	case ResizePool:
		return !a.Grows
	case UpdatePool:
		return a.Shrinks
	case CreatePool:
		return len(l.outgoing) > 0
	case None, UncordonNodes, MatchSize, AdoptPool, ReleasePool, RemoveFinalizer:
	}
	return false
}

// explain adds how a pool is replaced, or would be, and why.
func (l *look) explain(p *Plan) {
	if l.Nodepool.Deleting || l.serving() == 0 || l.takenOver() {
		return
	}
	if _, replace := agentpool.Split(l.changes); len(replace) == 0 && l.wanted == nil {
		return
	}
	goal, have := l.goal(), int32(0)
	if l.wanted != nil {
		have = l.wanted.size()
	}
	w := l.way(max(goal-have, 0))
	p.Strategy, p.StrategyMessage, p.PeakNodes = w.strategy, w.why, l.clusterNodes()+int(w.step)
	if have >= goal && p.Strategy == string(fleetwrightv1.ReplacementStrategyFullGreen) {
		p.StrategyMessage = "a whole new pool fits"
	}
}
