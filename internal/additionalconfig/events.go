package additionalconfig

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/condition"
)

// announce emits an event for each object that was made or removed, for what failed, and when condition Ready has another reason, with
// its words. It is called after the status was saved.
func (r *Reconciler) announce(before, after *fleetwrightv1.AzureClusterAdditionalConfig, p plan, failed failures) {
	for _, a := range p.actions {
		if _, did := failed[a.target]; !did && (a.verb == create || a.verb == remove) {
			r.Recorder.Eventf(after, nil, corev1.EventTypeNormal, string(a.verb), string(a.verb), "%s", a.String())
		}
	}
	for _, t := range slices.SortedFunc(maps.Keys(failed), func(a, b target) int { return slices.Compare([]string{a.kind, a.name}, []string{b.kind, b.name}) }) {
		r.Recorder.Eventf(after, nil, corev1.EventTypeWarning, "Failed", "Write", "%s", condition.Clip(t.String()+": "+failed[t].Error()))
	}
	if condition.Changed(before.Status.Conditions, after.Status.Conditions, fleetwrightv1.ConditionReady) {
		kind := corev1.EventTypeNormal
		if meta.FindStatusCondition(after.Status.Conditions, fleetwrightv1.ConditionStalled) != nil {
			kind = corev1.EventTypeWarning
		}
		c := meta.FindStatusCondition(after.Status.Conditions, fleetwrightv1.ConditionReady)
		r.Recorder.Eventf(after, nil, kind, c.Reason, "Report", "%s", c.Message)
	}
}
