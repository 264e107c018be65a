package addressclaim

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/condition"
)

// announce emits an event when condition Ready has another reason, and when a range is another one than was reported before: its record was
// lost, and a cluster may use the old one. It is called after the status was saved.
func (r *Reconciler) announce(before, after *fleetwrightv1.AddressClaim, o *observation, actErr error) {
	if condition.Changed(before.Status.Conditions, after.Status.Conditions, fleetwrightv1.ConditionReady) {
		c := meta.FindStatusCondition(after.Status.Conditions, fleetwrightv1.ConditionReady)
		kind := corev1.EventTypeNormal
		if meta.FindStatusCondition(after.Status.Conditions, fleetwrightv1.ConditionStalled) != nil {
			kind = corev1.EventTypeWarning
		}
		r.Recorder.Eventf(after, nil, kind, c.Reason, string(o.plan.action), "%s", c.Message)
	}
	for _, was := range before.Status.Ranges {
		for _, is := range after.Status.Ranges {
			if was.Name == is.Name && was.CIDR != is.CIDR {
				r.Recorder.Eventf(after, nil, corev1.EventTypeWarning, "RangeChanged", string(o.plan.action),
					"range %s was %s and is %s now, because AddressAllocation %s is gone: if a cluster uses %s, import it as an AddressAllocation without claim",
					was.Name, was.CIDR, is.CIDR, was.Allocation, was.CIDR)
			}
		}
	}
	if actErr != nil {
		r.Recorder.Eventf(after, nil, corev1.EventTypeWarning, string(o.plan.action)+"Failed", string(o.plan.action), "%s", condition.Clip(actErr.Error()))
	}
}

// farewell is the last word about a claim.
func (r *Reconciler) farewell(a *fleetwrightv1.AddressClaim, o *observation) {
	r.Recorder.Eventf(a, nil, corev1.EventTypeNormal, o.plan.reason, string(o.plan.action), "%s", condition.Clip(o.plan.message))
}
