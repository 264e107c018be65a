package sim_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v3"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fleetwright/fleetwright/internal/azure/sim"
)

const registryVersion = "?api-version=2023-07-01"

// answer is what ARM answers, as far as tests look.
type answer struct {
	ID         string
	Value      []map[string]any
	Properties map[string]any
	Error      struct{ Code, Message string }
}

// makeRegistry makes a container registry in the test's group.
func (a *azure) makeRegistry(name string) {
	a.t.Helper()
	var got answer
	path := strings.TrimSuffix(registry, "shared") + name + registryVersion
	if status := a.raw("PUT", path, `{"location": "`+location+`", "sku": {"name": "Basic"}}`, a.token(), &got); status != http.StatusCreated {
		a.t.Fatalf("make registry %s: %d %+v", name, status, got.Error)
	}
}

func TestRegistries(t *testing.T) {
	a := newAzure(t)
	a.makeGroup()
	a.makeRegistry("shared")
	const body = `{"location": "westeurope", "sku": {"name": "Premium"}}`
	elsewhere := "/subscriptions/" + subscription + "/resourceGroups/other/providers/Microsoft.ContainerRegistry/registries/"
	if _, err := a.groups.CreateOrUpdate(t.Context(), "other", armresources.ResourceGroup{Location: to.Ptr(location)}, nil); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		path, body string
		status     int
		code       string
	}{
		"again":           {registry, body, http.StatusOK, ""},
		"taken":           {elsewhere + "SHARED", body, http.StatusConflict, "AlreadyInUse"},
		"name with a dot": {elsewhere + "my.registry", body, http.StatusBadRequest, "InvalidResourceName"},
		"short name":      {elsewhere + "four", body, http.StatusBadRequest, "InvalidResourceName"},
		"no SKU":          {elsewhere + "second", `{"location": "westeurope"}`, http.StatusBadRequest, "InvalidSku"},
		"moved":           {registry, strings.Replace(body, "west", "north", 1), http.StatusConflict, "InvalidResourceLocation"},
	} {
		t.Run(name, func(t *testing.T) {
			var got answer
			if status := a.raw("PUT", test.path+registryVersion, test.body, a.token(), &got); status != test.status || got.Error.Code != test.code {
				t.Errorf("%d %+v, want %d %q", status, got.Error, test.status, test.code)
			}
		})
	}
	var got answer
	a.raw("GET", registry+registryVersion, "", a.token(), &got)
	if got.Properties["loginServer"] != "shared.azurecr.io" || got.ID != registry {
		t.Errorf("registry: %+v", got)
	}
	a.raw("GET", "/subscriptions/"+subscription+"/providers/Microsoft.ContainerRegistry/registries"+registryVersion, "", a.token(), &got)
	if len(got.Value) != 1 {
		t.Errorf("%d registries", len(got.Value))
	}
}

// TestPullNeedsAnAssignmentInEffect: a kubelet pulls when its identity holds a role that lets it pull, and not before the
// assignment has spread.
func TestPullNeedsAnAssignmentInEffect(t *testing.T) {
	a := newAzure(t, func(s *sim.Settings) {
		s.Durations.RolePropagation = metav1.Duration{Duration: time.Minute}
		s.MissingImages = []string{"shared.azurecr.io/probe/none", "shared.azurecr.io/probe/pause:0.1"}
	})
	created := a.makeCluster()
	a.makeRegistry("shared")
	a.makeRegistry("other1")
	ctx, kubelet := t.Context(), *created.Properties.IdentityProfile["kubeletidentity"].ObjectID
	const image = "shared.azurecr.io/probe/pause:3.10"
	want := func(when, image, reason, message string) {
		t.Helper()
		if got := a.server.KubeletPull(strings.ToUpper(clusterID), image); got.Reason != reason || !strings.Contains(got.Message, message) {
			t.Errorf("%s, %s: %+v, want %s", when, image, got, reason)
		}
	}
	want("without an assignment", image, sim.PullUnauthorized, "401 Unauthorized")
	want("without an assignment", "mcr.microsoft.com/pause:3.10", sim.PullAllowed, "")
	want("without an assignment", "nobody.azurecr.io/a:1", sim.PullNoRegistry, "no such host")
	principal := to.Ptr(armauthorization.PrincipalTypeServicePrincipal)
	if _, err := a.assignments.Create(ctx, registry, name1, assignment(kubelet, principal), nil); err != nil {
		t.Fatal(err)
	}
	a.clock.Step(59 * time.Second)
	want("before it has spread", image, sim.PullUnauthorized, "")
	if _, err := a.assignments.Create(ctx, registry, name1, assignment(kubelet, principal), nil); err != nil {
		t.Fatal(err)
	}
	a.clock.Step(time.Second)
	want("when it has spread", image, sim.PullAllowed, "")
	want("when it has spread", "other1.azurecr.io/probe/pause:3.10", sim.PullUnauthorized, "")
	want("when it has spread", "shared.azurecr.io/probe/none@sha256:00", sim.PullNotFound, "not found")
	want("when it has spread", "shared.azurecr.io/probe/pause:0.1", sim.PullNotFound, "not found")
	if got := a.server.Pull(client, image); got.Reason != sim.PullUnauthorized {
		t.Errorf("somebody else: %+v", got)
	}

	a.start(func(s *sim.Settings) { s.Durations.RolePropagation = metav1.Duration{Duration: time.Minute} })
	want("after a restart", image, sim.PullAllowed, "")
	var got sim.Pull
	if status := a.admin("GET", "pull?image="+url.QueryEscape(image)+"&cluster="+url.QueryEscape(clusterID), "", &got); status != http.StatusOK || got.Reason != sim.PullAllowed {
		t.Errorf("the admin endpoint says %d %+v", status, got)
	}
	if status := a.admin("GET", "pull?image="+url.QueryEscape(image), "", nil); status != http.StatusBadRequest {
		t.Errorf("a question about nobody: %d", status)
	}
	if status := a.raw("DELETE", registry+registryVersion, "", a.token(), nil); status != http.StatusOK {
		t.Errorf("delete: %d", status)
	}
	a.makeRegistry("shared")
	want("when the registry was made again", image, sim.PullUnauthorized, "")
}

