package replacement

import (
	"fmt"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/agentpool"
)

func (l *look) areInPlaceFieldsAsWanted() *Plan {
	p := l.wanted
	if l.served() > 0 && l.goesBack() {
		// Going back from a shift: what it took away must be written down first.
		if plan := l.doesTheSizeMatch(*p); plan != nil {
			return plan
		}
	}
	if l.growsNow() && !l.Azure.Asked {
		return &Plan{
			Verdict: Moving, CheckAgain: soon, NeedsAzure: true,
			Step: string(fleetwrightv1.ReplacementStepWaitingForGreen), Reason: fleetwrightv1.ReasonWaitingForGreen,
			Message: fmt.Sprintf("what Azure has left for pool %s is not known yet", p.Name),
		}
	}
	inPlace, _ := agentpool.Split(agentpool.Changes(l.held(), p.Spec))
	if len(inPlace) > 0 {
		plan := l.changeInPlace(inPlace)
		if plan.Wish != nil {
			// A drain is no Azure write and goes on; the change comes after.
			l.deferred, plan = plan, nil
		}
		return plan
	}
	if p.Failure != "" && p.Operation == "" {
		l.deferred = &Plan{
			Verdict: Moving, Step: string(fleetwrightv1.ReplacementStepUpdatingInPlace), Reason: fleetwrightv1.ReasonUpdatingInPlace,
			Message: fmt.Sprintf("the last change of pool %s is not accepted yet: %s", p.Name, p.Failure), CheckAgain: failureGrace,
		}
		if l.stands(p) {
			l.deferred = &Plan{
				Verdict: Stuck, Reason: fleetwrightv1.ReasonProvisioningFailed, CheckAgain: later,
				Message: fmt.Sprintf("Azure refused the last change of pool %s: %s%s", p.Name, p.Failure, l.oldPoolServes()),
			}
		}
	}
	return nil
}

// changeInPlace writes the in-place fields of the wanted pool, or waits for the
// slot.
func (l *look) changeInPlace(inPlace []agentpool.Change) *Plan {
	p := l.wanted
	if want := l.Nodepool.Spec.Mode; want == string(fleetwrightv1.NodepoolModeUser) && p.Spec.Mode == string(fleetwrightv1.NodepoolModeSystem) && !l.systemPoolReadyBut([]Pool{*p}) {
		return &Plan{
			Verdict: Stuck, Reason: fleetwrightv1.ReasonInvalidSpec, CheckAgain: later,
			Message: fmt.Sprintf("mode User would leave the cluster without a ready System pool: make another System pool first, pool %s stays as it is", p.Name),
		}
	}
	rank := RankInPlace
	if l.grows() {
		rank = RankGrow
	}
	if plan := l.slot(Waiting, rank, "change "+agentpool.Describe(inPlace)); plan != nil {
		return plan
	}
	held, how := l.held(), "without touching its nodes"
	if l.shrinks() {
		how = "for which Azure takes nodes away"
	}
	kept := l.bounds().Scaling
	if p.Carried != nil {
		kept = p.Carried
	}
	return &Plan{
		Verdict: Moving, CheckAgain: soon,
		Step: string(fleetwrightv1.ReplacementStepUpdatingInPlace), Reason: fleetwrightv1.ReasonUpdatingInPlace,
		Message: fmt.Sprintf("changes %s of pool %s, %s", agentpool.Describe(inPlace), p.Name, how),
		Action:  Action{Kind: UpdatePool, Object: p.Object, Pool: p.Name, Spec: held, Carried: carried(l.Nodepool.Spec, kept, held), Grows: l.grows(), Shrinks: l.shrinks()},
	}
}

// grows tells a change that brings nodes, or lets the autoscaler bring them: it
// overtakes everything else.
func (l *look) grows() bool {
	held, p := l.held(), l.wanted
	if held.Replicas != nil {
		return *held.Replicas > p.size()
	}
	return held.Scaling != nil && p.Spec.Scaling != nil && (held.Scaling.Max > p.Spec.Scaling.Max || held.Scaling.Min > p.Spec.Scaling.Min)
}

// shrinks tells a change that takes nodes away.
func (l *look) shrinks() bool {
	to := l.held().Replicas
	return to != nil && *to < l.wanted.size()
}
