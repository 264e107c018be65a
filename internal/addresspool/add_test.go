package addresspool

import (
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/event"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// A pool waits for its neighbour to stop, and nobody chooses from one without a status: both have to be told of. Numbers are not.
func TestWhatIsToldOfAStatus(t *testing.T) {
	ready, stopped := aPool("a", 0, "10.64.0.0/16", givingOut), aPool("a", 0, "10.64.0.0/16", givingOut)
	stopped.Status.Conditions[0].Status, stopped.Status.Conditions[0].Reason = "False", "Overlaps"
	fuller := ready.DeepCopy()
	fuller.Status.LargestFree = "/17"
	wiped := aPool("a", 0, "10.64.0.0/16")
	for name, tc := range map[string]struct {
		before, after  *fleetwrightv1.AddressPool
		pool, recorded bool
	}{
		"it stops":      {ready, stopped, true, false},
		"it begins":     {wiped, ready, true, false},
		"it is wiped":   {ready, wiped, true, true},
		"it gets full":  {ready, fuller, false, false},
		"it says again": {stopped, stopped, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			e := event.UpdateEvent{ObjectOld: tc.before, ObjectNew: tc.after}
			if got := updates(readyChanged).Update(e); got != tc.pool {
				t.Errorf("of a pool it is told: %t", got)
			}
			if got := updates(readyLost).Update(e); got != tc.recorded {
				t.Errorf("of an allocation it is told: %t", got)
			}
		})
	}
	if updates(readyChanged).Create(event.CreateEvent{Object: ready}) || updates(readyChanged).Delete(event.DeleteEvent{Object: ready}) {
		t.Error("what is no update passes")
	}
}
