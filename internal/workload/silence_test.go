package workload

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	testingclock "k8s.io/utils/clock/testing"
)

// blackHole takes connections and never says anything on them, as a firewall
// does that drops what it does not like.
func blackHole(t *testing.T) (address string) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return "http://" + listener.Addr().String()
}

// silentCluster is one that has let the first request run into its timeout. Each attempt
// reads the kubeconfig, because a connection that fails is dropped: so reads counts them.
func silentCluster(t *testing.T) (*Clusters, *secrets, *testingclock.FakePassiveClock) {
	t.Helper()
	clk := testingclock.NewFakePassiveClock(time.Unix(0, 0))
	s := &secrets{value: kubeconfig(blackHole(t), `{"token":"a"}`)}
	c := New(s, "test", clk)
	c.patience = time.Millisecond
	if _, err := c.Nodes(t.Context(), cluster); err == nil {
		t.Fatal("a server that never answers has answered")
	}
	return c, s, clk
}

// A cluster that does not answer is asked now and then, and seldom after a while:
// whoever looks meanwhile is told at once.
func TestSilentClusterIsAskedNowAndThen(t *testing.T) {
	c, s, clk := silentCluster(t)
	attempts := 1
	for _, step := range []struct {
		at, again int64
		asks      bool
	}{
		{at: 0, again: 60},
		{at: 59, again: 60},
		{at: 60, again: 180, asks: true},
		{at: 179, again: 180},
		{at: 180, again: 420, asks: true},
		{at: 420, again: 660, asks: true},
		{at: 660, again: 900, asks: true},
	} {
		clk.SetTime(time.Unix(step.at, 0))
		for name, read := range map[string]func(context.Context) error{
			"anew":   func(ctx context.Context) error { _, err := c.Nodes(ctx, cluster); return err },
			"recent": func(ctx context.Context) error { _, err := c.RecentNodes(ctx, cluster); return err },
		} {
			err := read(t.Context())
			var silent *UnansweredError
			if !errors.As(err, &silent) {
				t.Fatalf("after %d s, %s: %v", step.at, name, err)
			}
			if silent.Since.Unix() != 0 || silent.Again.Unix() != step.again || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("after %d s, %s: %+v, want it asked again after %d s", step.at, name, silent, step.again)
			}
		}
		if step.asks {
			attempts++
		}
		if s.reads != attempts {
			t.Fatalf("after %d s it was asked %d times, want %d", step.at, s.reads, attempts)
		}
	}
	_, err := c.Nodes(t.Context(), cluster)
	if says := "no answer since 1970-01-01T00:00:00Z, asked again at 1970-01-01T00:15:00Z: list nodes: "; err == nil || !strings.HasPrefix(err.Error(), says) {
		t.Errorf("it says %v, want %s...", err, says)
	}
}

// One caller tries a silent cluster again. All others, those in need of a live
// reading too, get what is remembered and do not wait; the first answer ends the
// silence for all.
func TestOneCallerAsksASilentCluster(t *testing.T) {
	c, s, clk := silentCluster(t)
	asked, answer := make(chan struct{}), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked <- struct{}{}
		<-answer
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"kind":"NodeList","apiVersion":"v1","metadata":{},"items":[]}`)
	}))
	defer server.Close()
	s.value, c.patience = kubeconfig(server.URL, `{"token":"a"}`), requestTimeout
	clk.SetTime(time.Unix(60, 0))

	probe := make(chan error)
	go func() {
		_, err := c.Nodes(t.Context(), cluster)
		probe <- err
	}()
	<-asked
	var silent *UnansweredError
	if _, err := c.RecentNodes(t.Context(), cluster); !errors.As(err, &silent) {
		t.Errorf("while one asks: %v", err)
	}
	if _, err := c.Nodes(t.Context(), cluster); !errors.As(err, &silent) {
		t.Errorf("while one asks: %v", err)
	}
	close(answer)
	if err := <-probe; err != nil {
		t.Fatal(err)
	}
	go func() { <-asked }()
	if _, err := c.Nodes(t.Context(), cluster); err != nil {
		t.Errorf("it has answered, and then: %v", err)
	}
}

// What answers or refuses at once costs nothing, and is asked each time; and who
// gives up has learnt nothing of the cluster.
func TestWhatIsNoSilence(t *testing.T) {
	refusing := httptest.NewServer(http.NotFoundHandler())
	refusing.Close()
	unwilling := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusForbidden) }))
	defer unwilling.Close()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for name, test := range map[string]struct {
		address string
		ctx     context.Context
	}{
		"refuses connections": {refusing.URL, t.Context()},
		"answers with 403":    {unwilling.URL, t.Context()},
		"caller gives up":     {blackHole(t), gone},
	} {
		t.Run(name, func(t *testing.T) {
			s := &secrets{value: kubeconfig(test.address, `{"token":"a"}`)}
			c := New(s, "test", testingclock.NewFakePassiveClock(time.Unix(0, 0)))
			for range 2 {
				var silent *UnansweredError
				if _, err := c.Nodes(test.ctx, cluster); err == nil || errors.As(err, &silent) {
					t.Errorf("Nodes() = %v, want another error", err)
				}
			}
			if s.reads != 2 {
				t.Errorf("it was asked %d times, want 2", s.reads)
			}
		})
	}
}

// The first refusal of a connection ends a silence too: the server is back, or
// soon will be, and asking it is cheap.
func TestRefusalEndsASilence(t *testing.T) {
	c, s, clk := silentCluster(t)
	refusing := httptest.NewServer(http.NotFoundHandler())
	refusing.Close()
	s.value, c.patience = kubeconfig(refusing.URL, `{"token":"a"}`), requestTimeout
	clk.SetTime(time.Unix(60, 0))
	for range 2 {
		var silent *UnansweredError
		if _, err := c.Nodes(t.Context(), cluster); err == nil || errors.As(err, &silent) {
			t.Errorf("Nodes() = %v, want a refusal", err)
		}
	}
	if s.reads != 3 {
		t.Errorf("it was asked %d times, want 3", s.reads)
	}
}
