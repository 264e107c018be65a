package sim_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"
	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fleetwright/fleetwright/internal/azure/sim"
	"github.com/fleetwright/fleetwright/internal/azure/sim/entra"
)

// TestDeniedActions: what is denied is refused in ARM's words, with the action and the scope, and nothing else is.
func TestDeniedActions(t *testing.T) {
	a := newAzure(t)
	a.makeCluster()
	a.makeRegistry("shared")
	const (
		group2     = "/subscriptions/" + subscription + "/resourceGroups/" + group
		assigned   = registry + "/providers/Microsoft.Authorization/roleAssignments/" + name1
		aksVersion = "?api-version=2025-10-01"
		body       = `{"properties": {"principalId": "` + other + `", "principalType": "ServicePrincipal", "roleDefinitionId": "` + acrPull + `"}}`
	)
	for name, test := range map[string]struct {
		denial             sim.Denial
		method, path, body string
		action, scope      string
	}{
		"an assignment at a registry": {sim.Denial{Action: "Microsoft.Authorization/roleAssignments/write", Scope: registry},
			"PUT", assigned + "?api-version=2022-04-01", body, "Microsoft.Authorization/roleAssignments/write", assigned},
		"by its object id, in other letters": {sim.Denial{Principal: strings.ToUpper(entra.ObjectID(client)), Action: "microsoft.authorization/*/WRITE", Scope: strings.ToUpper(group2)},
			"PUT", assigned + "?api-version=2022-04-01", body, "Microsoft.Authorization/roleAssignments/write", assigned},
		"a read of a cluster": {sim.Denial{Principal: client, Action: "*/read"}, "GET", clusterID + aksVersion, "", "Microsoft.ContainerService/managedClusters/read", clusterID},
		"a list in a subscription": {sim.Denial{Action: "Microsoft.ContainerService/managedClusters/read"},
			"GET", "/subscriptions/" + subscription + "/providers/Microsoft.ContainerService/managedClusters" + aksVersion, "", "Microsoft.ContainerService/managedClusters/read", "/subscriptions/" + subscription},
		"a list in a group": {sim.Denial{Action: "*", Scope: group2},
			"GET", group2 + "/providers/Microsoft.ContainerService/managedClusters" + aksVersion, "", "Microsoft.ContainerService/managedClusters/read", group2},
		"pools of a cluster": {sim.Denial{Action: "*/agentPools/read"}, "GET", clusterID + "/agentPools" + aksVersion, "", "Microsoft.ContainerService/managedClusters/agentPools/read", clusterID},
		"an action": {sim.Denial{Action: "*/action"},
			"POST", clusterID + "/listClusterAdminCredential" + aksVersion, "", "Microsoft.ContainerService/managedClusters/listClusterAdminCredential/action", clusterID},
		"tags of a cluster": {sim.Denial{Action: "*/write"}, "PATCH", clusterID + aksVersion, `{"tags": {}}`, "Microsoft.ContainerService/managedClusters/write", clusterID},
		"a deletion":        {sim.Denial{Action: "*/delete"}, "DELETE", registry + registryVersion, "", "Microsoft.ContainerRegistry/registries/delete", registry},
		"a group":           {sim.Denial{Action: "Microsoft.Resources/*"}, "GET", group2 + "?api-version=2021-04-01", "", "Microsoft.Resources/subscriptions/resourceGroups/read", group2},
		"what is not there": {sim.Denial{Action: "*/read"}, "GET", clusterID + "x" + aksVersion, "", "Microsoft.ContainerService/managedClusters/read", clusterID + "x"},
	} {
		t.Run(name, func(t *testing.T) {
			settings := sim.DefaultSettings()
			settings.Permissions.Denied = []sim.Denial{test.denial}
			a.server.SetSettings(settings)
			var got answer
			status := a.raw(test.method, test.path, test.body, a.token(), &got)
			want := "The client '" + client + "' with object id '" + entra.ObjectID(client) + "' does not have authorization to perform action '" + test.action + "' over scope '" + test.scope + "' or the scope is invalid."
			if status != http.StatusForbidden || got.Error.Code != "AuthorizationFailed" || !strings.HasPrefix(got.Error.Message, want) {
				t.Errorf("%d %+v\nwant %s", status, got.Error, want)
			}
			settings.Permissions.Denied[0].Principal = other
			a.server.SetSettings(settings)
			if status := a.raw(test.method, test.path, test.body, a.token(), nil); status == http.StatusForbidden {
				t.Error("somebody else's denial is ours")
			}
			settings.Permissions.Denied[0] = sim.Denial{Action: test.denial.Action, Scope: "/subscriptions/" + tenant}
			a.server.SetSettings(settings)
			if status := a.raw(test.method, test.path, test.body, a.token(), nil); status == http.StatusForbidden {
				t.Error("the denial of another scope is of this one")
			}
		})
		if name == "a deletion" {
			a.makeRegistry("shared")
		}
	}
}

