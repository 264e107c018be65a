package workload

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	testingclock "k8s.io/utils/clock/testing"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// counted is a cluster of one node that counts how often its Nodes are listed.
type counted struct {
	*httptest.Server
	lists atomic.Int32
}

func newCounted(t *testing.T) *counted {
	t.Helper()
	s := &counted{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch r.Method {
		case http.MethodGet:
			s.lists.Add(1)
			fmt.Fprint(w, `{"kind":"NodeList","apiVersion":"v1","metadata":{},"items":[{"metadata":{"name":"n0"}}]}`)
		case http.MethodPatch:
			fmt.Fprint(w, `{"kind":"Node","apiVersion":"v1","metadata":{"name":"n0"}}`)
		default:
			fmt.Fprint(w, `{"kind":"Status","apiVersion":"v1","status":"Success"}`)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// Looks of a cluster's Nodepools that come together share one reading, but none
// that is older than three seconds or than something we wrote. A look that asks
// for a live one gets it.
func TestWhoSharesAReading(t *testing.T) {
	server := newCounted(t)
	clk := testingclock.NewFakePassiveClock(time.Unix(0, 0))
	c := New(&secrets{value: kubeconfig(server.URL, `{"token":"a"}`)}, "test", clk)
	api, err := c.Get(t.Context(), cluster)
	check(t, err)
	for _, step := range []struct {
		what   string
		do     func()
		lists  int32
		shared bool
	}{
		{"the first", func() {}, 1, false},
		{"at once", func() {}, 1, true},
		{"within three seconds", func() { clk.SetTime(clk.Now().Add(3*time.Second - 1)) }, 1, true},
		{"after three seconds", func() { clk.SetTime(clk.Now().Add(1)) }, 2, false},
		{"after a live one", func() { _, err := c.Nodes(t.Context(), cluster); check(t, err) }, 3, true},
		{"after a node was closed", func() {
			_, err := api.CoreV1().Nodes().Patch(t.Context(), "n0", types.MergePatchType, []byte(`{}`), metav1.PatchOptions{})
			check(t, err)
		}, 4, false},
		{"after an eviction", func() {
			err := api.PolicyV1().Evictions("default").Evict(t.Context(), &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web-0"}})
			check(t, err)
		}, 4, true},
		{"after the connection was closed", func() { c.Forget(cluster) }, 5, false},
	} {
		step.do()
		got, err := c.RecentNodes(t.Context(), cluster)
		if err != nil || len(got.Nodes) != 1 || got.API == nil {
			t.Fatalf("%s: %+v, %v", step.what, got, err)
		}
		if lists := server.lists.Load(); got.Shared != step.shared || lists != step.lists {
			t.Errorf("%s: shared %t after %d lists, want %t after %d", step.what, got.Shared, lists, step.shared, step.lists)
		}
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A reading that goes on is waited for, unless its caller gives up, which leaves
// it to the next.
func TestAReadingThatGoesOnIsShared(t *testing.T) {
	asked, answer := make(chan struct{}), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		select {
		case <-answer:
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, `{"kind":"NodeList","apiVersion":"v1","metadata":{},"items":[]}`)
		case <-r.Context().Done():
		}
	}))
	defer server.Close()
	c := New(&secrets{value: kubeconfig(server.URL, `{"token":"a"}`)}, "test", testingclock.NewFakePassiveClock(time.Unix(0, 0)))
	type result struct {
		Reading
		err error
	}
	look := func(ctx context.Context) chan result {
		out := make(chan result, 1)
		go func() {
			got, err := c.RecentNodes(ctx, cluster)
			out <- result{got, err}
		}()
		return out
	}
	impatient, giveUp := context.WithCancel(t.Context())
	first := look(impatient)
	<-asked
	second := look(t.Context())
	giveUp()
	if got := <-first; got.err == nil {
		t.Error("who gave up has an answer")
	}
	<-asked
	close(answer)
	if got := <-second; got.err != nil || got.Shared {
		t.Errorf("who took over: shared %t, %v", got.Shared, got.err)
	}
}

// A fleet at rest keeps no Nodes in memory.
func TestReadingsAreLetGo(t *testing.T) {
	server := newCounted(t)
	clk := testingclock.NewFakePassiveClock(time.Unix(0, 0))
	c := New(&secrets{value: kubeconfig(server.URL, `{"token":"a"}`)}, "test", clk)
	_, err := c.Nodes(t.Context(), cluster)
	check(t, err)
	clk.SetTime(time.Unix(3, 0))
	if c.CloseIdle(); len(c.known) != 0 {
		t.Errorf("after three seconds %d clusters are remembered", len(c.known))
	}
}

// A dropped connection is closed on the wire, too.
func TestForgetClosesConnections(t *testing.T) {
	for name, drop := range map[string]func(*Clusters, *testingclock.FakePassiveClock){
		"forgotten": func(c *Clusters, _ *testingclock.FakePassiveClock) { c.Forget(cluster) },
		"idle": func(c *Clusters, clk *testingclock.FakePassiveClock) {
			clk.SetTime(time.Unix(300, 0))
			c.CloseIdle()
		},
	} {
		t.Run(name, func(t *testing.T) {
			opened, closed := make(chan struct{}, 10), make(chan struct{}, 10)
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				fmt.Fprint(w, `{"kind":"NodeList","apiVersion":"v1","metadata":{},"items":[]}`)
			}))
			server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
				switch state {
				case http.StateNew:
					opened <- struct{}{}
				case http.StateClosed:
					closed <- struct{}{}
				default:
				}
			}
			server.Start()
			defer server.Close()
			clk := testingclock.NewFakePassiveClock(time.Unix(0, 0))
			c := New(&secrets{value: kubeconfig(server.URL, `{"token":"a"}`)}, "test", clk)
			_, err := c.Nodes(t.Context(), cluster)
			check(t, err)
			drop(c, clk)
			deadline, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			select {
			case <-closed:
			case <-deadline.Done():
				t.Fatalf("%d connections were opened, none was closed", len(opened))
			}
			if len(opened) != 1 {
				t.Errorf("%d connections were opened, want 1", len(opened))
			}
		})
	}
}

