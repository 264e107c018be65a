package clusterautoscaler

import (
	"testing"
	"time"

	"github.com/fleetwright/fleetwright/internal/autoscalerprofile"
)

// TestDriftWithoutTheObjectOfASO: where no object of Azure Service Operator tells what Azure has, Azure is asked and CAPZ's own object says
// how far it has come. Drift is healed there as well, and what CAPZ is still at work on is none.
func TestDriftWithoutTheObjectOfASO(t *testing.T) {
	s := newStage(t, managedKind, leastWaste)
	s.serve()
	u := s.empty("ManagedCluster")
	u.SetNamespace(s.key.Namespace)
	u.SetName("c")
	if err := server.Delete(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	s.running("True", "")
	s.says("True Applied")
	s.azure.values = autoscalerprofile.Values{"expander": "priority", "scale-down-unneeded-time": "5m", "daemonset-eviction-for-empty-nodes": "true"}
	s.azure.by = "ops@shop.example"
	s.running("False", "Creating")
	s.says(`False Unconfirmed: written to AzureManagedControlPlane c; Azure does not show it yet: expander is "priority"`)
	s.running("True", "")
	s.says(`False Unconfirmed: written to Azure: expander is "priority", declared is "least-waste", changed by ops@shop.example`)
	if s.azure.puts != 1 || s.writes > 0 || s.outcomes() != "Healed expander" {
		t.Errorf("%d PUTs, %d writes, %q", s.azure.puts, s.writes, s.outcomes())
	}
	s.says("True Applied")
	s.azure.values = autoscalerprofile.Values{"expander": "priority"}
	s.running("False", "Failed")
	s.says("False AzureRefused: written to AzureManagedControlPlane c, and refused: ")
	if s.azure.puts != 1 {
		t.Errorf("%d PUTs of what Azure has refused", s.azure.puts)
	}
}

// running is what CAPZ says of the AKS cluster in its own object.
func (s *stage) running(status, reason string) {
	s.t.Helper()
	condition := map[string]any{"type": "ManagedClusterRunning", "status": status, "lastTransitionTime": s.clock.Now().UTC().Format(time.RFC3339)}
	if reason != "" {
		condition["reason"], condition["severity"], condition["message"] = reason, "Info", "as Azure says"
	}
	plane := s.plane()
	plane.Object["status"] = map[string]any{"initialized": true, "ready": true, "conditions": []any{condition}}
	if err := server.Status().Update(s.t.Context(), plane); err != nil {
		s.t.Fatal(err)
	}
}
