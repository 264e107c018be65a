package replacement

import (
	"cmp"
	"fmt"
	"time"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/agentpool"
)

func (l *look) mayWeWrite() *Plan {
	if h := l.Nodepool.Hold; h.Reason != "" && !h.NonDisruptive {
		return &Plan{Verdict: Held, Reason: h.Reason, Message: h.Message}
	}
	return nil
}

func (l *look) isTheClusterThere() *Plan {
	switch {
	case !l.Cluster.Found:
		return &Plan{
			Verdict: Stuck, Reason: fleetwrightv1.ReasonClusterNotFound, CheckAgain: later,
			Message: fmt.Sprintf("there is no Cluster %q in this namespace: create it, or delete this Nodepool", l.Cluster.Name),
		}
	case l.Cluster.Deleting:
		return &Plan{
			Verdict: Waiting, Reason: fleetwrightv1.ReasonWaitingForCluster,
			Message: fmt.Sprintf("Cluster %s is being deleted and its pools go with it", l.Cluster.Name),
		}
	}
	return nil
}

func (l *look) isTheRequestPossible() *Plan {
	if l.Nodepool.Invalid != "" {
		return &Plan{Verdict: Stuck, Reason: cmp.Or(l.Nodepool.InvalidReason, fleetwrightv1.ReasonInvalidSpec), Message: l.Nodepool.Invalid}
	}
	return nil
}

// doNodesBelongWhereTheySay stops everything when a node's provider id, its
// label and the provider's list of the pool disagree. Nodes were once matched
// by the tail of their provider id, and most of a production cluster was
// deleted.
func (l *look) doNodesBelongWhereTheySay() *Plan {
	for _, p := range l.Pools {
		if p.IdentityConflict != "" {
			return &Plan{
				Verdict: Stuck, Reason: fleetwrightv1.ReasonIdentityConflict, CheckAgain: later,
				Message: fmt.Sprintf("pool %s: %s; nothing is drained or deleted until they agree", p.Name, p.IdentityConflict),
			}
		}
	}
	return nil
}

func (l *look) isTheWantedPoolProvisioned() *Plan {
	p := l.wanted
	if p.Provisioned {
		return nil
	}
	if plan := l.doesTheOldPoolServeEnough(); plan != nil {
		return plan
	}
	if inPlace, _ := agentpool.Split(agentpool.Changes(l.held(), p.Spec)); len(inPlace) > 0 && p.Operation == "" && (p.Failure != "" || l.timedOut(p)) {
		// Fewer nodes may be what there is quota for.
		return l.changeInPlace(inPlace)
	}
	plan := &Plan{
		Verdict: Moving, CheckAgain: later,
		Step: string(fleetwrightv1.ReplacementStepCreatingGreen), Reason: fleetwrightv1.ReasonCreatingGreen,
		Message: fmt.Sprintf("pool %s is being created since %s", p.Name, clock(p.ProvisionStarted)),
	}
	switch {
	case p.Failure != "" && l.stands(p):
		plan.Verdict, plan.Reason = Stuck, fleetwrightv1.ReasonProvisioningFailed
		plan.Message = fmt.Sprintf("pool %s cannot be created: %s%s", p.Name, p.Failure, l.oldPoolIsSafe())
	case l.timedOut(p):
		plan.Verdict, plan.Reason = Stuck, fleetwrightv1.ReasonProvisioningTimedOut
		plan.Message = fmt.Sprintf("pool %s was not created within %s%s", p.Name, l.Nodepool.ProvisionTimeout, l.oldPoolIsSafe())
	case p.Failure != "":
		plan.CheckAgain = failureGrace
		plan.Message += ", so far without success: " + p.Failure
	case !l.Cluster.Provisioned:
		plan.Message = fmt.Sprintf("pool %s is created together with the control plane of %s, since %s", p.Name, l.Cluster.Name, clock(p.ProvisionStarted))
	}
	return plan
}

// failureGrace is how long a failure must have been said before a person is
// called: CAPZ writes passing ones (a throttled request, a machine it cannot see
// yet) down in the same way, and tries again after 20 seconds.
const failureGrace = time.Minute

func (l *look) stands(p *Pool) bool { return l.now.Sub(p.FailureSince) >= failureGrace }

func (l *look) timedOut(p *Pool) bool {
	asked := p.ProvisionStarted
	if p.Updated.After(asked) {
		asked = p.Updated // more nodes of a pool that was made long ago
	}
	for _, o := range l.outgoing {
		if o.ProvisionStarted.After(asked) {
			asked = o.ProvisionStarted // it is wanted again since that one was made
		}
	}
	return l.Nodepool.ProvisionTimeout > 0 && l.now.Sub(asked) > l.Nodepool.ProvisionTimeout
}

func (l *look) oldPoolIsSafe() string {
	if serves := l.oldPoolServes(); serves != "" {
		return serves + ": change the spec, or put the old one back"
	}
	return "; change the spec to try another pool"
}

func (l *look) oldPoolServes() string {
	for _, o := range l.outgoing {
		if !o.Deleting && o.DrainStarted.IsZero() {
			return fmt.Sprintf("; pool %s serves on, untouched", o.Name)
		}
	}
	return ""
}