func TestRoleDefinitions(t *testing.T) {
	a := newAzure(t)
	const (
		base    = "/subscriptions/" + subscription + "/providers/Microsoft.Authorization/roleDefinitions"
		version = "?api-version=2022-04-01"
		custom  = base + "/22222222-0000-4000-8000-000000000001" + version
		body    = `{"properties": {"roleName": "Puller", "assignableScopes": ["/subscriptions/` + subscription + `"], "permissions": [{"actions": ["Microsoft.ContainerRegistry/registries/*/read"]}]}}`
	)
	names := func(scope, filter string) string {
		var got answer
		a.raw("GET", scope+"/providers/Microsoft.Authorization/roleDefinitions"+version+"&$filter="+url.QueryEscape(filter), "", a.token(), &got)
		var out []string
		for _, v := range got.Value {
			out = append(out, v["name"].(string)+" "+v["id"].(string))
		}
		return strings.TrimSpace(strings.Join(out, " ") + " " + got.Error.Code)
	}
	scope := "/subscriptions/" + subscription
	want := "7f951dda-4ed3-4680-a7ca-43fe172d538d " + acrPull
	for name, test := range map[string]struct{ scope, filter, want string }{
		"by name":        {scope, "roleName eq 'AcrPull'", want},
		"at a registry":  {registry, "roleName eq 'acrpull'", want},
		"nobody's name":  {scope, "roleName eq 'AcrPul'", ""},
		"another filter": {scope, "name eq 'AcrPull'", "InvalidFilter"},
	} {
		if got := names(test.scope, test.filter); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
	var got answer
	if status := a.raw("GET", acrPull+version, "", a.token(), &got); status != http.StatusOK || got.Properties["roleName"] != "AcrPull" || got.Properties["type"] != "BuiltInRole" {
		t.Errorf("GET: %d %+v", status, got)
	}
	for name, test := range map[string]struct {
		method, path, body string
		status             int
		code               string
	}{
		"not there yet":      {"GET", custom, "", http.StatusNotFound, "RoleDefinitionDoesNotExist"},
		"a name in use":      {"PUT", custom, strings.Replace(body, "Puller", "AcrPull", 1), http.StatusConflict, "RoleDefinitionWithSameNameExists"},
		"no scope":           {"PUT", custom, `{"properties": {"roleName": "Puller"}}`, http.StatusBadRequest, "RoleDefinitionInvalid"},
		"change a built-in":  {"PUT", acrPull + version, body, http.StatusBadRequest, "RoleDefinitionUpdateNotPermitted"},
		"delete what is not": {"DELETE", custom, "", http.StatusNoContent, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var got answer
			into := any(&got)
			if test.status == http.StatusNoContent {
				into = nil
			}
			if status := a.raw(test.method, test.path, test.body, a.token(), into); status != test.status || got.Error.Code != test.code {
				t.Errorf("%d %+v, want %d %q", status, got.Error, test.status, test.code)
			}
		})
	}
	if status := a.raw("PUT", custom, body, a.token(), nil); status != http.StatusCreated {
		t.Errorf("PUT: %d", status)
	}
	if got := names(scope, "roleName eq 'Puller'"); !strings.HasPrefix(got, "22222222-") {
		t.Errorf("the custom role: %q", got)
	}
	if got := names("/subscriptions/00000000-0000-0000-0000-000000000002", "roleName eq 'Puller'"); got != "" {
		t.Errorf("the custom role at a scope where it cannot be assigned: %q", got)
	}
}

// TestCustomRoleInUse: a custom role gives what its actions say, and stays while somebody has it.
func TestCustomRoleInUse(t *testing.T) {
	a := newAzure(t)
	a.makeGroup()
	a.makeRegistry("shared")
	const (
		role    = "/subscriptions/" + subscription + "/providers/Microsoft.Authorization/roleDefinitions/22222222-0000-4000-8000-000000000001"
		version = "?api-version=2022-04-01"
		body    = `{"properties": {"roleName": "Puller", "assignableScopes": ["/subscriptions/` + subscription + `"], "permissions": [{"actions": ["Microsoft.ContainerRegistry/registries/*/read"]}]}}`
	)
	if status := a.raw("PUT", role+version, body, a.token(), nil); status != http.StatusCreated {
		t.Fatalf("PUT: %d", status)
	}
	given := assignment(client, to.Ptr(armauthorization.PrincipalTypeServicePrincipal))
	given.Properties.RoleDefinitionID = to.Ptr(role)
	if _, err := a.assignments.Create(t.Context(), registry, name1, given, nil); err != nil {
		t.Fatal(err)
	}
	if got := a.server.Pull(client, "shared.azurecr.io/a:1"); got.Reason != sim.PullAllowed {
		t.Errorf("pull: %+v", got)
	}
	var got answer
	if status := a.raw("DELETE", role+version, "", a.token(), &got); status != http.StatusBadRequest || got.Error.Code != "RoleDefinitionHasAssignments" {
		t.Errorf("delete a role in use: %d %+v", status, got.Error)
	}
	if _, err := a.assignments.Delete(t.Context(), registry, name1, nil); err != nil {
		t.Fatal(err)
	}
	if status := a.raw("DELETE", role+version, "", a.token(), nil); status != http.StatusOK {
		t.Errorf("delete: %d", status)
	}
}
