package azure_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/azure/sim"
)

// healOnceGranted: the identity of the cluster loses the right to assign roles, and then the role is deleted. The object says which right is
// missing where. Sweeps leave it alone meanwhile; once the right is granted it is tried in ten minutes, or at any change of the object.
func healOnceGranted(t *testing.T, w *world) {
	const (
		name   = "zone-writer"
		scope  = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/dns"
		action = "Microsoft.Authorization/roleAssignments/write"
	)
	w.raw.do(t, http.MethodPut, scope, "2021-04-01", map[string]any{"location": "westeurope"})
	must(t, w.management.Create(t.Context(), &fleetwrightv1.AzureRoleAssignment{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: fleetwrightv1.AzureRoleAssignmentSpec{
			ClusterName: clusterName, Scope: scope,
			Role:      fleetwrightv1.AzureRole{Name: "DNS Zone Contributor"},
			Principal: fleetwrightv1.AzurePrincipal{ObjectID: "77777777-7777-7777-7777-777777777777"},
		},
	}))
	state := func(kind string) func(context.Context) (bool, string) {
		return func(ctx context.Context) (bool, string) {
			return conditionOf(w.assignment(ctx, t, name).Status.Conditions, kind)
		}
	}
	eventually(t, 30*time.Second, "the role is assigned", state("Ready"))
	w.awaitSweeps(t, "role assignments")

	w.deny(sim.Denial{Principal: clusterIdentity, Action: action, Scope: scope})
	deleted := time.Now()
	w.raw.do(t, http.MethodDelete, w.assignment(t.Context(), t, name).Status.AssignmentID, "2022-04-01", nil)
	want := fmt.Sprintf("client %s may not; grant it %s on %s (", clusterIdentity, action, scope)
	for _, kind := range []string{"Stalled", "Ready", "Assigned"} {
		eventually(t, 20*time.Second, kind+" says what is missing", func(ctx context.Context) (bool, string) {
			_, now := state(kind)(ctx)
			return strings.HasPrefix(now, "PermissionDenied: ") && strings.Contains(now, want), now
		})
	}
	w.awaitTold(t, name, "PermissionDenied", want)
	if n := w.requests(http.MethodPut, scope+assignments, deleted); n != 0 {
		t.Errorf("the role was assigned %d times without the right", n)
	}

	w.deny()
	a := w.assignment(t.Context(), t, name)
	a.Spec.DeletionPolicy = fleetwrightv1.DeletionPolicyRetain
	must(t, w.management.Update(t.Context(), a))
	eventually(t, 20*time.Second, "the role is assigned once the right is granted", state("Ready"))
	a = w.assignment(t.Context(), t, name)
	if h := a.Status.DriftHistory; a.Generation != 2 || len(h) != 1 || h[0].Outcome != fleetwrightv1.DriftOutcomeHealed || h[0].ChangedBy != somebody {
		t.Errorf("generation %d, history %+v", a.Generation, h)
	}
	if n := w.requests(http.MethodPut, scope+assignments, deleted); n != 1 {
		t.Errorf("the role was assigned by %d PUTs, want 1", n)
	}
}

// deny takes these rights away, and gives all others back.
func (w *world) deny(rights ...sim.Denial) {
	settings := w.Azure().Settings()
	settings.Permissions.Denied = rights
	w.Azure().SetSettings(settings)
}
