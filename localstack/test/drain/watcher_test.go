package drain_test

import (
	"context"
	"errors"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/fleetwright/fleetwright/drain"
)

// running is a drain of a Watcher in the background.
type running struct {
	plans chan drain.Plan
	ended chan error
	last  drain.Plan
}

func startDrain(ctx context.Context, w *drain.Watcher, nodes []drain.NodeRef, policy drain.Policy) *running {
	r := &running{plans: make(chan drain.Plan, 10_000), ended: make(chan error, 1)}
	go func() { r.ended <- w.Drain(ctx, nodes, policy, func(p drain.Plan) { r.plans <- p }) }()
	return r
}

// until waits for a report that satisfies done.
func (r *running) until(t *testing.T, what string, done func(drain.Plan) bool) {
	t.Helper()
	limit := time.After(90 * time.Second)
	for {
		select {
		case r.last = <-r.plans:
			if done(r.last) {
				return
			}
		case err := <-r.ended:
			t.Fatalf("%s: the drain ended with %v, last seen: %s", what, err, r.last)
		case <-limit:
			t.Fatalf("%s: not within 90 s, last seen: %s", what, r.last)
		}
	}
}

func (r *running) end(t *testing.T) error {
	t.Helper()
	select {
	case err := <-r.ended:
		for len(r.plans) > 0 {
			r.last = <-r.plans
		}
		return err
	case <-time.After(90 * time.Second):
		t.Fatalf("the drain does not end, last seen: %s", r.last)
		return nil
	}
}

// TestWatcherOnARealAPIServer empties the same nodes as TestDrainOnARealAPIServer, woken by watches alone.
func TestWatcherOnARealAPIServer(t *testing.T) {
	c, old, floor := startOneOfEverything(t)
	w := drain.NewWatcher(c.drain, drain.Options{ReportEvery: 50 * time.Millisecond})
	d := startDrain(t.Context(), w, old, drain.Policy{})
	d.until(t, "only what cannot go is left", onlyWhatCannotGo)
	t.Logf("Blocked: %s", d.last.Summary)
	c.removeObstacles(t)
	if err := d.end(t); err != nil || !d.last.Empty {
		t.Fatalf("drain = %v, last seen: %s", err, d.last)
	}
	snapshot, err := drain.Observe(t.Context(), c.drain, old, drain.Policy{})
	must(t, err)
	if plan := drain.Decide(snapshot, drain.Policy{}, time.Now()); !plan.Empty {
		t.Errorf("the Watcher called nodes empty that are not: %s", plan)
	}
	floor.check(t)
	c.checkAudit(t)
	granted, refused := c.evictions(t)
	t.Logf("%d evictions granted, %d refused", granted, refused)
	// The webhook's denials aside, refusals would be evictions that a watch could have told not to send.
	if granted != 26 || refused[429] > refused[webhookDenial]+1 {
		t.Errorf("%d evictions granted and %v refused, want 26 and none but by the webhook", granted, refused)
	}
}

// TestWatcherStops shows that nothing is evicted after the end of a drain's context, nor for a node with another UID.
func TestWatcherStops(t *testing.T) {
	c := startCluster(t)
	c.addNodes(t, "old-1", "new-1")
	must(t, drain.Cordon(t.Context(), c.admin, c.ref(t, "new-1"), drain.Mark{}))
	c.deploy(t, "cart", 20)
	eventually(t, time.Minute, "pods ready", func(ctx context.Context) (bool, string) {
		d, err := c.admin.AppsV1().Deployments(namespace).Get(ctx, "cart", metav1.GetOptions{})
		return err == nil && d.Status.ReadyReplicas == 20, "waiting"
	})
	old := []drain.NodeRef{c.ref(t, "old-1")}
	must(t, drain.Cordon(t.Context(), c.admin, old[0], drain.Mark{}))
	must(t, drain.Uncordon(t.Context(), c.admin, c.ref(t, "new-1"), drain.Mark{}))
	w := drain.NewWatcher(c.drain, drain.Options{ReportEvery: 10 * time.Millisecond})

	stranger := drain.NodeRef{Name: "old-1", UID: types.UID("1c9a6f5e-0000-4000-8000-000000000000")}
	if err := startDrain(t.Context(), w, []drain.NodeRef{stranger}, drain.Policy{}).end(t); !errors.Is(err, drain.ErrNodeReplaced) {
		t.Errorf("drain of a node with another uid = %v, want ErrNodeReplaced", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	d := startDrain(ctx, w, old, drain.Policy{})
	d.until(t, "the first pods are gone", func(p drain.Plan) bool { return p.Remaining > 0 && p.Remaining <= 18 })
	cancel()
	if err := d.end(t); !errors.Is(err, context.Canceled) {
		t.Errorf("drain after its context's end = %v, want Canceled", err)
	}
	before, _ := c.evictions(t)
	// A drain of other nodes through the same Watcher goes on as if nothing had been; none of the old one does.
	if err := startDrain(t.Context(), w, []drain.NodeRef{{Name: "gone"}}, drain.Policy{}).end(t); err != nil {
		t.Errorf("drain of a node that is gone = %v", err)
	}
	if after, _ := c.evictions(t); after != before || before == 0 || before >= 20 {
		t.Errorf("%d evictions when the drain had ended and %d later, want the same and neither 0 nor all", before, after)
	}
}
