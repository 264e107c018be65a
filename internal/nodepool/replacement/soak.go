package replacement

import (
	"fmt"
	"time"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// restsEmpty is true for a pool that was emptied and closed and is only waited
// for: its pods are read again before anything is done to it.
func (l *look) restsEmpty(p Pool) bool {
	cordoned := l.Nodepool.SoakCordoned || p.Spec.Mode == string(fleetwrightv1.NodepoolModeSystem)
	return cordoned && p.soaks() && l.wanted != nil && !l.Nodepool.Deleting && l.now.Before(p.EmptySince.Add(l.Nodepool.Soak))
}

// soak keeps an emptied old pool for a while, so that the way back is short.
// One that was superseded, or is taken back, is not kept.
func (l *look) soak(p Pool) *Plan {
	if l.Nodepool.Soak <= 0 || l.Nodepool.Deleting || l.wanted == nil || p.Created.After(l.wanted.Created) || p.Incomplete {
		return nil
	}
	plan := &Plan{
		Verdict: Moving, CheckAgain: soon,
		Step: string(fleetwrightv1.ReplacementStepSoaking), Reason: fleetwrightv1.ReasonSoaking,
	}
	if p.EmptySince.IsZero() {
		plan.Message = fmt.Sprintf("pool %s is empty and is kept for %s from now on", p.Name, l.Nodepool.Soak)
		plan.Action = Action{Kind: MarkEmpty, Object: p.Object, Pool: p.Name}
		return plan
	}
	until := p.EmptySince.Add(l.Nodepool.Soak)
	if !l.now.Before(until) {
		return nil
	}
	plan.Verdict, plan.CheckAgain = Waiting, min(until.Sub(l.now), whenIdle)
	plan.Message = fmt.Sprintf("pool %s is empty and kept until %s: put the old spec back before then, and it serves again", p.Name, until.UTC().Format(time.RFC3339))
	if l.Nodepool.SoakCordoned || p.Spec.Mode == string(fleetwrightv1.NodepoolModeSystem) || p.emptied() {
		return plan
	}
	if l.slot(Waiting, RankFinish, fmt.Sprintf("scale pool %s to zero", p.Name)) != nil {
		plan.CheckAgain = nextTurn
		return plan
	}
	plan.Verdict, plan.CheckAgain = Moving, soon
	plan.Message = fmt.Sprintf("scales pool %s, which is empty, to zero and keeps it until %s", p.Name, until.UTC().Format(time.RFC3339))
	plan.Action = Action{Kind: ResizePool, Object: p.Object, Pool: p.Name}
	return plan
}
