package roleassignment

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/azure/roles"
	"github.com/fleetwright/fleetwright/internal/drift"
	"github.com/fleetwright/fleetwright/internal/hold"
)

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

const (
	testScope     = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/acr/providers/Microsoft.ContainerRegistry/registries/shared"
	testRole      = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
	testPrincipal = "55555555-5555-5555-5555-555555555555"
	foreignID     = testScope + "/providers/Microsoft.Authorization/roleAssignments/66666666-6666-6666-6666-666666666666"
)

func ours() roles.Assignment {
	return roles.Assignment{
		ID: roles.IDOf(testScope, roles.Name(testScope, testRole, testPrincipal)), Scope: testScope, RoleID: testRole, PrincipalID: testPrincipal, PrincipalType: "ServicePrincipal",
	}
}

func theirs() roles.Assignment {
	a := ours()
	a.ID = foreignID
	return a
}

var (
	paused  = hold.Hold{Reason: "Paused", Message: "the AzureRoleAssignment says reconcile: Paused"}
	gentle  = hold.Hold{Reason: "Frozen", Message: "Freeze a/b (NonDisruptive): x", NonDisruptive: true}
	fought  = []drift.Write{{At: noon.Add(-50 * time.Minute)}, {At: noon.Add(-49 * time.Minute), Ours: true}, {At: noon.Add(-30 * time.Minute)}, {At: noon.Add(-29 * time.Minute), Ours: true}, {At: noon, By: "terraform"}}
	drifted = []drift.Write{{At: noon}}
)