func TestSlim(t *testing.T) {
	since := time.Unix(60, 0)
	now := metav1.NewTime(since)
	got := slim(&corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name: "n0", UID: "1", DeletionTimestamp: &now, Annotations: map[string]string{fleetwrightv1.AnnotationCordoned: "general1", "other": "x"},
			Labels: map[string]string{
				"kubernetes.azure.com/agentpool": "general", "topology.disk.csi.azure.com/zone": "a", "topology.kubernetes.io/zone": "b",
				"failure-domain.beta.kubernetes.io/zone": "c", "kubernetes.io/hostname": "n0",
			},
		},
		Spec: corev1.NodeSpec{ProviderID: "azure:///n0", Unschedulable: true},
		Status: corev1.NodeStatus{
			NodeInfo: corev1.NodeSystemInfo{KubeletVersion: "v1.34.2"},
			Conditions: []corev1.NodeCondition{
				{Type: corev1.NodeMemoryPressure, Status: corev1.ConditionFalse, LastTransitionTime: metav1.Unix(90, 0)},
				{Type: corev1.NodeReady, Status: corev1.ConditionTrue, LastTransitionTime: now},
			},
		},
	})
	want := Node{
		Name: "n0", UID: "1", ProviderID: "azure:///n0", Unschedulable: true, CordonedByUs: true, Ready: true, ReadySince: since, Deleting: true, KubeletVersion: "v1.34.2",
		Labels: map[string]string{
			"kubernetes.azure.com/agentpool": "general", "topology.disk.csi.azure.com/zone": "a", "topology.kubernetes.io/zone": "b", "failure-domain.beta.kubernetes.io/zone": "c",
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("slim() (-want +got)\n%s", diff)
	}
}
