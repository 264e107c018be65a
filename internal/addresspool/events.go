package addresspool

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/condition"
)

// announcePool emits an event when condition Ready has another reason, and when the pool begins to run out.
func (r *Reconciler) announcePool(before, after *fleetwrightv1.AddressPool) {
	if condition.Changed(before.Status.Conditions, after.Status.Conditions, fleetwrightv1.ConditionReady) {
		c := meta.FindStatusCondition(after.Status.Conditions, fleetwrightv1.ConditionReady)
		kind := corev1.EventTypeNormal
		if meta.FindStatusCondition(after.Status.Conditions, fleetwrightv1.ConditionStalled) != nil {
			kind = corev1.EventTypeWarning
		}
		r.Recorder.Eventf(after, nil, kind, c.Reason, "Report", "%s", c.Message)
	}
	c := meta.FindStatusCondition(after.Status.Conditions, fleetwrightv1.ConditionExhausting)
	if c.Status == metav1.ConditionTrue && condition.Changed(before.Status.Conditions, after.Status.Conditions, fleetwrightv1.ConditionExhausting) {
		r.Recorder.Eventf(after, nil, corev1.EventTypeWarning, c.Reason, "Report", "%s", c.Message)
	}
}

// announceAllocation warns of one that a person has to look at.
func (r *Reconciler) announceAllocation(before, after *fleetwrightv1.AddressAllocation) {
	c := meta.FindStatusCondition(after.Status.Conditions, fleetwrightv1.ConditionReady)
	wrong := []string{fleetwrightv1.ReasonOrphaned, fleetwrightv1.ReasonOverlaps, fleetwrightv1.ReasonOutsidePool}
	if slices.Contains(wrong, c.Reason) && condition.Changed(before.Status.Conditions, after.Status.Conditions, fleetwrightv1.ConditionReady) {
		r.Recorder.Eventf(after, nil, corev1.EventTypeWarning, c.Reason, "Report", "%s", c.Message)
	}
}
