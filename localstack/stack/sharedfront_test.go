package stack

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// What the API server is asked when a cluster is asked by its path.
func TestFrontAsksOnlyForTheClustersNodes(t *testing.T) {
	front := newSharedFront()
	if path := front.add("a-1"); path != "/c/a-1" {
		t.Fatalf("the cluster's path is %s", path)
	}
	const own = "labelSelector=localstack.fleetwright.io%2Fcluster%3Da-1"
	for _, tc := range []struct{ name, method, asked, want string }{
		{"list", "GET", "/c/a-1/api/v1/nodes", "/api/v1/nodes?" + own},
		{"watch", "GET", "/c/a-1/api/v1/nodes?watch=true", "/api/v1/nodes?" + own + "&watch=true"},
		{"old watch", "GET", "/c/a-1/api/v1/watch/nodes/", "/api/v1/watch/nodes/?" + own},
		{"delete many", "DELETE", "/c/a-1/api/v1/nodes", "/api/v1/nodes?" + own},
		{"own selector", "GET", "/c/a-1/api/v1/nodes?labelSelector=team%3Da", "/api/v1/nodes?labelSelector=team%3Da%2Clocalstack.fleetwright.io%2Fcluster%3Da-1"},
		{"create", "POST", "/c/a-1/api/v1/nodes", "/api/v1/nodes"},
		{"one", "GET", "/c/a-1/api/v1/nodes/n", "/api/v1/nodes/n"},
		{"other kinds", "GET", "/c/a-1/api/v1/pods?limit=1", "/api/v1/pods?limit=1"},
		{"escaped", "GET", "/c/a-1/api/v1/nodes/a%2Fb", "/api/v1/nodes/a%2Fb"},
		{"root", "GET", "/c/a-1", "/"},
		{"the server itself", "GET", "/api/v1/nodes?watch=true", "/api/v1/nodes?watch=true"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var asked, line string
			server := front.wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked, line = r.URL.String(), r.RequestURI }))
			server.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(tc.method, tc.asked, http.NoBody))
			if asked != tc.want || line != tc.want {
				t.Errorf("%s %s asked for %s (%s), want %s", tc.method, tc.asked, asked, line, tc.want)
			}
		})
	}
}

// A client must see that a cluster is gone, as when its API server has ended: also one that is in the middle of a watch.
func TestFrontCutsOffADeletedCluster(t *testing.T) {
	front := newSharedFront()
	front.add("a-1")
	front.add("b-1")
	serving := httptest.NewServer(front.wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "event")
		_ = http.NewResponseController(w).Flush()
		if r.URL.Query().Has("watch") {
			<-r.Context().Done()
		}
	})))
	t.Cleanup(serving.Close)
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel) // before the server waits for its requests
	ask := func(path string) *http.Response {
		t.Helper()
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, serving.URL+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = response.Body.Close() })
		return response
	}
	watch := ask("/c/a-1/api/v1/nodes?watch=true")
	front.remove("a-1")
	if seen, err := io.ReadAll(watch.Body); string(seen) != "event" {
		t.Errorf("the watch of a deleted cluster saw %q, %v", seen, err)
	}
	if gone := ask("/c/a-1/api/v1/pods"); gone.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a deleted cluster answers %s", gone.Status)
	}
	if other := ask("/c/b-1/api/v1/pods"); other.StatusCode != http.StatusOK {
		t.Errorf("the other cluster answers %s", other.Status)
	}
	if never := ask("/c/a-10/api/v1/pods"); !strings.HasPrefix(never.Status, "503") {
		t.Errorf("a cluster that never was answers %s", never.Status)
	}
}
