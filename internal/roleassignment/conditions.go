package roleassignment

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/condition"
	"github.com/fleetwright/fleetwright/internal/drift"
)

// conditions are all conditions of an AzureRoleAssignment, made anew each time. They say what the plan says, in the same words.
func conditions(before *fleetwrightv1.AzureRoleAssignment, o *observation, actErr error, now time.Time) []metav1.Condition {
	p := o.plan
	if actErr != nil {
		p = failed(p, actErr, waitedBy(before.Status.Conditions, now))
	}
	assigned, deleting := assignedCondition(o, p), condition.Deleting(o.world.deleting, p.reason, p.message)
	set := []metav1.Condition{readyCondition(o, p, assigned, deleting), assigned}
	if l := o.pull; l != nil && l.plan.reason != "" {
		set = append(set, condition.New(fleetwrightv1.ConditionPullVerified, l.plan.status, l.plan.reason, "%s", l.plan.message))
	}
	set = append(set, pausedCondition(o, p), deleting)
	if p.verdict == stuck {
		set = append(set, condition.New(fleetwrightv1.ConditionStalled, metav1.ConditionTrue, p.reason, "%s", p.message))
	}
	return set
}

// failed is the plan after Azure, or the API server, said no to what was done.
func failed(p plan, err error, by waited) plan {
	blocked, sorted := obstacleOf(err, by)
	if !sorted {
		p.verdict, p.message = working, fmt.Sprintf("%s; that failed and is tried again: %v", p.message, err)
		return p
	}
	p.verdict, p.reason, p.message = blocked.verdict, blocked.reason, blocked.message
	return p
}

// assignedCondition is True while Azure has the assignment: under our name, or under another one that was adopted.
func assignedCondition(o *observation, p plan) metav1.Condition {
	kind := fleetwrightv1.ConditionAssigned
	switch f := o.world.found; {
	case o.world.deleting:
		return condition.New(kind, metav1.ConditionFalse, fleetwrightv1.ReasonNotAssigned, "the AzureRoleAssignment is being deleted")
	case o.world.obstacle != nil && (p.reason == fleetwrightv1.ReasonPermissionDenied || p.reason == fleetwrightv1.ReasonAzureRefused):
		return condition.New(kind, metav1.ConditionUnknown, p.reason, "%s", p.message) // it may be there
	case f == nil || p.reason == fleetwrightv1.ReasonExistsElsewhere:
		return condition.New(kind, metav1.ConditionFalse, p.reason, "%s", p.message)
	default:
		return condition.New(kind, metav1.ConditionTrue, fleetwrightv1.ReasonAssigned, "%s", describe(*f))
	}
}

// readyCondition sums up: stuck and leaving come first, then the assignment, then the proof.
func readyCondition(o *observation, p plan, assigned, deleting metav1.Condition) metav1.Condition {
	ready := func(status metav1.ConditionStatus, reason, message string) metav1.Condition {
		return condition.New(fleetwrightv1.ConditionReady, status, reason, "%s", message)
	}
	switch {
	case deleting.Status == metav1.ConditionTrue:
		return ready(metav1.ConditionFalse, deleting.Reason, deleting.Message)
	case p.verdict == stuck:
		return ready(metav1.ConditionFalse, p.reason, p.message)
	case p.drift.Action == drift.Adopt && o.world.found == nil:
		return ready(metav1.ConditionTrue, fleetwrightv1.ReasonReady, p.message)
	case assigned.Status != metav1.ConditionTrue:
		return ready(metav1.ConditionFalse, assigned.Reason, assigned.Message)
	}
	if l := o.pull; l != nil && l.plan.reason != "" && l.plan.status != metav1.ConditionTrue {
		return ready(metav1.ConditionFalse, l.plan.reason, assigned.Message+"; "+l.plan.message)
	}
	message := assigned.Message
	if l := o.pull; l != nil && l.plan.reason != "" {
		message += "; " + l.plan.message
	}
	return ready(metav1.ConditionTrue, fleetwrightv1.ReasonReady, message)
}

func pausedCondition(o *observation, p plan) metav1.Condition {
	kind := fleetwrightv1.ConditionPaused
	switch h := o.world.hold; {
	case h.Reason == "":
		return condition.New(kind, metav1.ConditionFalse, fleetwrightv1.ReasonNotPaused, "")
	case p.verdict == held || h.Everything():
		return condition.New(kind, metav1.ConditionTrue, h.Reason, "%s", h.Message)
	default:
		return condition.New(kind, metav1.ConditionTrue, h.Reason, "%s; nothing is held back", h.Message)
	}
}
