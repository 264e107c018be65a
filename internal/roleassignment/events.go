package roleassignment

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/azure/refusal"
	"github.com/fleetwright/fleetwright/internal/condition"
	"github.com/fleetwright/fleetwright/internal/drift"
)

// announce emits an event for each change of a condition that people wait for, and for each drift that was healed. It is called after the
// status was saved.
func (r *Reconciler) announce(before, after *fleetwrightv1.AzureRoleAssignment, o *observation, actErr error) {
	for _, kind := range []string{fleetwrightv1.ConditionReady, fleetwrightv1.ConditionPullVerified} {
		if !condition.Changed(before.Status.Conditions, after.Status.Conditions, kind) {
			continue
		}
		c := meta.FindStatusCondition(after.Status.Conditions, kind)
		severity := corev1.EventTypeNormal
		if c.Status != metav1.ConditionTrue && (o.plan.verdict == stuck || kind == fleetwrightv1.ConditionPullVerified && c.Status == metav1.ConditionFalse) {
			severity = corev1.EventTypeWarning
		}
		did := string(o.plan.action)
		if kind == fleetwrightv1.ConditionPullVerified && o.pull != nil {
			did = string(o.pull.plan.action)
		}
		r.Recorder.Eventf(after, nil, severity, c.Reason, did, "%s", c.Message)
	}
	r.announceDrift(before, after, o, actErr)
	if _, sorted := refusal.Of(actErr); actErr != nil && !sorted {
		r.Recorder.Eventf(after, nil, corev1.EventTypeWarning, string(o.plan.action)+"Failed", string(o.plan.action), "%s", condition.Clip(actErr.Error()))
	}
	if l := o.pull; l != nil && l.err != nil {
		r.Recorder.Eventf(after, nil, corev1.EventTypeWarning, string(l.plan.action)+"Failed", string(l.plan.action), "%s", condition.Clip(l.err.Error()))
	}
}

// announceDrift tells of a drift that was healed, and once of one that stays. With Report, the event of Ready tells that.
func (r *Reconciler) announceDrift(before, after *fleetwrightv1.AzureRoleAssignment, o *observation, actErr error) {
	switch all := after.Status.DriftHistory; {
	case o.plan.drift.Action == drift.Heal && o.plan.action == assign && actErr == nil:
		driftsTotal.WithLabelValues(string(fleetwrightv1.DriftOutcomeHealed)).Inc()
		r.Recorder.Eventf(after, nil, corev1.EventTypeWarning, "DriftHealed", string(o.plan.action), "%s; it was made again", condition.Clip(o.plan.drift.Message))
	case len(all) > 0 && !equality.Semantic.DeepEqual(before.Status.DriftHistory, all):
		driftsTotal.WithLabelValues(string(all[len(all)-1].Outcome)).Inc()
		if o.plan.drift.Action == drift.Adopt {
			r.Recorder.Eventf(after, nil, corev1.EventTypeWarning, fleetwrightv1.ReasonDrifted, string(o.plan.action), "%s", condition.Clip(o.plan.drift.Message))
		}
	}
}
