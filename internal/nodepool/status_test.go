package nodepool

import (
	"errors"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/drain"
	"github.com/fleetwright/fleetwright/internal/nodepool/replacement"
	"github.com/fleetwright/fleetwright/internal/ownobject"
)

// Whatever is observed, the API server takes the status: one that breaks a
// bound is refused as a whole, just when there is something to tell.
func TestStatusIsAlwaysAccepted(t *testing.T) {
	a := newAzure(t)
	np := a.nodepool("D4")
	long := strings.Repeat("ü", 20000)
	o := &observation{drains: map[string]drain.Plan{}}
	o.world.Cluster = replacement.Cluster{Name: clusterName, Found: true, Provisioned: true, Version: "v1.34.2", Unreachable: long}
	for _, name := range []string{"a", "a", "b", "c", "d", "e", "f"} {
		object := "o" + name
		o.world.Pools = append(o.world.Pools, replacement.Pool{
			Name: name, Object: object, Nodes: []replacement.Node{{Name: "n", Version: "v1.34.2-" + strings.Repeat("x", 300)}},
		})
		o.plan.Outgoing = append(o.plan.Outgoing, object)
		for range 20 {
			o.drains[object] = drain.Plan{Blockers: []drain.Blocker{{
				Pod: types.NamespacedName{Namespace: "shop", Name: "cart"}, Reason: drain.ReasonWebhookDenied,
				Budget: "shop/" + strings.Repeat("b", 253), Owner: long, Message: long,
			}}}
		}
	}
	o.plan.Verdict, o.plan.Reason, o.plan.Message = replacement.Stuck, fleetwrightv1.ReasonIdentityConflict, "two pools are called a"
	r := a.op.reconciler
	if err := r.report(t.Context(), np, o, errors.New(long)); err != nil {
		t.Fatal(err)
	}
	if err := server.Get(t.Context(), a.key(), np); err != nil {
		t.Fatal(err)
	}
	if c := meta.FindStatusCondition(np.Status.Conditions, fleetwrightv1.ConditionStalled); c == nil || len(c.Message) > 1000 {
		t.Errorf("condition Stalled: %+v", c)
	}
	if got := np.Status.Replacement.Blockers[0].Budget; got != strings.Repeat("b", 253) {
		t.Errorf("budget %q, want its name alone", got)
	}
}

// What the cluster's own objects do not date counts from the report that named
// it first, so that it is called a blocker after two minutes.
func TestBlockersAreDatedFromTheirFirstReport(t *testing.T) {
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	pod := types.NamespacedName{Namespace: "shop", Name: "cart"}
	blocked := func(after time.Duration, before ...fleetwrightv1.DrainBlocker) *drain.Blocker {
		o := &observation{drains: map[string]drain.Plan{"o": {Blockers: []drain.Blocker{{Pod: pod, Reason: drain.ReasonReplacementNotReady}}}}}
		o.world.Pools = []replacement.Pool{{Object: "o"}}
		o.plan.Action = replacement.Action{Kind: replacement.EvictPods, Object: "o"}
		o.dateBlockers(before, now.Add(after))
		return worstBlocker(o, now.Add(after))
	}
	reported := fleetwrightv1.DrainBlocker{Namespace: "shop", Pod: "cart", Reason: "ReplacementNotReady", SinceTime: metav1.NewTime(now)}
	other := reported
	other.Reason = "Unreachable"
	if b := blocked(0); b != nil {
		t.Errorf("blocked at the first look: %+v", b)
	}
	if b := blocked(time.Minute, reported); b != nil {
		t.Errorf("blocked after a minute: %+v", b)
	}
	if b := blocked(3*time.Minute, reported); b == nil || !b.Since.Equal(now) {
		t.Errorf("after three minutes: %+v, want it blocked since %s", b, now)
	}
	if b := blocked(3*time.Minute, other); b != nil {
		t.Errorf("blocked since another reason began: %+v", b)
	}
}

// The cache lags behind our own last write: what it says is not written again,
// under another time and with another event.
func TestStaleCacheIsNotReported(t *testing.T) {
	a := newAzure(t)
	np := a.nodepool("D4")
	r := a.op.reconciler
	for range 3 {
		if _, err := r.Reconcile(t.Context(), np.DeepCopy()); err != nil {
			t.Fatal(err)
		}
	}
	var fresh fleetwrightv1.Nodepool
	if err := server.Get(t.Context(), a.key(), &fresh); err != nil {
		t.Fatal(err)
	}
	before := len(a.op.writes)
	stale := np.DeepCopy()
	if _, err := r.Reconcile(t.Context(), stale); err != nil {
		t.Fatal(err)
	}
	if len(a.op.writes) != before {
		t.Errorf("a stale look wrote: %v", a.op.writes[before:])
	}
	if up := meta.FindStatusCondition(fresh.Status.Conditions, fleetwrightv1.ConditionUpToDate); up == nil || up.Status != metav1.ConditionFalse {
		t.Errorf("UpToDate while the only pool is being made: %+v", up)
	}
}

func TestGoneNodepoolIsNoError(t *testing.T) {
	a := newAzure(t)
	np := &fleetwrightv1.Nodepool{ObjectMeta: metav1.ObjectMeta{Name: a.key().Name, Namespace: a.namespace}}
	result, err := a.op.reconciler.Reconcile(t.Context(), np)
	if err != nil || result.RequeueAfter != 0 {
		t.Errorf("result %+v, error %v", result, err)
	}
	// Gone between the look and the report.
	np.UID, np.ResourceVersion = "gone", "1"
	o := &observation{plan: replacement.Plan{Verdict: replacement.Waiting, Reason: "WaitingForCluster", Message: "waits"}}
	if _, err := ownobject.Quietly(a.op.reconciler.report(t.Context(), np, o, nil)); err != nil {
		t.Errorf("report: %v", err)
	}
}
