package replacement

import (
	"fmt"
	"slices"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/agentpool"
)

// retire takes pools out of service: all nodes cordoned before the first
// eviction, so that pods do not hop from old to old; then drained; then
// deleted one at a time, and never one that still runs pods, because AKS
// deletes a pool without a drain. Nil means that none is left.
func (l *look) retire(pools []Pool) *Plan {
	if plan := l.mayTheyLeave(pools); plan != nil {
		return plan
	}
	if plan := l.doTheirPodsFit(pools); plan != nil {
		return plan
	}
	var quarantined *Plan
	stays := map[string]bool{}
	for _, ask := range []func(Pool) *Plan{l.keepFromShrinking, l.keepFromGrowing, l.cordon, l.drain, l.soak, l.remove} {
		for _, p := range pools {
			if p.Deleting || stays[p.Object] {
				continue
			}
			plan := ask(p)
			if isQuarantined(plan) {
				stays[p.Object], quarantined = true, plan
				continue // the others go on
			}
			if plan != nil {
				return l.asRollback(p, plan)
			}
		}
	}
	for _, p := range pools {
		if p.Deleting {
			return l.asRollback(p, beingDeleted(p, "is being deleted by Azure"))
		}
	}
	return quarantined
}

// beingDeleted is the wait for a pool that Azure removes; a refusal is told.
func beingDeleted(p Pool, state string) *Plan {
	plan := &Plan{
		Verdict: Moving, CheckAgain: soon,
		Step: string(fleetwrightv1.ReplacementStepDeletingBlue), Reason: fleetwrightv1.ReasonDeletingBlue,
		Message: fmt.Sprintf("pool %s %s", p.Name, state),
	}
	if p.Failure != "" {
		plan.CheckAgain = later
		plan.Message = fmt.Sprintf("pool %s cannot be deleted: %s", p.Name, p.Failure)
	}
	return plan
}

// mayTheyLeave is asked before the first node is closed: what cannot be deleted
// in the end is not emptied either.
func (l *look) mayTheyLeave(pools []Pool) *Plan {
	for _, p := range pools {
		switch {
		case p.Deleting:
			continue
		case !l.Cluster.Provisioned:
			// Its nodes were not read, and what was not seen is not empty.
			return &Plan{
				Verdict: Waiting, Reason: fleetwrightv1.ReasonWaitingForCluster, CheckAgain: later,
				Message: fmt.Sprintf("waits for the control plane of %s to see the nodes of pool %s", l.Cluster.Name, p.Name),
			}
		case p.Spec.Mode == string(fleetwrightv1.NodepoolModeSystem) && !l.systemPoolReadyBut(pools):
			return &Plan{
				Verdict: Waiting, Reason: fleetwrightv1.ReasonLastSystemPool, CheckAgain: later,
				Message: fmt.Sprintf("pool %s is the cluster's last System pool with ready nodes: it stays until another one is ready", p.Name),
			}
		}
	}
	return nil
}

// keepFromGrowing lowers the autoscaler's upper bound to what the pool has: on a
// pool that leaves, it would add nodes for the very pods that have to go. Where
// the slot is taken, the drain goes on without it.
func (l *look) keepFromGrowing(p Pool) *Plan {
	if p.Spec.Scaling == nil || !p.Provisioned || p.Drain.known(nil) && p.Drain.Empty() {
		return nil
	}
	have := max(int32(min(p.count(), maxPoolNodes)), 1)
	bounds := agentpool.Scaling{Min: min(p.Spec.Scaling.Min, have), Max: have}
	if l.shifting() {
		// It shrinks node by node from now on.
		if bounds.Min = 0; p.Spec.Mode == string(fleetwrightv1.NodepoolModeSystem) {
			bounds.Min = 1
		}
	}
	if p.Spec.Scaling.Max <= bounds.Max && p.Spec.Scaling.Min <= bounds.Min {
		return nil
	}
	if l.slot(Waiting, RankFinish, "") != nil {
		return nil
	}
	return &Plan{
		Verdict: Moving, CheckAgain: soon,
		Step: string(fleetwrightv1.ReplacementStepCordoningBlue), Reason: fleetwrightv1.ReasonCordoningBlue,
		Message: fmt.Sprintf("keeps the autoscaler from adding nodes to pool %s, which leaves", p.Name),
		Action:  Action{Kind: HoldScaling, Object: p.Object, Pool: p.Name, Spec: agentpool.Spec{Scaling: &bounds}},
	}
}

// keepFromShrinking takes a smaller number back that Azure has not carried out:
// CAPZ asks for it again until Azure does, and Azure would take nodes whose pods
// have not left.
func (l *look) keepFromShrinking(p Pool) *Plan {
	have := int32(min(len(p.Nodes), maxPoolNodes))
	if p.Spec.Scaling != nil || !p.Provisioned || p.emptied() || p.size() >= have || p.Failure == "" && p.Operation == "" {
		return nil
	}
	purpose := fmt.Sprintf("keep Azure from taking nodes of pool %s, which leaves and is drained first", p.Name)
	if plan := l.slot(Moving, RankFinish, purpose); plan != nil {
		return plan
	}
	return &Plan{
		Verdict: Moving, CheckAgain: soon,
		Step: string(fleetwrightv1.ReplacementStepCordoningBlue), Reason: fleetwrightv1.ReasonCordoningBlue,
		Message: fmt.Sprintf("keeps Azure from taking nodes of pool %s, which leaves and is drained first: %d -> %s", p.Name, p.size(), count(int(have), "node")),
		Action:  Action{Kind: ResizePool, Object: p.Object, Pool: p.Name, Replicas: have, Grows: true},
	}
}

