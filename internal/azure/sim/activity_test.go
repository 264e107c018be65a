package sim_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"
	aks "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerservice/armcontainerservice/v8"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fleetwright/fleetwright/internal/azure/sim"
	"github.com/fleetwright/fleetwright/internal/azure/sim/entra"
	"github.com/fleetwright/fleetwright/internal/azure/sim/simclient"
)

// other is a second application.
const other = "66666666-6666-6666-6666-666666666666"

// tokenOf gets a token for another application than the test's own.
func (a *azure) tokenOf(application string) string {
	a.t.Helper()
	sdk, err := simclient.New(a.server.URL(), a.server.CAFile(), simclient.Identity{TenantID: tenant, ClientID: application, ClientSecret: "x"})
	if err != nil {
		a.t.Fatal(err)
	}
	got, err := sdk.Credential.GetToken(a.t.Context(), policy.TokenRequestOptions{Scopes: []string{simclient.Audience + "/.default"}})
	if err != nil {
		a.t.Fatal(err)
	}
	return got.Token
}

// TestSystemDataNamesTheLastWriter: who made a cluster stays, who wrote it last changes with each write and with nothing else.
func TestSystemDataNamesTheLastWriter(t *testing.T) {
	a := newAzure(t)
	began := a.clock.Now()
	a.makeCluster()
	see := func(when, by string, at time.Time) {
		t.Helper()
		got, err := a.clusters.Get(t.Context(), group, cluster, nil)
		if err != nil {
			t.Fatal(err)
		}
		s := got.SystemData
		if s == nil || *s.CreatedBy != client || *s.CreatedByType != aks.CreatedByTypeApplication || s.CreatedAt.Sub(began).Abs() > time.Millisecond {
			t.Fatalf("%s: created by %+v", when, s)
		}
		if *s.LastModifiedBy != by || s.LastModifiedAt.Sub(at).Abs() > time.Millisecond {
			t.Errorf("%s: modified by %s at %s, want %s at %s", when, *s.LastModifiedBy, s.LastModifiedAt, by, at)
		}
	}
	see("when it is made", client, began)
	a.mustPutPool("blue", userPool("Standard_D4s_v5", 1))
	see("when a pool is made", client, began)
	a.clock.Step(time.Hour)
	changed := a.clock.Now()
	if status := a.raw("PATCH", clusterID+"?api-version=2025-10-01", `{"tags": {"a": "b"}}`, a.tokenOf(other), nil); status != http.StatusOK {
		t.Fatalf("PATCH: %d", status)
	}
	a.clock.Step(time.Minute)
	see("when somebody else wrote it", other, changed)
	a.start()
	see("after a restart", other, changed)

	a.makeRegistry("shared")
	var registered struct{ SystemData map[string]string }
	a.raw("GET", registry+registryVersion, "", a.token(), &registered)
	if registered.SystemData["createdBy"] != client {
		t.Errorf("registry: %+v", registered)
	}
	var plain struct{ SystemData map[string]string }
	a.raw("GET", clusterID+"/agentPools/blue?api-version=2025-10-01", "", a.token(), &plain)
	if plain.SystemData != nil {
		t.Errorf("pools have no system data: %+v", plain)
	}
	kind := armauthorization.PrincipalTypeServicePrincipal
	given, err := a.assignments.Create(t.Context(), registry, name1, assignment(client, &kind), nil)
	if err != nil || *given.Properties.CreatedBy != entra.ObjectID(client) || entra.ObjectID(client) == client {
		t.Errorf("assignment: %+v %v", given.Properties, err)
	}
}

