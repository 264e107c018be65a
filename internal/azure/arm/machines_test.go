package arm_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerservice/armcontainerservice/v8"

	"github.com/fleetwright/fleetwright/internal/azure/refusal"
	"github.com/fleetwright/fleetwright/internal/azure/sim"
)

// machine is the name of a machine of the pool blue.
func (a *azure) machine(n int) string {
	a.t.Helper()
	p, err := a.pool()
	if err != nil {
		a.t.Fatal(err)
	}
	// The digits are a hash of the cluster's id; any refusal tells them.
	err = a.client.DeleteMachines(a.t.Context(), *p.ID, []string{"nobody"})
	r, refused := refusal.Of(err)
	if !refused || r.Kind != refusal.Gone {
		a.t.Fatalf("a machine that is not there: %v", err)
	}
	_, list, _ := strings.Cut(r.Message, "agent pool 'blue' are: ")
	first, _, _ := strings.Cut(list, ",")
	return fmt.Sprintf("%s%d", first[:len(first)-1], n)
}

func (a *azure) pool() (armcontainerservice.AgentPoolsClientGetResponse, error) {
	return build(a, armcontainerservice.NewAgentPoolsClient).Get(a.t.Context(), group, "shop", "blue", nil)
}

func TestDeleteMachinesStartsADeletion(t *testing.T) {
	a := newAzure(t)
	names := []string{a.machine(0), a.machine(2)}
	settings := a.server.Settings()
	settings.Durations.PoolUpdate.Duration = time.Hour // it must not be waited for
	a.server.SetSettings(settings)
	if err := a.client.DeleteMachines(t.Context(), poolID, names); err != nil {
		t.Fatal(err)
	}
	got, err := a.pool()
	if err != nil || *got.Properties.Count != 1 || *got.Properties.ProvisioningState != "Updating" {
		t.Errorf("pool: %+v %v", got.Properties, err)
	}
	err = a.client.DeleteMachines(t.Context(), poolID, []string{names[0]})
	if !refusal.Is(err, refusal.Busy) || !strings.Contains(err.Error(), "Another agentpool operation (blue - Updating) is in progress") {
		t.Errorf("while it runs: %v", err)
	}
}

func TestDeleteMachinesRefusals(t *testing.T) {
	a := newAzure(t)
	for name, tc := range map[string]struct {
		fault sim.FaultError
		want  refusal.Error
	}{
		"busy": {
			sim.FaultError{Status: 409, Code: "OperationNotAllowed", Message: "Another operation (Updating) is in progress"},
			refusal.Error{Kind: "Busy", Status: 409},
		},
		"throttled": {
			sim.FaultError{Status: 429, Code: "Throttled", Message: "slow down", RetryAfterSeconds: 17},
			refusal.Error{Kind: "Passing", Status: 429, RetryAfter: 17 * time.Second},
		},
		"ailing": {serverError, refusal.Error{Kind: "Passing", Status: 503}},
		"denied": {
			sim.FaultError{Status: 403, Code: "AuthorizationFailed", Message: "The client 'x' does not have authorization to perform action 'a/b/action' over scope '/c' or the scope is invalid."},
			refusal.Error{Kind: "Denied", Status: 403, Action: "a/b/action", Scope: "/c"},
		},
		"denied without words": {
			sim.FaultError{Status: 403, Code: "Forbidden", Message: "no"},
			refusal.Error{Kind: "Denied", Status: 403, Action: "Microsoft.ContainerService/managedClusters/agentPools/deleteMachines/action", Scope: poolID},
		},
		"gone":    {sim.FaultError{Status: 404, Code: "ResourceNotFound", Message: "no"}, refusal.Error{Kind: "Gone", Status: 404}},
		"refused": {sim.FaultError{Status: 400, Code: "NotSupported", Message: "no"}, refusal.Error{Kind: "Final", Status: 400}},
	} {
		t.Run(name, func(t *testing.T) {
			before := a.asked("/deleteMachines")
			a.fault("/deleteMachines$", 1, tc.fault)
			// Each with a budget of its own: one that was throttled asks nothing more for a while.
			err := a.connect().DeleteMachines(t.Context(), poolID, []string{"aks-blue"})
			got, refused := refusal.Of(err)
			if !refused {
				t.Fatalf("%v is no refusal", err)
			}
			want := tc.want
			want.Doing, want.Code, want.Message = "delete 1 machines of agent pool blue", tc.fault.Code, tc.fault.Message
			if *got != want {
				t.Errorf("got %+v, want %+v", *got, want)
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("more than one line: %s", err)
			}
			if n := a.asked("/deleteMachines") - before; n != 1 {
				t.Errorf("%d tries, want 1", n)
			}
		})
	}
}

func TestDeleteMachinesLosesTheReply(t *testing.T) {
	a := newAzure(t)
	name := a.machine(1)
	if _, err := a.server.AddFault(sim.Fault{Path: "/deleteMachines$", Effect: sim.Effect{LoseReply: true}}); err != nil {
		t.Fatal(err)
	}
	if err := a.client.DeleteMachines(t.Context(), poolID, []string{name}); !refusal.Is(err, refusal.Passing) {
		t.Errorf("a lost reply is %v", err)
	}
	// It has had its effect: the machine is not there to be deleted again.
	a.eventually("the machine goes", func() error {
		if err := a.client.DeleteMachines(t.Context(), poolID, []string{name}); !refusal.Is(err, refusal.Gone) {
			return fmt.Errorf("again: %w", err)
		}
		return nil
	})
}

func TestDeleteMachinesNeedsAPoolAndMachines(t *testing.T) {
	a := newAzure(t)
	for id, names := range map[string][]string{poolID: nil, groupID: {"x"}, networkID: {"x"}, "blue": {"x"}, poolID + "/": {"x"}} {
		err := a.client.DeleteMachines(t.Context(), id, names)
		if _, refused := refusal.Of(err); err == nil || refused {
			t.Errorf("%s %v: %v", id, names, err)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	err := a.client.DeleteMachines(ended, poolID, []string{"x"})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("of one who has gone: %v", err)
	}
	if n := a.asked("/deleteMachines"); n != 0 {
		t.Errorf("%d requests", n)
	}
}
