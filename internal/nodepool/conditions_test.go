package nodepool

import (
	"testing"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/agentpool"
	"github.com/fleetwright/fleetwright/internal/nodepool/replacement"
)

// A Nodepool that has no pool yet, and so nothing that differs, says what it waits for.
func TestWhatIsNotUpToDateSaysWhy(t *testing.T) {
	waits := replacement.Plan{Message: "Cluster c is not ready for pools yet"}
	differs := replacement.Plan{Message: "the green pool comes", Changes: []agentpool.Change{{Field: "machineType", From: "a", To: "b", Effect: agentpool.Replace}}}
	for _, test := range []struct {
		plan replacement.Plan
		want string
	}{{waits, waits.Message}, {differs, agentpool.Describe(differs.Changes)}} {
		got := upToDateCondition(&observation{}, test.plan)
		if got.Reason != fleetwrightv1.ReasonReplacementNeeded || got.Message == "" || got.Message != test.want {
			t.Errorf("it says %s: %q, want %q", got.Reason, got.Message, test.want)
		}
	}
}
