package workload

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	testingclock "k8s.io/utils/clock/testing"
)

var (
	daemonSet  = schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "DaemonSet"}
	agentInSys = types.NamespacedName{Namespace: "kube-system", Name: "agent"}
)

// oneDaemonSet is an API server that knows DaemonSets, and has one. seen is the
// path of each request, in its order.
func oneDaemonSet(t *testing.T) (url string, seen *[]string) {
	t.Helper()
	seen = &[]string{}
	answers := map[string]string{
		"/api":          `{"kind":"APIVersions","versions":["v1"]}`,
		"/apis":         `{"kind":"APIGroupList","apiVersion":"v1","groups":[{"name":"apps","versions":[{"groupVersion":"apps/v1","version":"v1"}],"preferredVersion":{"groupVersion":"apps/v1","version":"v1"}}]}`,
		"/apis/apps":    `{"kind":"APIGroup","apiVersion":"v1","name":"apps","versions":[{"groupVersion":"apps/v1","version":"v1"}],"preferredVersion":{"groupVersion":"apps/v1","version":"v1"}}`,
		"/apis/apps/v1": `{"kind":"APIResourceList","apiVersion":"v1","groupVersion":"apps/v1","resources":[{"name":"daemonsets","singularName":"daemonset","namespaced":true,"kind":"DaemonSet","verbs":["get"]}]}`,
		"/apis/apps/v1/namespaces/kube-system/daemonsets/agent": `{"kind":"DaemonSet","apiVersion":"apps/v1","metadata":{"name":"agent","generation":3}}`,
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*seen = append(*seen, r.URL.Path)
		w.Header().Set("Content-Type", "application/json")
		answer, ok := answers[r.URL.Path]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			answer = `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404}`
		}
		fmt.Fprint(w, answer)
	}))
	t.Cleanup(server.Close)
	return server.URL, seen
}

// What is not there is an answer, and costs no new connection; the kinds are
// looked up once for each.
func TestObject(t *testing.T) {
	url, seen := oneDaemonSet(t)
	s := &secrets{value: kubeconfig(url, `{"token":"a"}`)}
	c := New(s, "test", testingclock.NewFakePassiveClock(time.Unix(0, 0)))
	got, err := c.Object(t.Context(), cluster, daemonSet, agentInSys)
	if err != nil || got == nil || got.GetGeneration() != 3 {
		t.Fatalf("Object() = %v, %v", got, err)
	}
	for name, of := range map[string]struct {
		kind schema.GroupVersionKind
		key  types.NamespacedName
	}{
		"no such object":  {daemonSet, types.NamespacedName{Namespace: "kube-system", Name: "another"}},
		"no such kind":    {schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Agent"}, agentInSys},
		"no such group":   {schema.GroupVersionKind{Group: "example.com", Version: "v1", Kind: "Agent"}, agentInSys},
		"no such version": {schema.GroupVersionKind{Group: "apps", Version: "v2", Kind: "DaemonSet"}, agentInSys},
	} {
		if got, err := c.Object(t.Context(), cluster, of.kind, of.key); err != nil || got != nil {
			t.Errorf("%s: Object() = %v, %v; want nothing", name, got, err)
		}
	}
	*seen = nil
	if _, err := c.Object(t.Context(), cluster, daemonSet, agentInSys); err != nil {
		t.Fatal(err)
	}
	if len(*seen) != 1 || s.reads != 1 {
		t.Errorf("the second reading of one object asked for %q, the kubeconfig was read %d times", *seen, s.reads)
	}
}

// Whoever asks for objects waits for a silent cluster as seldom as whoever asks
// for nodes, and each knows what the other has found.
func TestObjectOfASilentCluster(t *testing.T) {
	c, s, clk := silentCluster(t)
	var silent *UnansweredError
	object := func(ctx context.Context) error {
		_, err := c.Object(ctx, cluster, daemonSet, agentInSys)
		return err
	}
	if err := object(t.Context()); !errors.As(err, &silent) || s.reads != 1 {
		t.Fatalf("a silence is known: %v after %d attempts", err, s.reads)
	}
	clk.SetTime(time.Unix(60, 0))
	if err := object(t.Context()); !errors.As(err, &silent) || silent.Again.Unix() != 180 || s.reads != 2 {
		t.Fatalf("after a minute: %v after %d attempts", err, s.reads)
	}
	if _, err := c.Nodes(t.Context(), cluster); !errors.As(err, &silent) || s.reads != 2 {
		t.Fatalf("nodes right after: %v after %d attempts", err, s.reads)
	}
	url, _ := oneDaemonSet(t)
	s.value, c.patience = kubeconfig(url, `{"token":"a"}`), requestTimeout
	clk.SetTime(time.Unix(180, 0))
	if err := object(t.Context()); err != nil {
		t.Fatalf("it answers again: %v", err)
	}
	if _, err := c.Nodes(t.Context(), cluster); errors.As(err, &silent) {
		t.Errorf("nodes after it has answered: %v", err)
	}
}

// An object that is read is not taken for a reading of the nodes.
func TestObjectIsNoReading(t *testing.T) {
	url, _ := oneDaemonSet(t)
	c := New(&secrets{value: kubeconfig(url, `{"token":"a"}`)}, "test", testingclock.NewFakePassiveClock(time.Unix(0, 0)))
	if _, err := c.Object(t.Context(), cluster, daemonSet, agentInSys); err != nil {
		t.Fatal(err)
	}
	if got, err := c.RecentNodes(t.Context(), cluster); err == nil || got.Shared {
		t.Errorf("RecentNodes() = %+v, %v; want it to ask the server, which has none", got, err)
	}
}

// It is refused, not silent: the words of the server come through.
func TestObjectThatIsRefused(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusForbidden) }))
	defer server.Close()
	c := New(&secrets{value: kubeconfig(server.URL, `{"token":"a"}`)}, "test", testingclock.NewFakePassiveClock(time.Unix(0, 0)))
	_, err := c.Object(t.Context(), cluster, daemonSet, agentInSys)
	if _, silent := errors.AsType[*UnansweredError](err); err == nil || silent || !strings.HasPrefix(err.Error(), "read DaemonSet kube-system/agent of cluster prod-eu/prod-eu-1: ") {
		t.Errorf("Object() = %v", err)
	}
}