func (l *look) cordon(p Pool) *Plan {
	var open []Node
	for _, n := range p.Nodes {
		if !n.Cordoned {
			open = append(open, n)
		}
	}
	if len(open) == 0 {
		return nil
	}
	return &Plan{
		Verdict: Moving, CheckAgain: soon,
		Step: string(fleetwrightv1.ReplacementStepCordoningBlue), Reason: fleetwrightv1.ReasonCordoningBlue,
		Message: fmt.Sprintf("closes %s of pool %s for new pods", count(len(open), "node"), p.Name),
		Action:  Action{Kind: CordonNodes, Object: p.Object, Pool: p.Name, Nodes: open},
	}
}

func draining(p Pool) *Plan {
	return &Plan{
		Verdict: Moving, CheckAgain: orDefault(p.Drain.CheckAgain, soon),
		Step: string(fleetwrightv1.ReplacementStepDrainingBlue), Reason: fleetwrightv1.ReasonDrainingBlue,
	}
}

// isThePictureWhole: nodes that are listed and not seen, or seen and not listed,
// make it incomplete, and an incomplete one never means "empty".
func (l *look) isThePictureWhole(p Pool) *Plan {
	if len(p.Nodes) == p.Members && p.Unlisted == 0 {
		return nil
	}
	plan := draining(p)
	plan.Message = fmt.Sprintf("pool %s has %s by Azure and %d in the cluster: waits until they agree", p.Name, count(p.Members, "node"), len(p.Nodes)+p.Unlisted)
	refused := p.Failure != "" && p.Operation == "" && l.stands(&p)
	switch {
	case !refused && !l.timedOut(&p):
	case p.Members > len(p.Nodes)+p.Unlisted:
		plan.Message += fmt.Sprintf("; should its other machines never become nodes, delete them in Azure, or MachinePool %s yourself", p.Object)
	default:
		plan.Message += fmt.Sprintf("; should Azure never list the others, drain them and delete MachinePool %s yourself", p.Object)
	}
	if refused {
		// CAPZ does not list the machines of a pool that Azure calls failed.
		plan.Verdict, plan.Step, plan.Reason, plan.CheckAgain = Stuck, "", fleetwrightv1.ReasonProvisioningFailed, later
		plan.Message += "; Azure says: " + p.Failure
	}
	return plan
}

func (l *look) drain(p Pool) *Plan {
	if p.emptied() && (p.count() == 0 || p.Operation != "") || l.restsEmpty(p) {
		return nil
	}
	if plan := l.isThePictureWhole(p); plan != nil {
		return plan
	}
	plan := draining(p)
	switch {
	case len(p.Nodes) == 0:
		return nil
	case !p.Drain.known(nil):
		plan.Message = fmt.Sprintf("the pods on pool %s are not known yet", p.Name)
		plan.NeedsPods = []PodsOf{{Object: p.Object}}
		return plan
	case p.Drain.Empty():
		return nil
	}
	if waits := l.quarantined(p); waits != nil {
		return waits
	}
	plan.Message = fmt.Sprintf("pool %s: %s", p.Name, p.Drain.Summary)
	plan.Action = Action{Kind: EvictPods, Object: p.Object, Pool: p.Name, Nodes: p.Nodes}
	return plan
}

func (l *look) remove(p Pool) *Plan {
	if plan := l.slot(Moving, RankFinish, "delete pool "+p.Name); plan != nil {
		return plan
	}
	return &Plan{
		Verdict: Moving, CheckAgain: soon,
		Step: string(fleetwrightv1.ReplacementStepDeletingBlue), Reason: fleetwrightv1.ReasonDeletingBlue,
		Message: fmt.Sprintf("deletes pool %s, which is empty%s", p.Name, p.Drain.Staying),
		Action:  Action{Kind: DeletePool, Object: p.Object, Pool: p.Name, UID: p.UID},
	}
}

// asRollback renames the step when the pool that leaves is newer than the one
// that stays.
func (l *look) asRollback(p Pool, plan *Plan) *Plan {
	if l.wanted != nil && p.Created.After(l.wanted.Created) && plan.Verdict == Moving {
		plan.Step, plan.Reason = string(fleetwrightv1.ReplacementStepRollingBack), fleetwrightv1.ReasonRollingBack
		plan.Message = fmt.Sprintf("back to pool %s: %s", l.wanted.Name, plan.Message)
	}
	return plan
}

// systemPoolReadyBut is AKS' rule that a System pool must remain, read strictly:
// one with a ready node, beside all those that leave.
func (l *look) systemPoolReadyBut(leaving []Pool) bool {
	for _, p := range l.Pools {
		leaves := slices.ContainsFunc(leaving, func(o Pool) bool { return o.Object == p.Object })
		if !leaves && !p.Deleting && p.Provisioned && p.Spec.Mode == string(fleetwrightv1.NodepoolModeSystem) && p.ReadyNodes() > 0 {
			return true
		}
	}
	for _, n := range l.Others {
		if !n.Deleting && n.Mode == string(fleetwrightv1.NodepoolModeSystem) && n.ReadyNodes > 0 {
			return true
		}
	}
	return false
}
