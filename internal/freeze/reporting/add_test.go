package reporting

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/event"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// The first of these once ended the whole operator.
func TestWhatChangesWhoHolds(t *testing.T) {
	held := func(message string, observed int64) *fleetwrightv1.Nodepool {
		np := &fleetwrightv1.Nodepool{}
		np.Generation, np.Status.ObservedGeneration = 2, observed
		if message != "" {
			np.Status.Conditions = []metav1.Condition{{Type: fleetwrightv1.ConditionPaused, Status: metav1.ConditionTrue, Reason: fleetwrightv1.ReasonFrozen, Message: message}}
		}
		return np
	}
	for name, tc := range map[string]struct {
		before, after *fleetwrightv1.Nodepool
		want          bool
	}{
		"nothing":           {held("a", 2), held("a", 2), false},
		"begins to hold":    {held("", 2), held("a", 2), true},
		"holds for another": {held("a", 2), held("b", 2), true},
		"caught up":         {held("a", 1), held("a", 2), true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := holdChanges.Update(event.UpdateEvent{ObjectOld: tc.before, ObjectNew: tc.after}); got != tc.want {
				t.Errorf("wakes the Freeze: %t, want %t", got, tc.want)
			}
		})
	}
}