// TestDecide has the smallest world for each answer. Reasons are literals: renaming one changes the API.
func TestDecide(t *testing.T) {
	type answer struct {
		Verdict         verdict
		Action          action
		Reason, Message string
		Again           time.Duration
	}
	for name, test := range map[string]struct {
		change func(*world)
		want   answer
	}{
		"it was never there": {func(*world) {}, answer{working, assign, "NotAssigned", "the assignment is made", 0}},
		"it is there": {
			func(w *world) { w.found, w.marked, w.applied = new(ours()), true, true },
			answer{done, nothing, "Assigned", "assigned", 0},
		},
		"it is there and not written down": {
			func(w *world) { w.found = new(ours()) }, answer{done, remember, "Assigned", "assigned", 0},
		},
		"nothing is written down while everything is held": {
			func(w *world) { w.found, w.hold = new(ours()), paused }, answer{done, nothing, "Assigned", "assigned", 0},
		},
		"it is there with a condition": {
			func(w *world) {
				a := ours()
				a.Condition, w.found, w.marked = "x", &a, true
			},
			answer{done, nothing, "Assigned", "assigned; a condition that somebody set narrows what it allows", 0},
		},
		"somebody else has made it": {
			func(w *world) { w.found = new(theirs()) },
			answer{done, remember, "Assigned", "adopted, made by somebody else as " + foreignID, 0},
		},
		"somebody else has made it, which is reported": {
			func(w *world) {
				w.found, w.spec.ExistingPolicy = new(theirs()), fleetwrightv1.ExistingPolicyReport
			},
			answer{waiting, nothing, "ExistsElsewhere", "somebody else has made the same assignment, " + foreignID + ": delete it, or set existingPolicy to Adopt", 0},
		},
		"our own is never reported": {
			func(w *world) {
				w.found, w.marked, w.spec.ExistingPolicy = new(ours()), true, fleetwrightv1.ExistingPolicyReport
			},
			answer{done, nothing, "Assigned", "assigned", 0},
		},
		"it is gone": {
			func(w *world) { w.applied, w.history = true, drifted }, answer{working, assign, "Drifted", "it is missing", 0},
		},
		"it is gone, and Azure says who": {
			func(w *world) {
				w.applied, w.history, w.gone.ChangedBy, w.gone.ChangedAt = true, drifted, "jane@example.org", noon.Add(-time.Minute)
			},
			answer{working, assign, "Drifted", "it is missing, changed by jane@example.org 1m0s ago", 0},
		},
		"it is gone, which is reported": {
			func(w *world) {
				w.applied, w.history, w.spec.DriftPolicy = true, drifted, fleetwrightv1.DriftPolicyReport
			},
			answer{waiting, nothing, "Drifted", "it is missing; driftPolicy Report leaves it so", 0},
		},
		"it was never there, whatever the policy": {
			func(w *world) { w.spec.DriftPolicy = fleetwrightv1.DriftPolicyReport }, answer{working, assign, "NotAssigned", "the assignment is made", 0},
		},
		"it is gone, which is lived with": {
			func(w *world) {
				w.applied, w.history, w.spec.DriftPolicy = true, drifted, fleetwrightv1.DriftPolicyAdopt
			},
			answer{done, nothing, "Drifted", "it is missing; driftPolicy Adopt lives with it: delete this AzureRoleAssignment if nobody needs it", 0},
		},
		"it is gone for the third time": {
			func(w *world) { w.applied, w.history = true, fought },
			answer{stuck, nothing, "ContendedByAnotherManager", "terraform has written the opposite 3 times since 11:10:00 (it is missing): end that, or take these fields out of the spec, or set driftPolicy to Report", 0},
		},
		"it is missing while everything is held": {
			func(w *world) { w.hold = paused }, answer{held, nothing, "NotAssigned", "the AzureRoleAssignment says reconcile: Paused", 0},
		},
		"it is missing while disruption is held": {
			func(w *world) { w.hold = gentle }, answer{working, assign, "NotAssigned", "the assignment is made", 0},
		},
		"it is missing and the cluster leaves": {
			func(w *world) { w.leaving = true },
			answer{waiting, nothing, "NotAssigned", "Cluster prod is being deleted, so nothing is assigned any more", 0},
		},
		"something is in the way": {
			func(w *world) { w.obstacle = &obstacle{stuck, "RoleNotFound", "none", time.Minute} },
			answer{stuck, nothing, "RoleNotFound", "none", time.Minute},
		},

		"deleted": {
			func(w *world) { w.deleting, w.left = true, []roles.Assignment{ours()} },
			answer{working, unassign, "Releasing", "role assignment " + ours().ID + " is deleted", 0},
		},
		"deleted and gone": {func(w *world) { w.deleting = true }, answer{working, letGo, "Releasing", "nothing is left to delete in Azure", 0}},
		"deleted, and adopted before": {
			func(w *world) { w.deleting, w.left = true, []roles.Assignment{theirs()} },
			answer{working, letGo, "Releasing", foreignID + " was made by somebody else, so it stays", 0},
		},
		"deleted, and another object has it": {
			func(w *world) {
				w.deleting, w.left, w.shared = true, []roles.Assignment{ours()}, map[string]string{key(ours().ID): "x/y"}
			},
			answer{working, letGo, "Releasing", "AzureRoleAssignment x/y has the same assignment, so it stays", 0},
		},
		"deleted while disruption is held": {
			func(w *world) { w.deleting, w.left, w.hold = true, []roles.Assignment{ours()}, gentle },
			answer{held, nothing, "Frozen", "Freeze a/b (NonDisruptive): x; the assignment stays meanwhile", 0},
		},
		"deleted and gone while disruption is held": {
			func(w *world) { w.deleting, w.hold = true, gentle }, answer{working, letGo, "Releasing", "nothing is left to delete in Azure", 0},
		},
		"deleted and gone while everything is held": {
			func(w *world) { w.deleting, w.hold = true, paused }, answer{held, nothing, "Paused", "the AzureRoleAssignment says reconcile: Paused", 0},
		},
		"deleted and retained": {
			func(w *world) { w.deleting, w.spec.DeletionPolicy = true, fleetwrightv1.DeletionPolicyRetain },
			answer{working, letGo, "Retaining", "the assignment stays in Azure", 0},
		},
		"deleted and protected": {
			func(w *world) { w.deleting, w.spec.DeletionPolicy = true, fleetwrightv1.DeletionPolicyProtect },
			answer{held, nothing, "DeletionProtected", "deletionPolicy is Protect: set it to Delete or Retain", 0},
		},
		"deleted and something is in the way": {
			func(w *world) {
				w.deleting, w.obstacle = true, &obstacle{stuck, "PermissionDenied", "no", time.Minute}
			},
			answer{stuck, nothing, "PermissionDenied", "no; deletionPolicy Retain leaves the assignment in Azure", time.Minute},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := world{spec: fleetwrightv1.AzureRoleAssignmentSpec{ClusterName: "prod"}, wanted: ours()}
			w.gone = drift.Look{Fields: []drift.Field{{Path: "missing"}}, Applied: true}
			test.change(&w)
			p := decide(w, noon)
			got := answer{p.verdict, p.action, p.reason, p.message, p.again}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
