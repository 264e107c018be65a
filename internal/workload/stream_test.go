package workload

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	testingclock "k8s.io/utils/clock/testing"
)

// A watch goes on for as long as somebody reads it, and however much it tells.
func TestStreamIsNotCutOff(t *testing.T) {
	const events = 66 // of 1 MiB each: more than any answer may have that is no watch
	accepts := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		accepts = r.Header.Get("Accept")
		w.Header().Set("Content-Type", "application/json")
		for range events {
			fmt.Fprintf(w, `{"type":"MODIFIED","object":{"kind":"Pod","apiVersion":"v1","metadata":{"name":"p","annotations":{"a":%q}}}}`, strings.Repeat("x", 1<<20))
		}
	}))
	defer server.Close()
	c := New(&secrets{value: kubeconfig(server.URL, `{"token":"a"}`)}, "test", testingclock.NewFakePassiveClock(time.Unix(0, 0)))
	stream, err := c.Stream(t.Context(), cluster, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	if client := stream.API.CoreV1().RESTClient().(*rest.RESTClient).Client; client.Timeout != 0 {
		t.Errorf("an answer may take %s in all", client.Timeout)
	}
	watch, err := stream.API.CoreV1().Pods("").Watch(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Stop()
	seen := 0
	for e := range watch.ResultChan() {
		if e.Type != "MODIFIED" {
			t.Fatalf("after %d events it says %+v", seen, e)
		}
		seen++
	}
	if seen != events {
		t.Errorf("%d of %d events arrived", seen, events)
	}
	if !strings.HasPrefix(accepts, "application/vnd.kubernetes.protobuf") {
		t.Errorf("it accepts %s", accepts)
	}
}

func TestStreamFollowsTheKubeconfig(t *testing.T) {
	clk := testingclock.NewFakePassiveClock(time.Unix(0, 0))
	s := &secrets{value: kubeconfig("https://127.0.0.1:1", `{"token":"a"}`)}
	c := New(s, "test", clk)
	first, err := c.Stream(t.Context(), cluster, nil)
	if err != nil {
		t.Fatal(err)
	}
	c.Forget(cluster) // the other connection is none of its business
	for _, at := range []int64{59, 61, 62} {
		clk.SetTime(time.Unix(at, 0))
		if again, err := c.Stream(t.Context(), cluster, first); err != nil || again != first {
			t.Errorf("after %d s: the same stream %t, %v", at, again == first, err)
		}
	}
	if s.reads != 2 {
		t.Errorf("the kubeconfig was read %d times, want twice", s.reads)
	}
	s.value = kubeconfig("https://127.0.0.1:1", `{"token":"rotated"}`)
	clk.SetTime(time.Unix(122, 0))
	if again, err := c.Stream(t.Context(), cluster, first); err != nil || again == first {
		t.Errorf("rotated kubeconfig: the same stream %t, %v", again == first, err)
	}
	if other, err := c.Stream(t.Context(), cluster, nil); err != nil || other == first {
		t.Errorf("a stream of one's own: %t, %v", other != first, err)
	}
}
