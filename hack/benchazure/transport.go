package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/fleetwright/fleetwright/hack/benchazure/fakearm"
)

// How long requests take.
const (
	readLatency  = 80 * time.Millisecond
	writeLatency = 300 * time.Millisecond
)

// wire is the way from the Azure SDK to the Azure in memory.
type wire struct {
	mu    sync.Mutex
	azure *fakearm.Azure
}

// Do implements policy.Transporter.
func (w *wire) Do(r *http.Request) (*http.Response, error) {
	body := []byte{}
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	latency := readLatency
	if r.Method == http.MethodPut {
		latency = writeLatency
	}
	if err := pass(r.Context(), latency); err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if r.Method == http.MethodPost {
		return w.query(r, body)
	}
	if body := w.other(r); body != "" {
		if wait := w.azure.Other(time.Now(), strings.Split(r.URL.Path, "/")[2]); wait > 0 {
			return refused(r, wait), nil
		}
		return answer(r, http.StatusOK, nil, body), nil
	}
	t := w.azure.Find(r.URL.Path)
	if t == nil {
		return nil, fmt.Errorf("nobody asks for %s %s", r.Method, r.URL.Path)
	}
	if r.Method == http.MethodPut {
		if wait := w.azure.Put(time.Now(), t); wait > 0 {
			return refused(r, wait), nil
		}
		return answer(r, http.StatusOK, nil, shown(t, fakearm.Good, 0)), nil
	}
	value, style, there, wait := w.azure.Get(time.Now(), t)
	switch {
	case wait > 0:
		return refused(r, wait), nil
	case !there:
		return answer(r, http.StatusNotFound, nil, `{"error":{"code":"RoleAssignmentNotFound","message":"The role assignment is not found."}}`), nil
	}
	return answer(r, http.StatusOK, nil, shown(t, value, style)), nil
}

// identitiesOnly marks a GET of a cluster that is about its identities: nobody looks at its profile then.
type identitiesOnly struct{}

// other is the answer about what is no thing of the trace; empty for a thing.
func (w *wire) other(r *http.Request) string {
	switch path := r.URL.Path; {
	case strings.Contains(path, "/providers/Microsoft.Insights/"):
		return `{"value":[]}` // the log comes later
	case strings.HasSuffix(path, "/roleDefinitions"):
		return fmt.Sprintf(`{"value":[{"name":%q,"properties":{"roleName":%q}}]}`, fakearm.Role, roleName)
	case strings.Contains(path, "/maintenanceConfigurations/"):
		return `{"properties":{}}`
	case r.Context().Value(identitiesOnly{}) != nil:
		t := w.azure.Find(path)
		return fmt.Sprintf(`{"identity":{"principalId":"of the control plane"},"properties":{"identityProfile":{"kubeletidentity":{"objectId":%q}}}}`,
			w.azure.Things[t.Cluster*fakearm.ThingsPerCluster+1].Principal)
	}
	return ""
}

// shown is a thing as a GET shows it.
func shown(t *fakearm.Thing, value string, style int) string {
	if t.Profile {
		return fmt.Sprintf(`{"id":%q,"properties":{"provisioningState":"Succeeded",
			"autoScalerProfile":{"max-empty-bulk-delete":"%d","scan-interval":"10s","expander":%q}}}`, t.ID, 10+style, value)
	}
	return fmt.Sprintf(`{"id":%q,"properties":{"scope":%q,"principalId":%q,
		"roleDefinitionId":"/subscriptions/%s/providers/Microsoft.Authorization/roleDefinitions/%s"}}`,
		t.ID, t.Scope, t.Principal, t.Subscription, t.Role)
}

func (w *wire) query(r *http.Request, body []byte) (*http.Response, error) {
	var question struct {
		Subscriptions []string `json:"subscriptions"`
		Query         string   `json:"query"`
		Options       struct {
			SkipToken string `json:"$skipToken"`
			Top       int    `json:"$top"`
		} `json:"options"`
	}
	if err := json.Unmarshal(body, &question); err != nil {
		return nil, err
	}
	from := 0
	if question.Options.SkipToken != "" {
		var err error
		if from, err = strconv.Atoi(question.Options.SkipToken); err != nil {
			return nil, err
		}
	}
	slices.Sort(question.Subscriptions)
	// The queries of the two targets tell their kinds; what they filter by principals is all that there is here.
	page := w.azure.Query(time.Now(), strings.Contains(question.Query, "managedclusters"), question.Subscriptions, from, question.Options.Top)
	if page.Wait > 0 {
		return refused(r, page.Wait), nil
	}
	token, truncated := "", "false"
	if page.Next > 0 {
		token, truncated = fmt.Sprintf(`"$skipToken":"%d",`, page.Next), "true"
	}
	header := map[string]string{
		"x-ms-user-quota-remaining":    strconv.Itoa(page.Remaining),
		"x-ms-user-quota-resets-after": time.Time{}.Add(page.Resets.Truncate(time.Second) + time.Second).Format(time.TimeOnly),
	}
	return answer(r, http.StatusOK, header, fmt.Sprintf(`{"totalRecords":%d,"count":%d,"resultTruncated":%q,%s"data":[%s]}`,
		page.Total, len(page.Rows), truncated, token, strings.Join(page.Rows, ","))), nil
}

func refused(r *http.Request, wait time.Duration) *http.Response {
	seconds := int((wait + time.Second - 1) / time.Second)
	return answer(r, http.StatusTooManyRequests, map[string]string{"Retry-After": strconv.Itoa(seconds)}, `{"error":{"code":"TooManyRequests","message":"slow down"}}`)
}

func answer(r *http.Request, status int, header map[string]string, body string) *http.Response {
	h := http.Header{"Content-Type": {"application/json"}}
	for name, value := range header {
		h.Set(name, value)
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body)), Request: r}
}

// pass lets virtual time go by.
func pass(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// token is a credential that is always good.
type token struct{}

// GetToken implements azcore.TokenCredential.
func (token) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: "virtual", ExpiresOn: time.Now().Add(24 * time.Hour)}, nil
}
