package clusterautoscaler

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/condition"
)

// conditions are all conditions of an AzureClusterAutoscaler, made anew each time. They say what the plan says, in the same words.
func conditions(o *observation, actErr error) []metav1.Condition {
	p := o.plan
	if actErr != nil {
		p = failed(p, actErr)
	}
	applied, deleting := appliedCondition(o, p), condition.Deleting(o.world.deleting, p.reason, p.message)
	set := []metav1.Condition{readyCondition(p, applied, deleting), applied, pausedCondition(o, p), deleting}
	if p.verdict == stuck {
		set = append(set, condition.New(fleetwrightv1.ConditionStalled, metav1.ConditionTrue, p.reason, "%s", p.message))
	}
	return set
}

// failed is the plan after Azure, or the API server, said no to what was done.
func failed(p plan, err error) plan {
	blocked, sorted := obstacleOf(err)
	if !sorted {
		p.verdict, p.message = working, fmt.Sprintf("%s; that failed and is tried again: %v", p.message, err)
		return p
	}
	p.verdict, p.reason, p.message = blocked.verdict, blocked.reason, blocked.message
	return p
}

// appliedCondition is True while Azure has every setting as the spec says, or as the spec lives with it.
func appliedCondition(o *observation, p plan) metav1.Condition {
	kind := fleetwrightv1.ConditionApplied
	switch {
	case o.world.deleting:
		return condition.New(kind, metav1.ConditionFalse, fleetwrightv1.ReasonNotApplied, "the AzureClusterAutoscaler is being deleted")
	case p.verdict == done:
		return condition.New(kind, metav1.ConditionTrue, p.reason, "%s", p.message)
	case !p.known:
		return condition.New(kind, metav1.ConditionUnknown, p.reason, "%s", p.message)
	}
	return condition.New(kind, metav1.ConditionFalse, p.reason, "%s", p.message)
}

func readyCondition(p plan, applied, deleting metav1.Condition) metav1.Condition {
	kind := fleetwrightv1.ConditionReady
	switch {
	case deleting.Status == metav1.ConditionTrue:
		return condition.New(kind, metav1.ConditionFalse, deleting.Reason, "%s", deleting.Message)
	case p.verdict == stuck:
		return condition.New(kind, metav1.ConditionFalse, p.reason, "%s", p.message)
	case applied.Status == metav1.ConditionTrue:
		return condition.New(kind, metav1.ConditionTrue, fleetwrightv1.ReasonReady, "%s", applied.Message)
	}
	return condition.New(kind, applied.Status, applied.Reason, "%s", applied.Message)
}

func pausedCondition(o *observation, p plan) metav1.Condition {
	kind := fleetwrightv1.ConditionPaused
	switch h := o.world.hold; {
	case h.Reason == "":
		return condition.New(kind, metav1.ConditionFalse, fleetwrightv1.ReasonNotPaused, "")
	case p.verdict == held || h.Everything():
		return condition.New(kind, metav1.ConditionTrue, h.Reason, "%s", h.Message)
	default:
		return condition.New(kind, metav1.ConditionTrue, h.Reason, "%s; no setting of the autoscaler is held back by that", h.Message)
	}
}
