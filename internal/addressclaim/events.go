package addressclaim

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/condition"
)

// announce emits an event when condition Ready has another reason. It is called after the status was saved.
func (r *Reconciler) announce(before, after *fleetwrightv1.AddressClaim, o *observation, actErr error) {
	if condition.Changed(before.Status.Conditions, after.Status.Conditions, fleetwrightv1.ConditionReady) {
		c := meta.FindStatusCondition(after.Status.Conditions, fleetwrightv1.ConditionReady)
		kind := corev1.EventTypeNormal
		if meta.FindStatusCondition(after.Status.Conditions, fleetwrightv1.ConditionStalled) != nil {
			kind = corev1.EventTypeWarning
		}
		r.Recorder.Eventf(after, nil, kind, c.Reason, string(o.plan.action), "%s", c.Message)
	}
	if actErr != nil {
		r.Recorder.Eventf(after, nil, corev1.EventTypeWarning, string(o.plan.action)+"Failed", string(o.plan.action), "%s", condition.Clip(actErr.Error()))
	}
}

// farewell is the last word about a claim.
func (r *Reconciler) farewell(a *fleetwrightv1.AddressClaim, o *observation) {
	r.Recorder.Eventf(a, nil, corev1.EventTypeNormal, o.plan.reason, string(o.plan.action), "%s", condition.Clip(o.plan.message))
}
