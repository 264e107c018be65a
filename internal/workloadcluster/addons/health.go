package addons

import (
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// healthy asks the objects of the workload cluster about an add-on that its installer calls ready.
func healthy(a fleetwrightv1.WorkloadClusterAddon, o Observed, ready verdict) verdict {
	if o.Unread != "" {
		return verdict{ready: metav1.ConditionUnknown, reason: fleetwrightv1.ReasonUnhealthy, message: "its objects in the cluster cannot be read: " + o.Unread}
	}
	for i, wanted := range a.Health {
		var u *unstructured.Unstructured
		if i < len(o.Health) {
			u = o.Health[i]
		}
		if u == nil {
			return not(fleetwrightv1.ReasonUnhealthy, "%s is not there", in(wanted))
		}
		result, err := status.Compute(u)
		switch {
		case err != nil:
			return verdict{ready: metav1.ConditionUnknown, reason: fleetwrightv1.ReasonUnhealthy, message: in(wanted) + " cannot be understood: " + err.Error()}
		case result.Status != status.CurrentStatus:
			return not(fleetwrightv1.ReasonUnhealthy, "%s: %s", in(wanted), result.Message)
		}
		since := changed(u)
		if since.IsZero() || ready.since.IsZero() {
			ready.since = time.Time{} // that object does not tell, so nobody knows
			continue
		}
		ready.since = latest(ready.since, since)
	}
	return ready
}

// in is an object of the workload cluster, as people call it.
func in(h fleetwrightv1.AddonHealthObject) string {
	if h.Namespace == "" {
		return h.Kind + " " + h.Name
	}
	return h.Kind + " " + h.Namespace + "/" + h.Name
}

// changed is when a condition of an object last changed, zero if it has none.
func changed(u *unstructured.Unstructured) time.Time {
	var out time.Time
	for _, c := range conditionsOf(u) {
		out = latest(out, c.LastTransitionTime.Time)
	}
	return out
}