// activities asks for the activity log and writes each event in short, oldest first.
func (a *azure) activities(filter string) string {
	a.t.Helper()
	var got struct {
		Value []struct {
			Caller                           string
			OperationName, Status, SubStatus struct{ Value string }
			ResourceID                       string
			Properties                       struct{ StatusMessage string }
			CorrelationID, ResourceGroupName string
			EventTimestamp                   time.Time
		}
		Error struct{ Code, Message string }
	}
	path := "/subscriptions/" + subscription + "/providers/Microsoft.Insights/eventtypes/management/values?api-version=2015-04-01&$filter=" + url.QueryEscape(filter)
	if a.raw("GET", path, "", a.token(), &got) != http.StatusOK {
		return got.Error.Code + " " + got.Error.Message
	}
	var out []string
	for _, e := range got.Value {
		name := e.ResourceID[strings.LastIndexByte(e.ResourceID, '/')+1:]
		who := map[string]string{client: "client", other: "other"}[e.Caller]
		line := strings.TrimSpace(who + " " + e.OperationName.Value[strings.IndexByte(e.OperationName.Value, '/')+1:] + " " + name + " " + e.Status.Value + " " + e.SubStatus.Value)
		out = append([]string{line}, out...)
	}
	return strings.Join(out, "\n")
}

func TestActivityLog(t *testing.T) {
	a := newAzure(t)
	began := a.clock.Now().UTC().Format(time.RFC3339Nano)
	a.makeCluster()
	before := a.clock.Now().UTC().Format(time.RFC3339Nano)
	a.clock.Step(time.Second)
	later := a.clock.Now().UTC().Format(time.RFC3339Nano)
	if status := a.raw("PATCH", strings.ToLower(clusterID)+"?api-version=2025-10-01", `{"tags": {"a": "b"}}`, a.tokenOf(other), nil); status != http.StatusOK {
		t.Fatalf("PATCH: %d", status)
	}
	_, err := a.putPool("blue", userPool("Standard_D4s_v5", 1))
	wantCode(t, err, http.StatusConflict, "OperationNotAllowed", "")
	a.clock.Step(5 * time.Second)
	changed := "other managedClusters/write shop Started\nother managedClusters/write shop Accepted OK\nother managedClusters/write shop Succeeded"
	a.eventually("the change is logged", func() error {
		if got := a.activities("eventTimestamp ge '" + later + "' and resourceUri eq '" + clusterID + "'"); got != changed {
			return errorOf("\n%s", got)
		}
		return nil
	})
	created := "client managedClusters/write shop Started\nclient managedClusters/write shop Accepted Created\nclient managedClusters/write shop Succeeded"
	for filter, want := range map[string]string{
		"eventTimestamp ge '" + began + "' and eventTimestamp le '" + before + "' and resourceUri eq '" + clusterID + "'": created,
		"eventTimestamp ge " + began + " and resourceUri eq '" + clusterID + "'":                                          created + "\n" + changed,
		"eventTimestamp ge '" + began + "' and resourceUri eq '" + clusterID + "/agentPools/blue'":                        "client managedClusters/agentPools/write blue Started\nclient managedClusters/agentPools/write blue Failed Conflict",
		"eventTimestamp ge '" + began + "' and resourceProvider eq 'Microsoft.Resources'":                                 "client subscriptions/resourceGroups/write rg-Shop Started\nclient subscriptions/resourceGroups/write rg-Shop Succeeded Created",
		"eventTimestamp ge '" + began + "' and resourceGroupName eq 'rg-Sho'":                                             "",
		"resourceUri eq '" + clusterID + "'":                                                                              "BadRequest The filter has to name a start: eventTimestamp ge '{time}'.",
		"eventTimestamp ge '2020-01-01T00:00:00Z'":                                                                        "BadRequest The start time cannot be more than 90 days in the past.",
	} {
		t.Run(filter, func(t *testing.T) {
			if got := a.activities(filter); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
	if got := a.activities("caller eq 'x'"); !strings.HasPrefix(got, "BadRequest The filter 'caller eq 'x'' is not supported") {
		t.Errorf("another filter: %s", got)
	}
	a.start(func(s *sim.Settings) { s.Durations.ActivityLogLag = metav1.Duration{Duration: time.Minute} })
	all := "eventTimestamp ge '" + began + "' and resourceUri eq '" + clusterID + "'"
	if got := a.activities(all); got != "" {
		t.Errorf("the log is not late: %s", got)
	}
	a.clock.Step(time.Minute)
	if got := a.activities(all); got != created+"\n"+changed {
		t.Errorf("after a restart: %s", got)
	}
}
