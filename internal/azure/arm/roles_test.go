package arm_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	aks "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerservice/armcontainerservice/v8"
	"github.com/google/go-cmp/cmp"

	"github.com/fleetwright/fleetwright/internal/azure/refusal"
	"github.com/fleetwright/fleetwright/internal/azure/roles"
	"github.com/fleetwright/fleetwright/internal/azure/sim"
)

const (
	acrPull    = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
	principal  = "55555555-5555-5555-5555-555555555555"
	clusterID  = groupID + "/providers/Microsoft.ContainerService/managedClusters/shop"
	registryID = groupID + "/providers/Microsoft.ContainerRegistry/registries/Shared"
)

// put makes a resource as its owner, with whatever api-version it has.
func (a *azure) put(path, version, body string) {
	a.t.Helper()
	token, err := a.sdk.Credential.GetToken(a.t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://management.azure.com/.default"}})
	if err != nil {
		a.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(a.t.Context(), http.MethodPut, a.server.URL()+path+"?api-version="+version, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token.Token)
	request.Header.Set("Content-Type", "application/json")
	response, err := a.sdk.Options.Transport.Do(request)
	if err != nil {
		a.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode >= http.StatusBadRequest {
		a.t.Fatalf("PUT %s: %s", path, response.Status)
	}
}

func wanted(scope string) roles.Assignment {
	return roles.Assignment{
		ID: roles.IDOf(scope, roles.Name(scope, acrPull, principal)), Scope: scope, RoleID: acrPull, PrincipalID: principal, PrincipalType: "ServicePrincipal",
	}
}

// TestRoleAssignments goes once through the life of an assignment: every request is counted.
func TestRoleAssignments(t *testing.T) {
	a := newAzure(t)
	ctx := t.Context()
	list := func(want ...roles.Assignment) {
		t.Helper()
		got, err := a.client.Assignments(ctx, networkID, principal)
		for i := range got {
			got[i].UpdatedBy = ""
		}
		slices.SortFunc(got, func(a, b roles.Assignment) int { return len(a.ID) - len(b.ID) })
		if diff := cmp.Diff(append([]roles.Assignment{}, want...), got); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	}
	list()
	above := wanted("/subscriptions/" + subscription)
	for _, w := range []roles.Assignment{wanted(networkID), above} {
		made, err := a.client.Assign(ctx, w)
		if err != nil || !made.Same(w) || !made.ByUs() || made.UpdatedBy == "" {
			t.Fatalf("made %+v: %v", made, err)
		}
	}
	// What is below a scope is listed as well, and what is above.
	list(above, wanted(networkID))
	if got, err := a.client.Assignment(ctx, above.ID); err != nil || !got.Same(above) {
		t.Errorf("got %+v: %v", got, err)
	}
	other := wanted(networkID)
	other.ID = roles.IDOf(networkID, "66666666-6666-6666-6666-666666666666")
	if _, err := a.client.Assign(ctx, other); !refusal.Is(err, refusal.Exists) {
		t.Errorf("a second equal one: %v", err)
	}
	for range 2 { // the second finds nothing
		if err := a.client.Unassign(ctx, above.ID); err != nil {
			t.Errorf("delete: %v", err)
		}
	}
	if _, err := a.client.Assignment(ctx, above.ID); !refusal.Is(err, refusal.Gone) {
		t.Errorf("after its deletion: %v", err)
	}
	list(wanted(networkID))
}

func TestRoleByName(t *testing.T) {
	a := newAzure(t)
	for range 2 {
		if got, err := a.client.RoleNamed(t.Context(), networkID, "acrpull"); err != nil || got != acrPull {
			t.Errorf("got %q: %v", got, err)
		}
	}
	if n := a.asked("/roleDefinitions"); n != 1 {
		t.Errorf("asked %d times, want once", n)
	}
	_, err := a.client.RoleNamed(t.Context(), networkID, "Network Wizard")
	if !refusal.Is(err, refusal.Gone) || !strings.Contains(err.Error(), `find role "Network Wizard": no role of that name can be assigned at `+networkID) {
		t.Errorf("got %v", err)
	}
}

func TestIdentitiesOfACluster(t *testing.T) {
	a := newAzure(t)
	a.put(clusterID+"2", "2025-10-01", `{"location": "`+location+`", "identity": {"type": "SystemAssigned"}, "properties": {"dnsPrefix": "shop2",
		"agentPoolProfiles": [{"name": "sys", "mode": "System", "count": 1, "vmSize": "Standard_D4s_v5", "osType": "Linux"}]}}`)
	// It is asked once, and again only by whoever needs to know how it is since.
	var got roles.Identities
	for _, since := range []time.Time{{}, a.clock.Now(), a.clock.Now().Add(time.Second)} {
		var err error
		if got, err = a.client.IdentitiesOf(t.Context(), clusterID+"2", since); err != nil {
			t.Fatal(err)
		}
	}
	if n := a.asked("/managedClusters/shop2"); n != 2 {
		t.Errorf("asked %d times, want twice", n)
	}
	answer, err := build(a, aks.NewManagedClustersClient).Get(t.Context(), group, "shop2", nil)
	if err != nil {
		t.Fatal(err)
	}
	want := roles.Identities{Kubelet: *answer.Properties.IdentityProfile["kubeletidentity"].ObjectID, ControlPlane: *answer.Identity.PrincipalID}
	if got != want || got.Kubelet == "" || got.ControlPlane == "" {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if _, err := a.client.IdentitiesOf(t.Context(), clusterID+"x", time.Time{}); !refusal.Is(err, refusal.Gone) {
		t.Errorf("of a cluster that is not there: %v", err)
	}
}

func TestLoginServerOfARegistry(t *testing.T) {
	a := newAzure(t)
	a.put(registryID, "2023-07-01", `{"location": "`+location+`", "sku": {"name": "Basic"}}`)
	for range 2 {
		if got, err := a.client.LoginServer(t.Context(), registryID); err != nil || got != "shared.azurecr.io" {
			t.Errorf("got %q: %v", got, err)
		}
	}
	if n := a.asked("/registries/Shared"); n != 1 {
		t.Errorf("asked %d times, want once", n)
	}
}

// TestRightsThatAreMissing: each refusal names the action and the scope of what was tried.
func TestRightsThatAreMissing(t *testing.T) {
	a := newAzure(t)
	ctx, w := t.Context(), wanted(networkID)
	for name, test := range map[string]struct {
		try           func() error
		action, scope string
	}{
		"list":       {func() error { _, err := a.client.Assignments(ctx, networkID, principal); return err }, "roleAssignments/read", networkID},
		"get":        {func() error { _, err := a.client.Assignment(ctx, w.ID); return err }, "roleAssignments/read", networkID},
		"put":        {func() error { _, err := a.client.Assign(ctx, w); return err }, "roleAssignments/write", networkID},
		"delete":     {func() error { return a.client.Unassign(ctx, w.ID) }, "roleAssignments/delete", networkID},
		"definition": {func() error { _, err := a.client.RoleNamed(ctx, networkID, "Reader"); return err }, "roleDefinitions/read", networkID},
	} {
		t.Run(name, func(t *testing.T) {
			a.fault("/roleAssignments|/roleDefinitions", 1, sim.FaultError{Status: http.StatusForbidden, Code: "AuthorizationFailed", Message: "no"})
			r, is := refusal.Of(test.try())
			if !is || r.Kind != refusal.Denied || r.Action != "Microsoft.Authorization/"+test.action || r.Scope != test.scope {
				t.Errorf("got %+v", r)
			}
		})
	}
}

// TestScopesThatLeadElsewhere: a scope is written by people, and the operator's token goes with the request.
func TestScopesThatLeadElsewhere(t *testing.T) {
	a := newAzure(t)
	for _, scope := range []string{groupID + "/../../x", groupID + "//x", groupID + "?x=", groupID + "/%2e%2e/x", groupID + "#"} {
		if _, err := a.client.Assignments(t.Context(), scope, principal); err == nil {
			t.Errorf("lists at %q", scope)
		}
		if _, err := a.client.RoleNamed(t.Context(), scope, "Reader"); err == nil {
			t.Errorf("finds roles at %q", scope)
		}
		if _, err := a.client.Assign(t.Context(), wanted(scope)); err == nil {
			t.Errorf("assigns at %q", scope)
		}
	}
	if n := a.asked(""); n > 0 {
		t.Errorf("%d requests were made", n)
	}
}
