package replacement

import (
	"fmt"
	"time"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// isThereRoomForAnotherPool keeps a Nodepool at two pools, and three only
// while one that was superseded half-way is leaving with its pods. A superseded
// pool without pods goes first; one with pods needs the new one to move them
// to; with three pools, all move to the newest before a fourth is made.
func (l *look) isThereRoomForAnotherPool() *Plan {
	if len(l.Pools) < 2 {
		return nil
	}
	for _, p := range l.Pools {
		if p.Deleting {
			return beingDeleted(p, "was superseded and is being deleted before the next one is made")
		}
	}
	if plan := l.doNodesAnswer(); plan != nil {
		return plan
	}
	if len(l.Pools)-l.soaking() < 2 {
		return nil
	}
	last := len(l.Pools) - 1
	newest := l.Pools[last]
	if !newest.Drain.known(nil) && len(newest.Nodes) > 0 {
		return &Plan{
			Verdict: Moving, CheckAgain: soon, NeedsPods: []PodsOf{{Object: newest.Object}},
			Step: string(fleetwrightv1.ReplacementStepDrainingBlue), Reason: fleetwrightv1.ReasonDrainingBlue,
			Message: fmt.Sprintf("the pods on pool %s, which was superseded, are not known yet", newest.Name),
		}
	}
	if len(newest.Nodes) == 0 || newest.Drain.Unused() {
		// Until the next one is made, pods need a pool that takes them.
		if plan := l.reopen(&l.Pools[last-1], "serves on until the next one is made"); plan != nil {
			return plan
		}
		return l.retire([]Pool{newest})
	}
	if len(l.Pools) == 2 {
		return nil
	}
	return l.leaveOnePool()
}

func (l *look) soaking() (n int) {
	for _, p := range l.Pools {
		if p.soaks() {
			n++
		}
	}
	return n
}

// finishTheLast goes on with the change that was under way when the spec was
// changed again, as if nothing had been; otherwise is the plan when it is
// through.
func (l *look) finishTheLast(otherwise *Plan) *Plan {
	last := len(l.Pools) - 1
	newest := l.Pools[last]
	interim := *l
	interim.wanted, interim.outgoing = &newest, l.Pools[:last]
	interim.Nodepool.Spec, interim.Nodepool.RolloutAfter, interim.Nodepool.Soak = newest.Spec, time.Time{}, 0
	interim.Nodepool.Spec.Replicas, interim.Nodepool.Spec.Scaling = l.Nodepool.Spec.Replicas, l.Nodepool.Spec.Scaling
	for _, ask := range []func(*look) *Plan{
		(*look).isTheWantedPoolProvisioned,
		(*look).areInPlaceFieldsAsWanted,
		(*look).doNodesAnswer,
		(*look).doWantedNodesTakePods,
		(*look).areEnoughNodesReady,
		(*look).doPinnedPodsHaveAPlace,
		(*look).areOldPoolsGone,
	} {
		if plan := ask(&interim); plan != nil {
			return plan
		}
	}
	return otherwise
}

// leaveOnePool moves the pods of three pools to the newest, once that is proven
// as any new pool is; while it is not, it has fewer pods than the one before it,
// which was never closed for it.
func (l *look) leaveOnePool() *Plan {
	last := len(l.Pools) - 1
	newest := l.Pools[last]
	interim := *l
	interim.wanted, interim.outgoing = &newest, l.Pools[:last]
	if newest.Spec.Replicas != nil {
		// What the next spec asks for is not asked of this pool.
		interim.Nodepool.Spec.Replicas = newest.Spec.Replicas
	}
	if interim.drainBegan() {
		if plan := interim.doWantedNodesTakePods(); plan != nil {
			return plan
		}
	}
	plan := interim.areEnoughNodesReady()
	switch {
	case plan != nil && interim.drainBegan():
		return plan
	case plan != nil:
		return l.retire([]Pool{newest})
	}
	if plan := interim.doWantedNodesTakePods(); plan != nil {
		return plan
	}
	return l.retire(l.Pools[:last])
}
