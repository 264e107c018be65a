package arm

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/google/go-cmp/cmp"
	testclock "k8s.io/utils/clock/testing"

	"github.com/fleetwright/fleetwright/internal/azure/graph"
	"github.com/fleetwright/fleetwright/internal/azure/refusal"
)

// scripted answers requests one after the other and keeps them.
type scripted struct {
	answers []answered
	asked   []*http.Request
	bodies  []string
}

type answered struct {
	status int
	header map[string]string
	body   string
}

func (s *scripted) Do(r *http.Request) (*http.Response, error) {
	body := ""
	if r.Body != nil {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		body = string(raw)
	}
	s.asked, s.bodies = append(s.asked, r), append(s.bodies, body)
	a := s.answers[min(len(s.asked), len(s.answers))-1]
	response := &http.Response{StatusCode: a.status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(a.body)), Request: r}
	for name, value := range a.header {
		response.Header.Set(name, value)
	}
	return response, nil
}

type anyToken struct{}

func (anyToken) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: "t", ExpiresOn: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)}, nil
}

func scriptedClient(t *testing.T, answers ...answered) (*Client, *scripted) {
	t.Helper()
	s := &scripted{answers: answers}
	options, _, err := sdkOptions(Options{})
	if err != nil {
		t.Fatal(err)
	}
	options.Transport = s
	o := Options{Clock: testclock.NewFakePassiveClock(time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC))}
	c, err := newClient(o, options, anyToken{}, who{})
	if err != nil {
		t.Fatal(err)
	}
	return c, s
}

// The form of question and answer is that of armresourcegraph v0.10 (QueryRequest, QueryResponse).
func TestResourceGraphIsAskedPageByPage(t *testing.T) {
	c, azure := scriptedClient(t,
		answered{200, map[string]string{"x-ms-user-quota-remaining": "14", "x-ms-user-quota-resets-after": "00:00:05"},
			`{"totalRecords": 3, "count": 2, "resultTruncated": "true", "$skipToken": "more", "facets": [], "data": [{"id": "/a"}, {"id": "/b"}]}`},
		answered{200, map[string]string{"x-ms-user-quota-remaining": "0", "x-ms-user-quota-resets-after": "00:01:02"},
			`{"totalRecords": 3, "count": 1, "resultTruncated": "false", "data": [{"id": "/c"}]}`},
	)
	q := graph.Query{Subscriptions: []string{"s1", "s2"}, Text: "resources | project id | order by id asc"}
	first, err := c.Query(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	q.SkipToken = first.SkipToken
	second, err := c.Query(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	want := []graph.Page{
		{Rows: []json.RawMessage{[]byte(`{"id": "/a"}`), []byte(`{"id": "/b"}`)}, Total: 3, SkipToken: "more", Remaining: 14, ResetsAfter: 5 * time.Second},
		{Rows: []json.RawMessage{[]byte(`{"id": "/c"}`)}, Total: 3, ResetsAfter: 62 * time.Second},
	}
	if diff := cmp.Diff(want, []graph.Page{first, second}); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if first.Spent() || !second.Spent() {
		t.Errorf("spent: %t and %t", first.Spent(), second.Spent())
	}
	asked := azure.asked[1]
	if got := asked.Method + " " + asked.URL.String(); got != "POST https://management.azure.com/providers/Microsoft.ResourceGraph/resources?api-version=2024-04-01" {
		t.Errorf("asked %s", got)
	}
	const body = `{"subscriptions":["s1","s2"],"query":"resources | project id | order by id asc","options":{"$skipToken":"more","$top":1000,"resultFormat":"objectArray"}}`
	if azure.bodies[1] != body {
		t.Errorf("asked\n%s, want\n%s", azure.bodies[1], body)
	}
}

func TestResourceGraphRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		answer answered
		kind   refusal.Kind
		after  time.Duration
		want   string
	}{
		"too often": {
			answered{429, map[string]string{"Retry-After": "4"}, `{"error": {"code": "RateLimiting", "message": "slow down"}}`}, refusal.Passing, 4 * time.Second,
			"ask Resource Graph: Azure cannot answer now, try again in 4s: RateLimiting: slow down",
		},
		"no right": {
			answered{403, nil, `{"error": {"code": "AccessDenied", "message": "no"}}`}, refusal.Denied, 0,
			"ask Resource Graph: the operator's identity may not; grant it Microsoft.ResourceGraph/resources/read on / (AccessDenied)",
		},
		"none of them may be read": {
			answered{400, nil, `{"error": {"code": "BadRequest", "message": "Please provide below info", "details": [{"code": "NoValidSubscriptionsInQueryRequest", "message": "-"}]}}`},
			refusal.Denied, 0,
			"ask Resource Graph: the operator's identity may not; grant it Microsoft.ResourceGraph/resources/read on / (NoValidSubscriptionsInQueryRequest)",
		},
		"cut without a way on": {
			answered{200, nil, `{"totalRecords": 2000, "count": 1, "resultTruncated": "true", "data": [{"id": "/a"}]}`}, "", 0,
			"ask Resource Graph: the answer is cut at 1 of 2000 rows: the query has to project id and to order by it",
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := scriptedClient(t, tc.answer)
			page, err := c.Query(t.Context(), graph.Query{Text: "resources"})
			if err == nil || err.Error() != tc.want || len(page.Rows) != 0 {
				t.Fatalf("answered %v, %v\nwant %s", page, err, tc.want)
			}
			if r, is := refusal.Of(err); is != (tc.kind != "") || (is && (r.Kind != tc.kind || r.RetryAfter != tc.after)) {
				t.Errorf("refusal %+v", r)
			}
		})
	}
}

