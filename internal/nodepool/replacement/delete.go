package replacement

import (
	"fmt"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// deletion is the short list of questions for a Nodepool that is going away.
func (l *look) deletion() *Plan {
	for _, ask := range []func(*look) *Plan{
		(*look).mayWeWrite,
		(*look).isItProtected,
		(*look).isAnyPoolLeft,
		(*look).arePoolsToBeRetained,
		(*look).doesTheClusterLiveOn,
		(*look).doNodesBelongWhereTheySay,
		(*look).doNodesAnswer,
	} {
		if plan := ask(l); plan != nil {
			return plan
		}
	}
	return inDeletionWords(l.retire(l.Pools))
}

func (l *look) isItProtected() *Plan {
	if l.Nodepool.DeletionPolicy != string(fleetwrightv1.DeletionPolicyProtect) {
		return nil
	}
	return &Plan{
		Verdict: Waiting, Reason: fleetwrightv1.ReasonDeletionProtected, CheckAgain: whenIdle,
		Message: "deletionPolicy is Protect, so nothing is drained or deleted: set spec.deletionPolicy to Delete or Retain to go on",
	}
}

// arePoolsToBeRetained lets the pools go as they serve: what we closed is opened
// first, or it would stay closed for good.
func (l *look) arePoolsToBeRetained() *Plan {
	if l.Nodepool.DeletionPolicy != string(fleetwrightv1.DeletionPolicyRetain) {
		return nil
	}
	p := &l.Pools[0]
	if l.Cluster.Found && !l.Cluster.Deleting && l.Cluster.Provisioned && !p.Deleting {
		if plan := l.doNodesAnswer(); plan != nil {
			return plan
		}
		if plan := l.reopen(p, "is let go of"); plan != nil {
			plan.Reason = fleetwrightv1.ReasonRetaining
			return plan
		}
		if plan := l.giveBackBounds(p); plan != nil {
			return plan
		}
	}
	return &Plan{
		Verdict: Moving, Reason: fleetwrightv1.ReasonRetaining, CheckAgain: soon,
		Message: fmt.Sprintf("lets go of pool %s (MachinePool %s), which serves on", p.Name, p.Object),
		Action:  Action{Kind: ReleasePool, Object: p.Object, Pool: p.Name},
	}
}

// giveBackBounds takes back what kept the autoscaler from making a pool larger,
// or smaller.
func (l *look) giveBackBounds(p *Pool) *Plan {
	back := p.Carried
	if b := l.Nodepool.Spec.Scaling; back == nil && b != nil && p.Spec.Scaling != nil && p.Spec.Scaling.Max == b.Max && p.Spec.Scaling.Min > b.Min {
		back = b // it was not to shrink before it had taken over
	}
	if back == nil {
		return nil
	}
	if plan := l.slot(Waiting, RankInPlace, "give the autoscaler of pool "+p.Name+" its bounds back"); plan != nil {
		return plan
	}
	spec, bounds := p.Spec, *back
	bounds.Min = min(bounds.Min, int32(min(p.count(), maxPoolNodes))) // AKS takes bounds only of a pool that is within them
	spec.Replicas, spec.Scaling = nil, &bounds
	return &Plan{
		Verdict: Moving, Reason: fleetwrightv1.ReasonRetaining, CheckAgain: soon,
		Message: fmt.Sprintf("gives the autoscaler of pool %s its bounds %d..%d back", p.Name, bounds.Min, bounds.Max),
		Action:  Action{Kind: UpdatePool, Object: p.Object, Pool: p.Name, Spec: spec, Grows: true},
	}
}

func (l *look) isAnyPoolLeft() *Plan {
	if len(l.Pools) > 0 {
		return nil
	}
	return &Plan{
		Verdict: Moving, Reason: fleetwrightv1.ReasonDeletingPool,
		Message: "no pool is left",
		Action:  Action{Kind: RemoveFinalizer},
	}
}

// doesTheClusterLiveOn: pools of a cluster that goes away, or never came up,
// are deleted without a drain, for there is nowhere to go. A Cluster or control
// plane that is merely not to be found proves neither: it may have been
// restored without status, moved, or let go of by hand while AKS runs on.
func (l *look) doesTheClusterLiveOn() *Plan {
	if l.Cluster.Found && !l.Cluster.Deleting && l.Cluster.Provisioned {
		return nil
	}
	for _, p := range l.Pools {
		if p.Deleting {
			continue
		}
		if !l.Cluster.Deleting && (!l.Cluster.Found || p.Provisioned || p.Members > 0) {
			return &Plan{
				Verdict: Stuck, Reason: fleetwrightv1.ReasonClusterNotFound, CheckAgain: later,
				Message: fmt.Sprintf("the control plane of Cluster %q is not to be found and pool %s may serve on in Azure, so it is not deleted undrained: bring the Cluster back, or delete MachinePool %s yourself", l.Cluster.Name, p.Name, p.Object),
			}
		}
		return &Plan{
			Verdict: Moving, Reason: fleetwrightv1.ReasonDeletingPool, CheckAgain: soon,
			Message: fmt.Sprintf("deletes pool %s without a drain: the cluster is not in service", p.Name),
			Action:  Action{Kind: DeletePool, Object: p.Object, Pool: p.Name, UID: p.UID},
		}
	}
	return &Plan{
		Verdict: Moving, Reason: fleetwrightv1.ReasonWaitingForAzure, CheckAgain: later,
		Message: fmt.Sprintf("%s being deleted by Azure", count(len(l.Pools), "pool")),
	}
}

// inDeletionWords says the same steps in the reasons of condition Deleting.
func inDeletionWords(plan *Plan) *Plan {
	switch plan.Reason {
	case fleetwrightv1.ReasonCordoningBlue, fleetwrightv1.ReasonDrainingBlue:
		plan.Reason = fleetwrightv1.ReasonDraining
	case fleetwrightv1.ReasonDeletingBlue:
		plan.Reason = fleetwrightv1.ReasonDeletingPool
		if plan.Action.Kind != DeletePool {
			plan.Reason = fleetwrightv1.ReasonWaitingForAzure
		}
	}
	return plan
}
