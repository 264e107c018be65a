package replacement

import (
	"fmt"
	"maps"
	"slices"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// shift is one step of a replacement in stages: as many old nodes are emptied
// and taken away as new ones are ready beyond those that stand in already.
// Old nodes whose turn has not come stay open, since new pods need a place;
// the emptier new nodes are where the scheduler puts them.
func (l *look) shift() *Plan {
	if plan := l.mayTheyLeave(l.outgoing); plan != nil {
		return plan
	}
	for _, p := range l.outgoing {
		if p.Deleting {
			continue
		}
		if p.count() == 0 {
			return l.retire([]Pool{p})
		}
		plan := l.shiftFrom(p)
		plan.Strategy = string(fleetwrightv1.ReplacementStrategyStagedShift)
		return l.asRollback(p, plan)
	}
	return nil
}

func (l *look) shiftFrom(p Pool) *Plan {
	for _, ask := range []func(Pool) *Plan{l.doesTheBatchFit, l.keepFromShrinking, l.keepFromGrowing, l.isThePictureWhole, l.doesTheSizeMatch} {
		if plan := ask(p); plan != nil {
			return plan
		}
	}
	batch, open := l.batch(p)
	switch {
	case len(batch)+p.givenUp() == len(p.Nodes):
		// All that is left goes at once, with its pool: AKS keeps a System pool's
		// last machine.
		return l.retire([]Pool{p})
	case len(open) > 0:
		return &Plan{
			Verdict: Moving, CheckAgain: soon,
			Step: string(fleetwrightv1.ReplacementStepCordoningBlue), Reason: fleetwrightv1.ReasonCordoningBlue,
			Message: fmt.Sprintf("closes %d of %s of pool %s for new pods, as many as are ready on pool %s", len(open), count(len(p.Nodes), "node"), p.Name, l.wanted.Name),
			Action:  Action{Kind: CordonNodes, Object: p.Object, Pool: p.Name, Nodes: open},
		}
	case len(batch) == 0:
		return l.noStep(p)
	}
	return l.shiftBatch(p, batch)
}

// batch are the nodes whose turn it is, and those of them that still are to be
// closed.
func (l *look) batch(p Pool) (batch, open []Node) {
	settled, _, _ := l.wanted.settledNodes(l.wanted.Spec.Version, l.Nodepool.MinReady, l.now)
	return l.batchFor(p, settled)
}

// batchFor is the same with that many new nodes.
func (l *look) batchFor(p Pool, settled int) (batch, open []Node) {
	old, all := int32(0), l.wanted.size()
	for _, o := range l.outgoing {
		if !o.Deleting { // those serve nobody
			old += int32(min(o.count(), maxPoolNodes))
		}
	}
	// Where the number of before was lost, the fixed one stands in for it.
	before := max(l.before(), min(l.goal(), old+all))
	may := settled - int(max(before-old, 0))
	for _, o := range l.outgoing {
		may -= o.givenUp()
	}
	for _, ours := range []bool{true, false} {
		// A node that a person closed leaves like the others, and stays theirs.
		for _, n := range p.Nodes {
			if n.Cordoned && !n.Quarantined && n.CordonedByUs == ours && (ours || may > 0) {
				batch = append(batch, n)
				may--
			}
		}
	}
	for _, n := range p.Nodes {
		if may > 0 && !n.Cordoned && !n.Quarantined {
			batch, open = append(batch, n), append(open, n)
			may--
		}
	}
	return batch, open
}

func (l *look) shiftBatch(p Pool, batch []Node) *Plan {
	names := namesOf(batch)
	plan := draining(p)
	switch {
	case !p.Drain.known(names):
		plan.Message = fmt.Sprintf("the pods on %s of pool %s are not known yet", count(len(batch), "node"), p.Name)
		plan.NeedsPods = []PodsOf{{Object: p.Object, Nodes: names}}
		return plan
	case !p.Drain.Empty():
		plan.Message = fmt.Sprintf("pool %s, %d of %s: %s", p.Name, len(batch), count(len(p.Nodes), "node"), p.Drain.Summary)
		plan.Action = Action{Kind: EvictPods, Object: p.Object, Pool: p.Name, Nodes: batch}
		return plan
	}
	if wait := l.slot(Moving, RankFinish, fmt.Sprintf("take %s from pool %s", count(len(batch), "empty node"), p.Name)); wait != nil {
		return wait
	}
	return &Plan{
		Verdict: Moving, CheckAgain: soon,
		Step: string(fleetwrightv1.ReplacementStepDrainingBlue), Reason: fleetwrightv1.ReasonDrainingBlue,
		Message: fmt.Sprintf("takes %s from pool %s, which leaves %d%s", count(len(batch), "empty node"), p.Name, len(p.Nodes)-len(batch), p.Drain.Staying),
		Action:  Action{Kind: DeleteMachines, Object: p.Object, Pool: p.Name, Nodes: batch},
	}
}

// doesTheSizeMatch takes over what Azure counts after machines were taken away;
// until then the pool would be filled up again. A machine that is missing and
// still counted is none of ours: nothing is written for it.
func (l *look) doesTheSizeMatch(p Pool) *Plan {
	if p.Spec.Scaling != nil || int(p.size()) <= p.count() || p.Operation != "" || p.Failure != "" {
		return nil
	}
	plan := &Plan{
		Verdict: Moving, CheckAgain: later,
		Step: string(fleetwrightv1.ReplacementStepDrainingBlue), Reason: fleetwrightv1.ReasonDrainingBlue,
		Message: fmt.Sprintf("waits for Azure to say how many nodes pool %s has", p.Name),
	}
	switch {
	case !p.Counted.Asked:
		plan.NeedsCount = []string{p.Object}
		return plan
	case !p.Counted.Known:
		return plan
	case p.Counted.Nodes == p.size():
		return nil
	}
	if wait := l.slot(Moving, RankFinish, fmt.Sprintf("write down the size of pool %s", p.Name)); wait != nil {
		return wait
	}
	return &Plan{
		Verdict: Moving, CheckAgain: soon,
		Step: string(fleetwrightv1.ReplacementStepDrainingBlue), Reason: fleetwrightv1.ReasonDrainingBlue,
		Message: fmt.Sprintf("writes down that %s of pool %s are left", count(int(p.Counted.Nodes), "node"), p.Name),
		Action:  Action{Kind: MatchSize, Object: p.Object, Pool: p.Name},
	}
}

// noStep says what the next step waits for.
func (l *look) noStep(p Pool) *Plan {
	w := l.way(l.goal() - l.wanted.size())
	settled, wait, _ := l.wanted.settledNodes(l.wanted.Spec.Version, l.Nodepool.MinReady, l.now)
	if settled < int(l.wanted.size()) {
		return &Plan{
			Verdict: Moving, CheckAgain: orDefault(wait, soon),
			Step: string(fleetwrightv1.ReplacementStepWaitingForGreen), Reason: fleetwrightv1.ReasonWaitingForGreen,
			Message: fmt.Sprintf("%d of %s of pool %s are ready for %s, %d of pool %s are left", settled, count(int(l.wanted.size()), "node"), l.wanted.Name, l.Nodepool.MinReady, p.count(), p.Name),
		}
	}
	if op := l.busy(); op != nil {
		return l.waitForSlot(*op, Moving, RankGrow, fmt.Sprintf("give pool %s more nodes", l.wanted.Name))
	}
	return l.noRoom(w, fmt.Sprintf("give pool %s more nodes", l.wanted.Name))
}

func sortedKeys(m map[string]int) []string { return slices.Sorted(maps.Keys(m)) }
