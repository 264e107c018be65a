package addressclaim

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/condition"
)

// report writes the status of what was seen, planned and done, also when acting failed, and speaks of it only once it is saved.
func (r *Reconciler) report(ctx context.Context, a *fleetwrightv1.AddressClaim, o *observation, actErr error) error {
	before := a.DeepCopy()
	a.Status = status(before, o, actErr, r.Clock.Now())
	if !equality.Semantic.DeepEqual(before.Status, a.Status) {
		if err := r.Client.Status().Patch(ctx, a, client.MergeFrom(before), fieldOwner); err != nil {
			return fmt.Errorf("write status: %w", err)
		}
	}
	result := "ok"
	if actErr != nil {
		result = "error"
	}
	countAction(o.plan.action, result)
	r.announce(before, a, o, actErr)
	return nil
}

// status is a report made from scratch; the former one only lends times, and the ranges of a claim that is being deleted.
func status(before *fleetwrightv1.AddressClaim, o *observation, actErr error, now time.Time) fleetwrightv1.AddressClaimStatus {
	s := fleetwrightv1.AddressClaimStatus{
		ObservedGeneration: before.Generation,
		Conditions:         condition.Stamp(conditions(o, actErr), before.Status.Conditions, before.Generation, now),
	}
	switch {
	case o.world.deleting && o.plan.action == nothing:
		s.Ranges = before.Status.Ranges
	case actErr == nil, o.plan.housekeeping:
		s.Ranges = o.plan.bound
	}
	return s
}

// conditions are all conditions of the object, made anew each time. They say what the plan says, in the same words.
func conditions(o *observation, actErr error) []metav1.Condition {
	p := o.plan
	if actErr != nil && !p.housekeeping {
		p.verdict, p.message = waiting, fmt.Sprintf("%s; that failed and is tried again: %v", p.message, actErr)
		if p.reason == fleetwrightv1.ReasonBound {
			p.reason = fleetwrightv1.ReasonBinding
		}
	}
	set := []metav1.Condition{readyCondition(o, p), pausedCondition(o, p), deletingCondition(o, p)}
	if p.verdict == stuck {
		set = append(set, condition.New(fleetwrightv1.ConditionStalled, metav1.ConditionTrue, p.reason, "%s", p.message))
	}
	return set
}

func readyCondition(o *observation, p plan) metav1.Condition {
	verdict := metav1.ConditionFalse
	if p.verdict == done && !o.world.deleting {
		verdict = metav1.ConditionTrue
	}
	return condition.New(fleetwrightv1.ConditionReady, verdict, p.reason, "%s", p.message)
}

func pausedCondition(o *observation, p plan) metav1.Condition {
	kind := fleetwrightv1.ConditionPaused
	switch h := o.world.hold; {
	case h.Reason == "":
		return condition.New(kind, metav1.ConditionFalse, fleetwrightv1.ReasonNotPaused, "")
	case p.verdict == held:
		return condition.New(kind, metav1.ConditionTrue, h.Reason, "%s", p.message)
	default:
		return condition.New(kind, metav1.ConditionTrue, h.Reason, "%s; nothing is held back", h.Message)
	}
}

func deletingCondition(o *observation, p plan) metav1.Condition {
	kind := fleetwrightv1.ConditionDeleting
	if !o.world.deleting {
		return condition.New(kind, metav1.ConditionFalse, fleetwrightv1.ReasonNotDeleting, "")
	}
	return condition.New(kind, metav1.ConditionTrue, p.reason, "%s", p.message)
}
