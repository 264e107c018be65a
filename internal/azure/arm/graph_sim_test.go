package arm_test

import (
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"

	"github.com/fleetwright/fleetwright/internal/azure/graph"
	"github.com/fleetwright/fleetwright/internal/azure/roles"
	"github.com/fleetwright/fleetwright/internal/drift"
	"github.com/fleetwright/fleetwright/internal/drift/sweep"
)

// TestTheQueriesOfSweepsAreAnswered: what sweeps ask is answered by the simulator's reading of the query language, with rows that they
// can read.
func TestTheQueriesOfSweepsAreAnswered(t *testing.T) {
	a := newAzure(t)
	const principal, role = "aaaaaaaa-0000-4000-8000-000000000001", "7f951dda-4ed3-4680-a7ca-43fe172d538d"
	wish := roles.Assignment{ID: roles.IDOf(groupID, roles.Name(groupID, role, principal)), Scope: groupID, RoleID: role, PrincipalID: principal, PrincipalType: string(armauthorization.PrincipalTypeServicePrincipal)}
	if _, err := a.client.Assign(t.Context(), wish); err != nil {
		t.Fatal(err)
	}
	cluster := groupID + "/providers/Microsoft.ContainerService/managedClusters/shop"
	for _, tc := range []struct {
		target   sweep.Target
		declared sweep.Declared
	}{
		{sweep.RoleAssignments(nil), sweep.Declared{ID: wish.ID, Fields: map[string]any{sweep.FieldScope: groupID, sweep.FieldRole: role, sweep.FieldPrincipal: principal}}},
		{sweep.AutoscalerProfiles(nil), sweep.Declared{ID: cluster}},
	} {
		page, err := a.client.Query(t.Context(), graph.Query{Subscriptions: []string{subscription}, Text: tc.target.Query([]sweep.Declared{tc.declared}) + "\n| order by id asc"})
		if err != nil {
			t.Fatal(err)
		}
		if page.Total != 1 || len(page.Rows) != 1 || page.Remaining == 0 {
			t.Fatalf("%s: answered %+v", tc.target.Name, page)
		}
		found, err := tc.target.Read(page.Rows[0])
		if err != nil {
			t.Fatal(err)
		}
		if len(found) != 1 {
			t.Fatalf("%s: read %+v", tc.target.Name, found)
		}
		if diff := drift.Compare(map[string]any{"id": tc.declared.ID}, map[string]any{"id": found[0].ID}); diff != nil {
			t.Errorf("%s: %v", tc.target.Name, diff)
		}
		if diff := drift.Compare(tc.declared.Fields, found[0].Fields); tc.declared.Fields != nil && diff != nil {
			t.Errorf("%s: %v", tc.target.Name, diff)
		}
	}
}

// TestTheLogTellsWhoHasDeleted: of what is gone nothing but the activity log tells anything.
func TestTheLogTellsWhoHasDeleted(t *testing.T) {
	a := newAzure(t)
	const principal, role = "aaaaaaaa-0000-4000-8000-000000000001", "7f951dda-4ed3-4680-a7ca-43fe172d538d"
	wish := roles.Assignment{ID: roles.IDOf(groupID, roles.Name(groupID, role, principal)), Scope: groupID, RoleID: role, PrincipalID: principal}
	if _, err := a.client.Assign(t.Context(), wish); err != nil {
		t.Fatal(err)
	}
	if err := a.client.Unassign(t.Context(), wish.ID); err != nil {
		t.Fatal(err)
	}
	// The simulator's log has the time of the machine.
	a.clock.SetTime(time.Now().Add(time.Minute))
	changes, err := a.client.Changes(t.Context(), wish.ID, time.Now().Add(-time.Hour))
	if err != nil || len(changes) != 2 {
		t.Fatalf("the log has %+v, %v", changes, err)
	}
	for i, want := range []string{"write", "delete"} {
		if c := changes[i]; !strings.EqualFold(c.Operation, "Microsoft.Authorization/roleAssignments/"+want) || c.By == "" || c.At.IsZero() {
			t.Errorf("entry %d is %+v, want a %s", i, c, want)
		}
	}
}
