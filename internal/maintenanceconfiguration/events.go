package maintenanceconfiguration

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/azure/refusal"
	"github.com/fleetwright/fleetwright/internal/condition"
	"github.com/fleetwright/fleetwright/internal/drift"
)

// announce emits an event when condition Ready has another reason, and for each drift. It is called after the status was saved.
func (r *Reconciler) announce(before, after *fleetwrightv1.AzureMaintenanceConfiguration, o *observation, actErr error) {
	if condition.Changed(before.Status.Conditions, after.Status.Conditions, fleetwrightv1.ConditionReady) {
		c := meta.FindStatusCondition(after.Status.Conditions, fleetwrightv1.ConditionReady)
		kind := corev1.EventTypeNormal
		if meta.FindStatusCondition(after.Status.Conditions, fleetwrightv1.ConditionStalled) != nil {
			kind = corev1.EventTypeWarning
		}
		r.Recorder.Eventf(after, nil, kind, c.Reason, string(o.plan.action), "%s", c.Message)
	}
	r.announceDrift(before, after, o, actErr)
	if _, sorted := refusal.Of(actErr); actErr != nil && !sorted {
		r.Recorder.Eventf(after, nil, corev1.EventTypeWarning, string(o.plan.action)+"Failed", string(o.plan.action), "%s", condition.Clip(actErr.Error()))
	}
}

// announceDrift tells of a drift that was healed, and once of one that is lived with. Of one that is only reported, Ready tells.
func (r *Reconciler) announceDrift(before, after *fleetwrightv1.AzureMaintenanceConfiguration, o *observation, actErr error) {
	switch all := after.Status.DriftHistory; {
	case o.plan.drift.Action == drift.Heal && o.plan.action == write && actErr == nil:
		driftsTotal.WithLabelValues(string(fleetwrightv1.DriftOutcomeHealed)).Inc()
		r.Recorder.Eventf(after, nil, corev1.EventTypeWarning, "DriftHealed", string(o.plan.action), "%s; it was written again", condition.Clip(o.plan.drift.Message))
	case len(all) > 0 && !equality.Semantic.DeepEqual(before.Status.DriftHistory, all):
		driftsTotal.WithLabelValues(string(all[0].Outcome)).Inc()
		if o.plan.drift.Action == drift.Adopt {
			r.Recorder.Eventf(after, nil, corev1.EventTypeWarning, fleetwrightv1.ReasonDrifted, string(o.plan.action), "%s", condition.Clip(o.plan.drift.Message))
		}
	}
}
