package clusterautoscaler

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/condition"
	"github.com/fleetwright/fleetwright/internal/drift"
)

// announce emits an event for each change of condition Ready and for each drift that was seen anew. It is called after the status was
// saved.
func (r *Reconciler) announce(before, after *fleetwrightv1.AzureClusterAutoscaler, o *observation, actErr error) {
	if condition.Changed(before.Status.Conditions, after.Status.Conditions, fleetwrightv1.ConditionReady) {
		c := meta.FindStatusCondition(after.Status.Conditions, fleetwrightv1.ConditionReady)
		severity := corev1.EventTypeNormal
		if c.Status != metav1.ConditionTrue && (o.plan.verdict == stuck || c.Reason == fleetwrightv1.ReasonDrifted) {
			severity = corev1.EventTypeWarning
		}
		r.Recorder.Eventf(after, nil, severity, c.Reason, string(o.plan.action), "%s", c.Message)
	}
	if n := len(after.Status.DriftHistory); n > 0 && !sameHistory(before.Status.DriftHistory, after.Status.DriftHistory) {
		driftsTotal.WithLabelValues(string(after.Status.DriftHistory[n-1].Outcome)).Inc()
		if o.plan.drift.Action == drift.Adopt { // Ready stays as it is, and tells nothing
			r.Recorder.Eventf(after, nil, corev1.EventTypeWarning, fleetwrightv1.ReasonDrifted, string(o.plan.action), "%s", condition.Clip(o.plan.drift.Message))
		}
	}
	if o.plan.drift.Action == drift.Heal && o.plan.writes() && actErr == nil {
		r.Recorder.Eventf(after, nil, corev1.EventTypeWarning, "DriftHealed", string(o.plan.action), "%s; it was written again", condition.Clip(o.plan.drift.Message))
	}
	if _, sorted := obstacleOf(actErr); actErr != nil && !sorted {
		r.Recorder.Eventf(after, nil, corev1.EventTypeWarning, string(o.plan.action)+"Failed", string(o.plan.action), "%s", condition.Clip(actErr.Error()))
	}
}

// sameHistory is true when no drift came to those of before. Their number alone does not tell: it is bounded.
func sameHistory(before, after []fleetwrightv1.DriftRecord) bool {
	return len(before) == len(after) && (len(after) == 0 || before[len(before)-1].Time.Equal(&after[len(after)-1].Time))
}
