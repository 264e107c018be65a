package nodepool

import (
	"testing"
	"time"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// A deadline that ran out during a pause does not act in the moment that the pause
// ends: pods have had no chance to leave.
func TestDeadlineGivesTimeAfterAPause(t *testing.T) {
	t.Parallel()
	for _, mode := range []fleetwrightv1.FreezeMode{fleetwrightv1.FreezeModePaused, fleetwrightv1.FreezeModeNonDisruptive} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			a := shop(t, fleetwrightv1.DrainPolicy{
				Ladder:   []fleetwrightv1.DrainRung{{Action: "None"}},
				Deadline: fleetwrightv1.DrainDeadline{Action: "Quarantine", AfterSeconds: 900},
			})
			a.converge(func(*fleetwrightv1.Nodepool) bool { return a.condition("RollingOut").Reason == "DrainingBlue" })
			lift := a.freeze(a.namespace, fleetwrightv1.FreezeSpec{Scope: fleetwrightv1.FreezeScopeAll, Reconcile: mode, Reason: "INC-4711"})
			a.turns(2)
			a.pass(time.Hour)
			a.turns(2)
			lift()
			ended := a.clock.Now()
			a.turns(10)
			if given := a.marked(); len(given) > 0 || a.clock.Now().Sub(ended) > afterPauseGrace {
				t.Errorf("%s after the end of the pause %v are given up", a.clock.Now().Sub(ended), given)
			}
			if len(a.said("acts on no deadline before")) == 0 {
				t.Errorf("the events are %v", a.events)
			}
			a.clock.SetTime(ended.Add(afterPauseGrace + time.Minute))
			a.converge(func(*fleetwrightv1.Nodepool) bool { return a.condition("RollingOut").Reason == "DrainQuarantined" })
		})
	}
}
