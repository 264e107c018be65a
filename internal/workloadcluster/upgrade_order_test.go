package workloadcluster

import (
	"testing"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// A pool that does not go on until a person does something holds up no other pool, and is named until it is through.
func TestPoolsThatWaitForAPersonHoldUpNoOther(t *testing.T) {
	for name, reports := range map[string][]string{
		"blocked":   {"Ready False DrainingBlue", "Available True Available", "UpToDate False ReplacementNeeded", "DrainBlocked True PodDisruptionBudget"},
		"forbidden": {"Ready True Ready", "Available True Available", "UpToDate False StrategyForbids", "DrainBlocked False NotBlocked"},
	} {
		s := newStage(t, "order-"+name)
		s.ready(aso)
		s.change(func(w *fleetwrightv1.WorkloadCluster) { w.Spec.Version = "v1.34.2" })
		s.settle()
		s.controlPlaneRuns(aso, "v1.34.2")
		version := func(what, name, want string) {
			t.Helper()
			s.settle()
			np := &fleetwrightv1.Nodepool{}
			if s.get(np, name); np.Spec.Version != want {
				t.Errorf("%s: %s has %q, want %q: %s", what, name, np.Spec.Version, want, s.message("UpToDate"))
			}
		}
		version("the System pool begins", "c-system", "v1.34.2")
		s.reports(&fleetwrightv1.Nodepool{}, "c-system", "Ready False CreatingGreen", "Available True Available", "UpToDate False CreatingGreen", "DrainBlocked False NotBlocked")
		version("the others wait for it", "c-general", "v1.33.6")
		s.reports(&fleetwrightv1.Nodepool{}, "c-system", reports...)
		version("it waits for a person", "c-general", "v1.34.2")
		s.poolReady("c-general", "v1.34.2")
		s.settle()
		if message := s.message("UpToDate"); message != "1 of 2 pools have their version; pool system: the test says so" {
			t.Errorf("%s: it is forgotten: %s", name, message)
		}
	}
}