// TestEnforcedPrincipals: who is under roles may do what they allow when they have spread, and sees no more in Resource Graph.
func TestEnforcedPrincipals(t *testing.T) {
	a := newAzure(t, noQuota, func(s *sim.Settings) {
		s.Permissions.Enforced = []string{other}
		s.Durations.RolePropagation = metav1.Duration{Duration: time.Minute}
	})
	a.makeCluster()
	a.makeRegistry("shared")
	token := a.tokenOf(other)
	read := func(path string) int { return a.raw("GET", path, "", token, nil) }
	rows := func() int {
		return a.queryAs(token, "resources | where type endswith 'registries' or type endswith 'managedclusters'").Count
	}
	if status := read(registry + registryVersion); status != http.StatusForbidden || rows() != 0 {
		t.Errorf("without a role: %d, %d rows", status, rows())
	}
	given := assignment(entra.ObjectID(other), to.Ptr(armauthorization.PrincipalTypeServicePrincipal))
	given.Properties.RoleDefinitionID = to.Ptr(strings.Replace(acrPull, "7f951dda-4ed3-4680-a7ca-43fe172d538d", "acdd72a7-3385-48ef-bd42-f606fba81ae7", 1))
	if _, err := a.assignments.Create(t.Context(), registry, name1, given, nil); err != nil {
		t.Fatal(err)
	}
	if status := read(registry + registryVersion); status != http.StatusForbidden {
		t.Errorf("before the role has spread: %d", status)
	}
	a.clock.Step(time.Minute)
	if status := read(registry + registryVersion); status != http.StatusOK || rows() != 1 {
		t.Errorf("as a reader of the registry: %d, %d rows", status, rows())
	}
	if status := read(clusterID + "?api-version=2025-10-01"); status != http.StatusForbidden {
		t.Errorf("the cluster: %d", status)
	}
	if status := a.raw("DELETE", registry+registryVersion, "", token, nil); status != http.StatusForbidden {
		t.Errorf("a reader deletes: %d", status)
	}
	a.clock.Step(time.Second)
	if status := a.raw("GET", registry+registryVersion, "", a.token(), nil); status != http.StatusOK {
		t.Errorf("somebody who is under no roles: %d", status)
	}
}

// TestLostRepliesOfTheNewTypes: what was asked for is done, the answer is lost.
func TestLostRepliesOfTheNewTypes(t *testing.T) {
	a := newAzure(t, noQuota)
	a.makeCluster()
	a.makeRegistry("shared")
	kind := to.Ptr(armauthorization.PrincipalTypeServicePrincipal)
	if _, err := a.server.AddFault(sim.Fault{Method: "PUT", Path: "/roleAssignments/", Effect: sim.Effect{LoseReply: true}}); err != nil {
		t.Fatal(err)
	}
	if _, err := a.assignments.Create(t.Context(), registry, name1, assignment(client, kind), nil); err == nil {
		t.Fatal("the reply came")
	}
	if _, err := a.assignments.Get(t.Context(), registry, name1, nil); err != nil {
		t.Errorf("the assignment was not made: %v", err)
	}
	if _, err := a.server.AddFault(sim.Fault{Path: "ResourceGraph", Effect: sim.Effect{Error: &sim.FaultError{Status: 503, Code: "ServiceUnavailable"}}}); err != nil {
		t.Fatal(err)
	}
	if got := a.query("resources | count"); got.status != http.StatusServiceUnavailable {
		t.Errorf("query: %d", got.status)
	}
	if _, err := a.server.AddFault(sim.Fault{Method: "PUT", Path: "maintenanceConfigurations", Effect: sim.Effect{Error: &sim.FaultError{Status: 409, Code: "Conflict"}}}); err != nil {
		t.Fatal(err)
	}
	path := clusterID + "/maintenanceConfigurations/default?api-version=2025-10-01"
	if status := a.raw("PUT", path, `{"properties": {"timeInWeek": [{"day": "Monday", "hourSlots": [1]}]}}`, a.token(), nil); status != http.StatusConflict {
		t.Errorf("PUT: %d", status)
	}
	if status := a.raw("GET", path, "", a.token(), nil); status != http.StatusNotFound {
		t.Errorf("the configuration was made: %d", status)
	}
}

// TestPatchedListsAreReplaced: nothing of an old entry of a list shines through a new one.
func TestPatchedListsAreReplaced(t *testing.T) {
	a := newAzure(t)
	var got sim.Settings
	for _, body := range []string{
		`{"permissions": {"denied": [{"principal": "` + client + `", "action": "*/write", "scope": "/subscriptions/` + subscription + `"}, {"action": "*/delete"}], "enforced": ["` + other + `"]}}`,
		`{"permissions": {"denied": [{"action": "*/read"}]}, "armThrottling": {"enabled": true}, "durations": {"poolCreate": "9s"}}`,
	} {
		if status := a.admin("PATCH", "settings", body, &got); status != http.StatusOK {
			t.Fatalf("PATCH: %d", status)
		}
	}
	want := sim.DefaultSettings()
	want.Permissions = sim.Permissions{Denied: []sim.Denial{{Action: "*/read"}}, Enforced: []string{other}}
	want.ARMThrottling.Enabled = true
	want.Durations.PoolCreate = metav1.Duration{Duration: 9 * time.Second}
	if diff := cmp.Diff(want, a.server.Settings()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if status := a.admin("PATCH", "settings", `{"permissions": {"denied": [{"acton": "*"}]}}`, nil); status != http.StatusBadRequest {
		t.Errorf("a typing error is answered %d", status)
	}
}
