package sim_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v3"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fleetwright/fleetwright/internal/azure/sim"
	"github.com/fleetwright/fleetwright/internal/azure/sim/simclient"
)

// graphAnswer is what Resource Graph answers.
type graphAnswer struct {
	TotalRecords, Count int
	Data                []map[string]any
	ResultTruncated     string
	SkipToken           string `json:"$skipToken"`
	Error               struct {
		Code, Message string
		Details       []struct{ Code, Message, Token string }
	}
	status int
	header http.Header
}

// graph sends a body to Resource Graph.
func (a *azure) graph(body map[string]any) graphAnswer {
	a.t.Helper()
	return a.graphAs(a.token(), body)
}

func (a *azure) graphAs(token string, body map[string]any) graphAnswer {
	a.t.Helper()
	hc, err := simclient.Transport(a.server.CAFile())
	if err != nil {
		a.t.Fatal(err)
	}
	defer hc.CloseIdleConnections()
	raw, err := json.Marshal(body)
	if err != nil {
		a.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(a.t.Context(), http.MethodPost, a.server.URL()+"/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01", strings.NewReader(string(raw)))
	if err != nil {
		a.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := hc.Do(req)
	if err != nil {
		a.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	got := graphAnswer{status: resp.StatusCode, header: resp.Header}
	if raw, err = io.ReadAll(resp.Body); err == nil {
		err = json.Unmarshal(raw, &got)
	}
	if err != nil {
		a.t.Fatal(err)
	}
	return got
}

func (a *azure) query(format string, args ...any) graphAnswer {
	a.t.Helper()
	return a.graph(map[string]any{"query": fmt.Sprintf(format, args...)})
}

func (a *azure) queryAs(token, query string) graphAnswer {
	a.t.Helper()
	return a.graphAs(token, map[string]any{"query": query})
}

func noQuota(s *sim.Settings) { s.ResourceGraphQuota = 0 }

func TestResourceGraph(t *testing.T) {
	a := newAzure(t, noQuota)
	created := a.makeCluster()
	a.makeRegistry("shared")
	kubelet := *created.Properties.IdentityProfile["kubeletidentity"].ObjectID
	if _, err := a.assignments.Create(t.Context(), registry, name1, assignment(kubelet, to.Ptr(armauthorization.PrincipalTypeServicePrincipal)), nil); err != nil {
		t.Fatal(err)
	}
	const clusters = "Resources | where type =~ 'Microsoft.ContainerService/managedClusters'"
	for name, test := range map[string]struct{ query, want string }{
		"cluster": {clusters + " | project id, name, type, location, resourceGroup, subscriptionId, state = properties.provisioningState, pools = array_length(properties.agentPoolProfiles)",
			`[{"id":"` + clusterID + `","location":"westeurope","name":"shop","pools":1,"resourceGroup":"rg-shop","state":"Succeeded","subscriptionId":"` + subscription + `","type":"microsoft.containerservice/managedclusters"}]`},
		"registry":        {"resources | where type endswith '/registries' | project server = properties.loginServer, sku = sku.name", `[{"server":"shared.azurecr.io","sku":"Basic"}]`},
		"no pools":        {"resources | where type contains 'agentpools' | count", `[{"Count":0}]`},
		"groups":          {"ResourceContainers | where type == 'microsoft.resources/resourcegroups' | order by name asc | project name", `[{"name":"MC_rg-Shop_shop_westeurope"},{"name":"rg-Shop"}]`},
		"role assignment": {"authorizationresources | where type =~ 'Microsoft.Authorization/roleAssignments' | project name, tenantId, principal = properties.principalId, scope = properties.scope, role = tostring(split(properties.roleDefinitionId, '/')[-1])", `[{"name":"` + name1 + `","principal":"` + kubelet + `","role":"7f951dda-4ed3-4680-a7ca-43fe172d538d","scope":"` + registry + `","tenantId":"` + tenant + `"}]`},
		"role definition": {"authorizationresources | where type == 'microsoft.authorization/roledefinitions' and properties.roleName == 'AcrPull' | project name", `[{"name":"7f951dda-4ed3-4680-a7ca-43fe172d538d"}]`},
	} {
		t.Run(name, func(t *testing.T) {
			got := a.query("%s", test.query)
			raw, _ := json.Marshal(got.Data)
			if got.status != http.StatusOK || string(raw) != test.want {
				t.Errorf("%d %+v\n%s\nwant\n%s", got.status, got.Error, raw, test.want)
			}
		})
	}
	for subscriptions, want := range map[string]int{subscription: 1, "00000000-0000-0000-0000-000000000002": 0} {
		if got := a.graph(map[string]any{"query": clusters, "subscriptions": []string{subscriptions}}); got.Count != want || got.TotalRecords != want {
			t.Errorf("%d clusters in %s, want %d", got.Count, subscriptions, want)
		}
	}
}

func TestResourceGraphRefuses(t *testing.T) {
	a := newAzure(t, noQuota, func(s *sim.Settings) { s.Subscriptions = []string{subscription} })
	for name, test := range map[string]struct {
		body   map[string]any
		status int
		codes  string
	}{
		"no query":              {map[string]any{}, http.StatusBadRequest, "BadRequest EmptyQuery"},
		"a syntax error":        {map[string]any{"query": "resources | where type = 'x'"}, http.StatusBadRequest, "BadRequest InvalidQuery ParserFailure"},
		"an unknown column":     {map[string]any{"query": "resources | where nme == 'x'"}, http.StatusBadRequest, "BadRequest InvalidQuery InvalidColumnNames"},
		"an unknown table":      {map[string]any{"query": "things | count"}, http.StatusBadRequest, "BadRequest DisallowedLogicalTableName"},
		"a table of others":     {map[string]any{"query": "resourcechanges | count"}, http.StatusNotImplemented, "NotSimulated"},
		"an operator of others": {map[string]any{"query": "resources | join x on id"}, http.StatusNotImplemented, "NotSimulated"},
		"unknown subscription":  {map[string]any{"query": "resources", "subscriptions": []string{client}}, http.StatusBadRequest, "BadRequest NoValidSubscriptionsInQueryRequest"},
		"a page of 1001":        {map[string]any{"query": "resources", "options": map[string]any{"$top": 1001}}, http.StatusBadRequest, "BadRequest InvalidPageSize"},
		"a token of nothing":    {map[string]any{"query": "resources", "options": map[string]any{"$skipToken": "x"}}, http.StatusBadRequest, "BadRequest"},
		"a table as result":     {map[string]any{"query": "resources", "options": map[string]any{"resultFormat": "table"}}, http.StatusNotImplemented, "NotSimulated"},
	} {
		t.Run(name, func(t *testing.T) {
			got := a.graph(test.body)
			codes := []string{got.Error.Code}
			for _, d := range got.Error.Details {
				codes = append(codes, d.Code)
			}
			if got.status != test.status || strings.Join(codes, " ") != test.codes || got.Error.Message == "" {
				t.Errorf("%d %+v, want %d %s", got.status, got.Error, test.status, test.codes)
			}
		})
	}
}

func TestResourceGraphPages(t *testing.T) {
	a := newAzure(t, noQuota)
	for i := range 7 {
		if _, err := a.groups.CreateOrUpdate(t.Context(), fmt.Sprintf("g%d", i), armresources.ResourceGroup{Location: to.Ptr(location)}, nil); err != nil {
			t.Fatal(err)
		}
	}
	var names []string
	options := map[string]any{"$top": 3}
	const query = "resourcecontainers | order by name asc | project id, name"
	for {
		got := a.graph(map[string]any{"query": query, "options": options})
		for _, row := range got.Data {
			names = append(names, row["name"].(string))
		}
		if got.TotalRecords != 7 || got.ResultTruncated != "false" {
			t.Errorf("%d records, truncated %s", got.TotalRecords, got.ResultTruncated)
		}
		if got.SkipToken == "" {
			break
		}
		options["$skipToken"] = got.SkipToken
	}
	if got := strings.Join(names, " "); got != "g0 g1 g2 g3 g4 g5 g6" {
		t.Errorf("pages: %s", got)
	}
	if got := a.graph(map[string]any{"query": query + ", location", "options": options}); got.status != http.StatusBadRequest {
		t.Errorf("the token of another query: %d", got.status)
	}
	// Without ids there is nothing to go on by.
	if got := a.graph(map[string]any{"query": "resourcecontainers | project name", "options": map[string]any{"$top": 3}}); got.SkipToken != "" || got.ResultTruncated != "true" || got.Count != 3 {
		t.Errorf("without ids: %+v", got)
	}
}

// TestResourceGraphIsLate: what ARM knows at once, Resource Graph knows later; a deletion as well as a change.
func TestResourceGraphIsLate(t *testing.T) {
	late := func(s *sim.Settings) { s.Durations.ResourceGraphLag = metav1.Duration{Duration: time.Minute} }
	a := newAzure(t, noQuota, late)
	a.makeCluster()
	counts := func() string {
		got := a.query("resources | where type endswith 'managedclusters' | project n = array_length(properties.agentPoolProfiles), t = tostring(tags.who)")
		raw, _ := json.Marshal(got.Data)
		return string(raw)
	}
	want := func(when, want string) {
		t.Helper()
		if got := counts(); got != want {
			t.Errorf("%s: %s, want %s", when, got, want)
		}
	}
	want("at once", "[]")
	a.clock.Step(time.Minute)
	want("a minute later", `[{"n":1,"t":""}]`)
	a.mustPutPool("blue", userPool("Standard_D4s_v5", 1))
	want("with a second pool", `[{"n":1,"t":""}]`)
	a.clock.Step(59 * time.Second)
	if status := a.raw("PATCH", clusterID+"?api-version=2025-10-01", `{"tags": {"who": "me"}}`, a.token(), nil); status != http.StatusOK {
		t.Fatalf("PATCH: %d", status)
	}
	a.clock.Step(5 * time.Second)
	want("when the pool is known", `[{"n":2,"t":""}]`)
	a.clock.Step(time.Minute)
	want("when the tag is known", `[{"n":2,"t":"me"}]`)
	p, err := a.clusters.BeginDelete(t.Context(), group, cluster, nil)
	done(a, p, err)
	want("deleted", `[{"n":2,"t":"me"}]`)
	a.clock.Step(time.Minute)
	want("deleted a minute ago", "[]")

	// A lag that is set later holds for what comes later.
	settings := sim.DefaultSettings()
	noQuota(&settings)
	a.server.SetSettings(settings)
	a.makeRegistry("shared")
	late(&settings)
	a.server.SetSettings(settings)
	a.makeRegistry("second")
	if got := a.query("resources | where type endswith 'registries' | project name"); got.Count != 1 {
		t.Errorf("%+v", got.Data)
	}
}

func TestResourceGraphQuota(t *testing.T) {
	a := newAzure(t, func(s *sim.Settings) { s.ResourceGraphQuota = 2 })
	for _, remaining := range []string{"1", "0"} {
		got := a.query("resources | count")
		if got.status != http.StatusOK || got.header.Get("x-ms-user-quota-remaining") != remaining || got.header.Get("x-ms-user-quota-resets-after") != "00:00:05" {
			t.Errorf("%d %v", got.status, got.header)
		}
	}
	a.clock.Step(1500 * time.Millisecond)
	got := a.query("resources | count")
	if got.status != http.StatusTooManyRequests || got.Error.Code != "RateLimiting" || got.header.Get("Retry-After") != "4" || got.header.Get("x-ms-user-quota-remaining") != "0" {
		t.Errorf("%d %+v %v", got.status, got.Error, got.header)
	}
	a.clock.Step(3500 * time.Millisecond)
	if got := a.query("resources | count"); got.status != http.StatusOK || got.header.Get("x-ms-user-quota-remaining") != "1" {
		t.Errorf("%d %v", got.status, got.header)
	}
}
