package resource

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/fleetwright/fleetwright/localstack/capz/armclient"
)

const (
	id         = "/subscriptions/s/resourceGroups/rg/providers/P/t/one"
	apiVersion = "2025-08-01"
)

// fakeARM holds one resource. A PUT or DELETE runs until finish is called.
type fakeARM struct {
	mu       sync.Mutex
	server   *httptest.Server
	resource map[string]any // nil: does not exist
	pending  map[string]any // what finish makes of the resource
	running  bool
	failure  string // JSON of the next outcome's error, "" for success
	refusal  *refusedRequest
	calls    []string // PUT and DELETE
}

// refusedRequest is how the next PUT or DELETE is answered.
type refusedRequest struct {
	status     int
	body       string
	retryAfter string
}

type token struct{}

func (token) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: "t", ExpiresOn: time.Now().Add(time.Hour)}, nil
}

func newFakeARM(t *testing.T) (*fakeARM, *armclient.Client) {
	t.Helper()
	fake := &fakeARM{}
	fake.server = httptest.NewTLSServer(fake)
	t.Cleanup(fake.server.Close)
	client, err := armclient.New(token{}, azcore.ClientOptions{
		Transport: fake.server.Client(),
		Cloud: cloud.Configuration{Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
			cloud.ResourceManager: {Endpoint: fake.server.URL, Audience: "a"},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return fake, client
}

func (f *fakeARM) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	switch {
	case strings.HasPrefix(r.URL.Path, "/operation"):
		f.answerOperation(w)
	case r.Method == http.MethodGet:
		f.answerGet(w)
	case f.refusal != nil:
		f.calls = append(f.calls, r.Method)
		if f.refusal.retryAfter != "" {
			w.Header().Set("Retry-After", f.refusal.retryAfter)
		}
		w.WriteHeader(f.refusal.status)
		_, _ = fmt.Fprint(w, f.refusal.body)
	default:
		f.calls = append(f.calls, r.Method)
		f.begin(w, r)
	}
}

func (f *fakeARM) answerGet(w http.ResponseWriter) {
	if f.resource == nil {
		w.WriteHeader(http.StatusNotFound)
		_, _ = fmt.Fprint(w, `{"error":{"code":"ResourceNotFound","message":"gone"}}`)
		return
	}
	_ = json.NewEncoder(w).Encode(f.resource)
}

func (f *fakeARM) answerOperation(w http.ResponseWriter) {
	switch {
	case f.running:
		_, _ = fmt.Fprint(w, `{"status":"InProgress"}`)
	case f.failure != "":
		_, _ = fmt.Fprintf(w, `{"status":"Failed","error":%s}`, f.failure)
	default:
		_, _ = fmt.Fprint(w, `{"status":"Succeeded"}`)
	}
}

func (f *fakeARM) begin(w http.ResponseWriter, r *http.Request) {
	f.running = true
	w.Header().Set("Azure-AsyncOperation", f.server.URL+"/operation")
	if r.Method == http.MethodDelete {
		f.pending = nil
		if f.resource != nil {
			f.setState("Deleting")
		}
		w.WriteHeader(http.StatusAccepted)
		return
	}
	var body map[string]any
	_ = json.NewDecoder(r.Body).Decode(&body)
	f.pending, f.resource = body, body
	f.setState("Creating")
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(f.resource)
}

func (f *fakeARM) setState(state string) {
	properties, _ := f.resource["properties"].(map[string]any)
	if properties == nil {
		properties = map[string]any{}
	}
	properties["provisioningState"] = state
	f.resource["properties"] = properties
}

// finish ends the running operation; failure is the JSON of its error, "" for success.
func (f *fakeARM) finish(failure string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.running, f.failure = false, failure
	f.resource = f.pending
	if f.resource == nil {
		return
	}
	if failure != "" {
		f.setState("Failed")
		return
	}
	f.setState("Succeeded")
}

func (f *fakeARM) refuse(refusal *refusedRequest) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refusal = refusal
}

func (f *fakeARM) set(resource map[string]any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.resource = resource
}

func (f *fakeARM) writes() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(f.calls, " ")
}
