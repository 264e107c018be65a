package sim_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fleetwright/fleetwright/internal/azure/sim"
)

const (
	registry = "/subscriptions/" + subscription + "/resourceGroups/" + group + "/providers/Microsoft.ContainerRegistry/registries/shared"
	acrPull  = "/subscriptions/" + subscription + "/providers/Microsoft.Authorization/roleDefinitions/7f951dda-4ed3-4680-a7ca-43fe172d538d"
	name1    = "11111111-0000-4000-8000-000000000001"
	name2    = "11111111-0000-4000-8000-000000000002"
)

func assignment(principal string, kind *armauthorization.PrincipalType) armauthorization.RoleAssignmentCreateParameters {
	return armauthorization.RoleAssignmentCreateParameters{Properties: &armauthorization.RoleAssignmentProperties{
		PrincipalID: to.Ptr(principal), RoleDefinitionID: to.Ptr(acrPull), PrincipalType: kind,
	}}
}

func TestRoleAssignments(t *testing.T) {
	a := newAzure(t, func(s *sim.Settings) { s.Durations.PrincipalReplication = metav1.Duration{Duration: time.Minute} })
	created := a.makeCluster()
	a.makeRegistry("shared")
	ctx, kubelet := t.Context(), *created.Properties.IdentityProfile["kubeletidentity"].ObjectID
	principal := to.Ptr(armauthorization.PrincipalTypeServicePrincipal)

	_, err := a.assignments.Create(ctx, registry, "not-a-guid", assignment(kubelet, principal), nil)
	wantCode(t, err, http.StatusBadRequest, "InvalidRoleAssignmentId", "")
	_, err = a.assignments.Create(ctx, registry, name1, assignment(kubelet, nil), nil)
	wantCode(t, err, http.StatusBadRequest, "PrincipalNotFound", "does not exist in the directory "+tenant)
	got, err := a.assignments.Create(ctx, registry, name1, assignment(kubelet, principal), nil)
	if err != nil || *got.Properties.Scope != registry || *got.ID != registry+"/providers/Microsoft.Authorization/roleAssignments/"+name1 {
		t.Fatalf("assignment: %+v %v", got.RoleAssignment, err)
	}
	if _, err := a.assignments.Create(ctx, registry, name1, assignment(kubelet, principal), nil); err != nil {
		t.Errorf("the same again: %v", err)
	}
	_, err = a.assignments.Create(ctx, registry+"2", name2, assignment(kubelet, principal), nil)
	wantCode(t, err, http.StatusNotFound, "ResourceNotFound", "registries/shared2")
	unknown := assignment(kubelet, principal)
	unknown.Properties.RoleDefinitionID = to.Ptr(strings.Replace(acrPull, "7f95", "7f96", 1))
	_, err = a.assignments.Create(ctx, registry, name2, unknown, nil)
	wantCode(t, err, http.StatusBadRequest, "RoleDefinitionDoesNotExist", "")
	_, err = a.assignments.Create(ctx, registry, name1, assignment(client, principal), nil)
	wantCode(t, err, http.StatusBadRequest, "RoleAssignmentUpdateNotPermitted", "")
	_, err = a.assignments.Create(ctx, strings.ToUpper(registry), name2, assignment(kubelet, principal), nil)
	wantCode(t, err, http.StatusConflict, "RoleAssignmentExists", strings.ReplaceAll(name1, "-", ""))
	a.clock.Step(time.Minute)
	groupScope := "/subscriptions/" + subscription + "/resourceGroups/" + group
	if _, err := a.assignments.Create(ctx, groupScope, name2, assignment(kubelet, nil), nil); err != nil {
		t.Errorf("after replication: %v", err)
	}

	for name, test := range map[string]struct {
		scope, filter string
		want          int
	}{
		"at and above the registry":  {registry, "atScope()", 2},
		"at the group":               {groupScope, "atScope()", 1},
		"at and below the group":     {groupScope, "", 2},
		"below the subscription":     {"/subscriptions/" + subscription, "", 2},
		"above only":                 {"/subscriptions/" + subscription, "atScope()", 0},
		"of the kubelet":             {"/subscriptions/" + subscription, "principalId eq '" + kubelet + "'", 2},
		"assigned to somebody else":  {"/subscriptions/" + subscription, "assignedTo('" + client + "')", 0},
		"of another resource's name": {registry + "2", "atScope()", 1},
		"both":                       {groupScope, "atScope() and assignedTo('" + kubelet + "')", 1},
		"at the root":                {"/", "", 2},
	} {
		t.Run(name, func(t *testing.T) {
			n := 0
			options := &armauthorization.RoleAssignmentsClientListForScopeOptions{}
			if test.filter != "" {
				options.Filter = to.Ptr(test.filter)
			}
			for pager := a.assignments.NewListForScopePager(test.scope, options); pager.More(); {
				page, err := pager.NextPage(ctx)
				if err != nil {
					t.Fatal(err)
				}
				n += len(page.Value)
			}
			if n != test.want {
				t.Errorf("%d assignments, want %d", n, test.want)
			}
		})
	}
	if deleted, err := a.assignments.Delete(ctx, registry, name1, nil); err != nil || *deleted.Name != name1 {
		t.Errorf("delete: %v", err)
	}
	if _, err := a.assignments.Delete(ctx, registry, name1, nil); err != nil {
		t.Errorf("delete again: %v", err)
	}
	_, err = a.assignments.Get(ctx, registry, name1, nil)
	wantCode(t, err, http.StatusNotFound, "RoleAssignmentNotFound", "")
}