// doesTheOldPoolServeEnough: while Azure refuses the new pool, more nodes that
// somebody asks for come from the old one.
func (l *look) doesTheOldPoolServeEnough() *Plan {
	want := l.Nodepool.Spec.Replicas
	if want == nil || l.wanted.size() >= *want || l.wanted.Failure == "" || l.wanted.Operation != "" || len(l.outgoing) == 0 {
		return nil
	}
	old := l.outgoing[len(l.outgoing)-1]
	if old.Deleting || !old.Provisioned || !old.DrainStarted.IsZero() || old.Spec.Replicas == nil || *old.Spec.Replicas >= *want {
		return nil
	}
	if plan := l.slot(Waiting, RankGrow, fmt.Sprintf("give pool %s %s", old.Name, count(int(*want), "node"))); plan != nil {
		return plan
	}
	return &Plan{
		Verdict: Moving, CheckAgain: soon,
		Step: string(fleetwrightv1.ReplacementStepUpdatingInPlace), Reason: fleetwrightv1.ReasonUpdatingInPlace,
		Message: fmt.Sprintf("gives pool %s %s, since pool %s cannot be made: %s", old.Name, count(int(*want), "node"), l.wanted.Name, l.wanted.Failure),
		Action:  Action{Kind: ResizePool, Object: old.Object, Pool: old.Name, Replicas: *want, Grows: true},
	}
}

func (l *look) doNodesAnswer() *Plan {
	if l.Nodepool.BrokenRule != "" {
		return &Plan{Verdict: Stuck, Reason: fleetwrightv1.ReasonInvalidDrainRule, CheckAgain: later, Message: l.Nodepool.BrokenRule}
	}
	if l.Cluster.Unreachable == "" {
		return nil
	}
	return &Plan{
		Verdict: Waiting, Reason: fleetwrightv1.ReasonConnectionDown, CheckAgain: later,
		Message: fmt.Sprintf("the API server of %s does not answer, so nothing is drained or deleted: %s", l.Cluster.Name, l.Cluster.Unreachable),
	}
}

// doWantedNodesTakePods takes back the cordon of a pool that was on its way
// out and is wanted again.
func (l *look) doWantedNodesTakePods() *Plan {
	return l.reopen(l.wanted, "is wanted again")
}

// reopen takes our cordon and our marks off a pool's nodes. A node that somebody
// opened before us loses the mark too, or a person's own cordon would one day
// be taken for ours.
func (l *look) reopen(p *Pool, why string) *Plan {
	var closed []Node
	for _, n := range p.Nodes {
		if n.CordonedByUs {
			closed = append(closed, n)
		}
	}
	if len(closed) == 0 && p.DrainStarted.IsZero() && p.EmptySince.IsZero() {
		return nil
	}
	if p.Operation != "" && len(closed) > 0 {
		// It may be taking these very nodes away.
		return &Plan{
			Verdict: Moving, CheckAgain: soon,
			Step: string(fleetwrightv1.ReplacementStepRollingBack), Reason: fleetwrightv1.ReasonRollingBack,
			Message: fmt.Sprintf("pool %s %s: its nodes are opened once Azure is done %s", p.Name, why, operation{what: p.Operation, pool: p.Name}),
		}
	}
	message := fmt.Sprintf("pool %s %s", p.Name, why)
	if len(closed) > 0 {
		message += fmt.Sprintf(": %s open for pods", count(len(closed), "node"))
	}
	return &Plan{
		Verdict: Moving, CheckAgain: soon,
		Step: string(fleetwrightv1.ReplacementStepRollingBack), Reason: fleetwrightv1.ReasonRollingBack,
		Message: message,
		Action:  Action{Kind: UncordonNodes, Object: p.Object, Pool: p.Name, Nodes: closed},
	}
}

func (l *look) areOldPoolsGone() *Plan {
	if plan := l.mayItsPodsMove(); plan != nil {
		return plan
	}
	if l.shifting() {
		return l.shift()
	}
	plan := l.retire(l.outgoing)
	if isQuarantined(plan) && l.deferred != nil && l.deferred.Wish != nil {
		return nil // that has waited for the drain, and this may wait for long
	}
	return plan
}

func (l *look) isAnythingDeferred() *Plan {
	if l.deferred != nil {
		return l.deferred
	}
	if h := l.Nodepool.Hold; h.NonDisruptive && l.Nodepool.Spec.Replicas != nil && *l.Nodepool.Spec.Replicas < l.wanted.size() {
		return &Plan{
			Verdict: Held, Reason: h.Reason, CheckAgain: later,
			Message: fmt.Sprintf("%s; held back: takes pool %s from %s to %d", h.Message, l.wanted.Name, count(int(l.wanted.size()), "node"), *l.Nodepool.Spec.Replicas),
		}
	}
	if op := l.wanted.Operation; op != "" {
		return &Plan{
			Verdict: Moving, CheckAgain: soon,
			Step: string(fleetwrightv1.ReplacementStepUpdatingInPlace), Reason: fleetwrightv1.ReasonUpdatingInPlace,
			Message: fmt.Sprintf("Azure is %s", operation{what: op, pool: l.wanted.Name}),
		}
	}
	return nil
}

func orDefault(d, otherwise time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return otherwise
}
