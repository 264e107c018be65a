package arm_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/fleetwright/fleetwright/internal/azure/arm"
	"github.com/fleetwright/fleetwright/internal/azure/broker"
	"github.com/fleetwright/fleetwright/internal/azure/refusal"
	"github.com/fleetwright/fleetwright/internal/azure/sim"
)

// TestEveryRequestPassesTheBroker: against an Azure that throttles, the typed clients of the SDK and our own requests spend
// one budget, what it does not hold is not sent, and no answer is 429.
func TestEveryRequestPassesTheBroker(t *testing.T) {
	a := newAzure(t, func(s *sim.Settings) { s.Throttling = true })
	o := a.options()
	o.Broker = broker.New(nil)
	client, err := arm.New(o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Capacity(t.Context(), query()); err != nil {
		t.Fatal(err)
	}
	hurry := func() context.Context {
		ctx, cancel := context.WithTimeout(broker.For(t.Context(), broker.Call{Cluster: "ns/shop", Region: location}), time.Second)
		t.Cleanup(cancel)
		return ctx
	}
	counted := 0
	for range 100 {
		if _, _, err = client.CountNodes(hurry(), poolID); err != nil {
			break
		}
		counted++
	}
	r, refused := refusal.Of(err)
	if !refused || r.Kind != refusal.Passing || r.Code != "BudgetSpent" || r.RetryAfter != time.Second || r.Doing != "count the nodes of agent pool blue" {
		t.Errorf("after %d requests: %v", counted, err)
	}
	err = client.DeleteMachines(hurry(), poolID, []string{"aks-blue"})
	if r, refused := refusal.Of(err); !refused || r.Code != "BudgetSpent" {
		t.Errorf("another request of the same budget: %v", err)
	}
	// 59 at once, and one a second.
	if n := a.asked("/agentPools/blue"); n != counted || n < 59 {
		t.Errorf("%d requests were sent, %d answered", n, counted)
	}
	for _, r := range a.server.Requests() {
		if strings.HasPrefix(r.UserAgent, "fleetwright") && r.Status == 429 {
			t.Errorf("%s %s was throttled", r.Method, r.Path)
		}
	}
	if n := testutil.CollectAndCount(o.Broker, "fleetwright_azure_budget_left"); n < 2 {
		t.Errorf("%d limits tell what is left", n)
	}
}