// The form of an entry is that of armmonitor v0.13 (EventData).
func TestChangesAreWhoSucceeded(t *testing.T) {
	const id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Authorization/roleAssignments/x"
	entry := func(at, caller, operation, status string) string {
		return `{"eventTimestamp": "` + at + `", "caller": "` + caller + `", "operationName": {"value": "` + operation + `", "localizedValue": "-"}, "status": {"value": "` + status + `"}, "claims": {"a": "b"}}`
	}
	c, azure := scriptedClient(t, answered{200, nil, `{"value": [` + strings.Join([]string{
		entry("2026-11-26T11:59:00.123Z", "jo@example.com", "Microsoft.Authorization/roleAssignments/delete", "Succeeded"),
		entry("2026-11-26T11:58:59Z", "jo@example.com", "Microsoft.Authorization/roleAssignments/delete", "Started"),
		entry("2026-11-26T11:58:00Z", "x", "Microsoft.Authorization/locks/read", "Succeeded"),
		entry("2026-11-26T11:57:00Z", "me", "Microsoft.Authorization/roleAssignments/write", "Failed"),
		entry("2026-11-26T11:56:00Z", "me", "Microsoft.Authorization/roleAssignments/write", "Succeeded"),
	}, ",") + `]}`})
	got, err := c.Changes(t.Context(), id, time.Date(2026, 11, 26, 11, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	want := []graph.Change{
		{At: time.Date(2026, 11, 26, 11, 56, 0, 0, time.UTC), By: "me", Operation: "Microsoft.Authorization/roleAssignments/write"},
		{At: time.Date(2026, 11, 26, 11, 59, 0, 123_000_000, time.UTC), By: "jo@example.com", Operation: "Microsoft.Authorization/roleAssignments/delete"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	u := azure.asked[0].URL
	if u.Path != "/subscriptions/s/providers/Microsoft.Insights/eventtypes/management/values" || u.Query().Get("api-version") != "2015-04-01" {
		t.Errorf("asked %s", u)
	}
	if got := u.Query().Get("$filter"); got != "eventTimestamp ge '2026-11-26T11:00:00Z' and eventTimestamp le '2026-11-26T12:00:00Z' and resourceUri eq '"+id+"'" {
		t.Errorf("filter is %s", got)
	}
	for _, crooked := range []string{id + "' or '", "/providers/Microsoft.Management/managementGroups/m/providers/Microsoft.Authorization/roleAssignments/x", "x", "/a//b"} {
		if _, err := c.Changes(t.Context(), crooked, time.Time{}); err == nil {
			t.Errorf("the log of %q is read", crooked)
		}
	}
	if len(azure.asked) != 1 {
		t.Errorf("%d requests", len(azure.asked))
	}
}

func TestRowsAreAsAzureHasThem(t *testing.T) {
	c, azure := scriptedClient(t, answered{200, nil, `{"value": [{"id": "/a"}], "nextLink": "https://management.azure.com/next?api-version=1"}`}, answered{200, nil, `{"value": [{"id": "/b"}]}`})
	rows, err := c.Rows(t.Context(), graph.Collection{Path: "/subscriptions/s/providers/P/t", Version: "2020-01-01", Action: "P/t/read", Scope: "/subscriptions/s"})
	if err != nil || len(rows) != 2 || string(rows[1]) != `{"id": "/b"}` || len(azure.asked) != 2 {
		t.Errorf("%s, %v", rows, err)
	}
	if _, err := c.Rows(t.Context(), graph.Collection{Path: "/subscriptions/../x"}); err == nil {
		t.Error("a crooked path is read")
	}
	c, _ = scriptedClient(t, answered{403, nil, `{"error": {"code": "AuthorizationFailed"}}`})
	_, err = c.Rows(t.Context(), graph.Collection{Path: "/subscriptions/s/providers/P/t", Action: "P/t/read", Scope: "/subscriptions/s"})
	if err == nil || err.Error() != "list t: the operator's identity may not; grant it P/t/read on /subscriptions/s (AuthorizationFailed)" {
		t.Errorf("refused with %v", err)
	}
}
