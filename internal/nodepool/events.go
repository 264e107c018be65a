package nodepool

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/condition"
	"github.com/fleetwright/fleetwright/internal/nodepool/replacement"
)

// announce emits an event for each step reached and for each obstacle met, with
// the words of the condition. It is called after the status was saved.
func (r *Reconciler) announce(before, after *fleetwrightv1.Nodepool, o *observation, actErr error) {
	if condition.Changed(before.Status.Conditions, after.Status.Conditions, fleetwrightv1.ConditionReady) {
		kind := corev1.EventTypeNormal
		if o.plan.Verdict == replacement.Stuck {
			kind = corev1.EventTypeWarning
		}
		r.Recorder.Eventf(after, nil, kind, o.plan.Reason, string(o.plan.Action.Kind), "%s", o.plan.Message)
	}
	if c := meta.FindStatusCondition(after.Status.Conditions, fleetwrightv1.ConditionDrainBlocked); c != nil && blockedAnew(before, after) {
		r.Recorder.Eventf(after, nil, corev1.EventTypeWarning, fleetwrightv1.ConditionDrainBlocked, string(o.plan.Action.Kind), "%s", c.Message)
	}
	r.announceSteps(after, o)
	if actErr != nil {
		r.Recorder.Eventf(after, nil, corev1.EventTypeWarning, string(o.plan.Action.Kind)+"Failed", string(o.plan.Action.Kind), "%s", condition.Clip(actErr.Error()))
	}
}
