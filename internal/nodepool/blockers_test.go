package nodepool

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/drain"
)

// held is a node with one pod that cannot go, seen 10 minutes after the drain
// began at noon.
func held(change func(*drain.Snapshot, *drain.Pod)) drain.Snapshot {
	s := drain.Snapshot{
		Nodes:  []drain.Node{{Name: "n1", UID: "n1", Unschedulable: true, Ready: true}},
		Owners: []drain.Owner{{UID: "rs", Desired: 3}},
	}
	p := drain.Pod{
		Namespace: "shop", Name: "cart-5d4f", UID: "p", Node: "n1", Phase: corev1.PodRunning, Ready: true, Created: noon.Add(-time.Hour),
		Labels: map[string]string{"app": "cart", "pod-template-hash": "abc"}, Controller: drain.Controller{Group: "apps", Kind: "ReplicaSet", Name: "cart-abc", UID: "rs"},
	}
	change(&s, &p)
	s.Pods = append(s.Pods, p)
	return s
}

func budget(name string, healthy, desired, expected int32) drain.Budget {
	return drain.Budget{
		Namespace: "shop", Name: name, Selector: labels.SelectorFromSet(labels.Set{"app": "cart"}),
		Healthy: healthy, Desired: desired, Expected: expected, Created: noon.Add(-time.Hour), BlockedSince: after(3 * time.Minute),
	}
}

// Condition DrainBlocked, and with it the event, says which pod, which budget with
// its numbers, whose they are and since when, whatever is in the way.
func TestEveryBlockerIsNamed(t *testing.T) {
	for name, tc := range map[string]struct {
		world  func(*drain.Snapshot, *drain.Pod)
		reason string
		says   string
	}{
		"two budgets": {
			world: func(s *drain.Snapshot, _ *drain.Pod) {
				s.Budgets = []drain.Budget{budget("a", 3, 2, 3), budget("b", 3, 2, 3)}
			},
			reason: "MultipleBudgets",
			says:   "pod shop/cart-5d4f (PodDisruptionBudgets shop/a and shop/b both cover it, which the eviction API refuses); its owner is Deployment/cart; since 2026-11-26T12:00:00Z",
		},
		"a budget that can never be satisfied": {
			world:  func(s *drain.Snapshot, _ *drain.Pod) { s.Budgets = []drain.Budget{budget("cart", 3, 3, 3)} },
			reason: "UnsatisfiableBudget",
			says:   "pod shop/cart-5d4f (PodDisruptionBudget shop/cart can never allow a disruption: 3 expected, 3 needed); its owner is Deployment/cart; since 2026-11-26T12:03:00Z",
		},
		"a budget whose pods are not ready": {
			world:  func(s *drain.Snapshot, _ *drain.Pod) { s.Budgets = []drain.Budget{budget("cart", 2, 2, 3)} },
			reason: "PodDisruptionBudget",
			says:   "pod shop/cart-5d4f (PodDisruptionBudget shop/cart allows 0 of 3: 2 ready, 2 needed); its owner is Deployment/cart; since 2026-11-26T12:03:00Z",
		},
		"a replacement that is not ready": {
			world: func(s *drain.Snapshot, p *drain.Pod) {
				other := *p
				other.Name, other.UID, other.Node, other.Ready, other.Created = "cart-new", "new", "n9", false, after(4*time.Minute)
				s.Pods, s.Owners[0].Desired = append(s.Pods, other), 2
			},
			reason: "ReplacementNotReady",
			says:   "pod shop/cart-5d4f (Deployment/cart has 1 of 2 pods ready, the replacement of an earlier one is starting); its owner is Deployment/cart; since 2026-11-26T12:04:00Z",
		},
		"a finalizer": {
			world: func(_ *drain.Snapshot, p *drain.Pod) {
				p.Deadline, p.Finalizers = after(5*time.Minute), []string{"vendor/backup"}
			},
			reason: "Finalizer",
			says:   "pod shop/cart-5d4f (it should have ended at 2026-11-26T12:05:00Z and is kept by finalizer vendor/backup); its owner is Deployment/cart",
		},
		"a stuck termination": {
			world:  func(_ *drain.Snapshot, p *drain.Pod) { p.Deadline = after(5 * time.Minute) },
			reason: "StuckTerminating",
			says:   "pod shop/cart-5d4f (it should have ended at 2026-11-26T12:05:00Z); its owner is Deployment/cart",
		},
		"a lost node": {
			world: func(s *drain.Snapshot, p *drain.Pod) {
				s.Nodes[0].Ready, p.Deadline = false, after(5*time.Minute)
			},
			reason: "NodeLost",
			says: "pod shop/cart-5d4f (it should have ended at 2026-11-26T12:05:00Z and its node n1 does not answer: once the machine is known to be off, " +
				"delete the Node object or taint it node.kubernetes.io/out-of-service); its owner is Deployment/cart",
		},
		"a webhook": {
			world: func(s *drain.Snapshot, p *drain.Pod) {
				s.Refusals = []drain.Refusal{{
					UID: p.UID, Pod: p.Key(), Outcome: drain.OutcomeWebhookDenied, At: after(10 * time.Minute), Since: after(2 * time.Minute),
					Message: `admission webhook "db.vendor.io" denied the request: a backup runs`,
				}}
			},
			reason: "WebhookDenied",
			says:   `pod shop/cart-5d4f (admission webhook "db.vendor.io" denied the request: a backup runs); its owner is Deployment/cart; since 2026-11-26T12:00:00Z`,
		},
		"a pod without a controller": {
			world:  func(_ *drain.Snapshot, p *drain.Pod) { p.Controller = drain.Controller{} },
			reason: "UnmanagedPod",
			says:   "pod shop/cart-5d4f (no controller would bring it back, move or delete it by hand); since 2026-11-26T12:00:00Z",
		},
		"do not disrupt": {
			world:  func(_ *drain.Snapshot, p *drain.Pod) { p.DoNotDisrupt = "true" },
			reason: "DoNotDisrupt",
			says:   "pod shop/cart-5d4f (its do-not-disrupt annotation asks to leave it alone, take it off or move the pod by hand); its owner is Deployment/cart; since 2026-11-26T12:00:00Z",
		},
		"wait until it has finished": {
			world:  func(_ *drain.Snapshot, p *drain.Pod) { p.Labels[drain.LabelDrain] = "wait-completed" },
			reason: "WaitCompleted",
			says:   "pod shop/cart-5d4f (it carries the label cluster.x-k8s.io/drain: wait-completed and has not finished); its owner is Deployment/cart; since 2026-11-26T12:00:00Z",
		},
	} {
		t.Run(name, func(t *testing.T) {
			now := after(10 * time.Minute)
			plan := drain.Decide(held(tc.world), drain.Policy{Started: noon}, now)
			if len(plan.Blockers) != 1 || !plan.Blockers[0].Stuck(now, blockedAfter) {
				t.Fatalf("blockers %+v, want one that is stuck", plan.Blockers)
			}
			b := plan.Blockers[0]
			c := drainBlockedCondition(&b)
			if c.Reason != tc.reason || c.Message != tc.says {
				t.Errorf("says\n%s %s\nwant\n%s %s", c.Reason, c.Message, tc.reason, tc.says)
			}
			later := drain.Decide(held(tc.world), drain.Policy{Started: noon}, now.Add(time.Second)).Blockers[0]
			if again := drainBlockedCondition(&later); again.Message != c.Message {
				t.Errorf("a second later it says %s", again.Message)
			}
			s := blockerStatus(b)
			if s.Node != "n1" || s.Pods != 1 || s.SinceTime.IsZero() || !strings.Contains(c.Message, s.Message) {
				t.Errorf("status %+v", s)
			}
		})
	}
}

// However long the words are, whose it is and since when is not cut off.
func TestLongWordsLeaveRoomForTheOwner(t *testing.T) {
	b := cart(0)
	b.Message = strings.Repeat("ü", 2000)
	if says := nameBlocker(b); len(says) > maxMessage || !strings.HasSuffix(says, "...; its owner is Deployment/cart; since 2026-11-26T12:00:00Z") {
		t.Errorf("%d bytes: %s", len(says), says)
	}
}

// An event tells of each workload that holds a drain up, and not of each number
// that changes.
func TestEachWorkloadIsNews(t *testing.T) {
	blockedBy := func(all ...drain.Blocker) *fleetwrightv1.Nodepool {
		np := &fleetwrightv1.Nodepool{}
		c := drainBlockedCondition(nil)
		if len(all) > 0 {
			c = drainBlockedCondition(&all[0])
		}
		meta.SetStatusCondition(&np.Status.Conditions, c)
		for _, b := range all {
			np.Status.Replacement.Blockers = append(np.Status.Replacement.Blockers, blockerStatus(b))
		}
		return np
	}
	cart, other := cart(0), cart(0)
	cart.Message = "allows 0 of 3: 1 ready, 3 needed"
	fewer := cart
	fewer.Message, fewer.Pods, fewer.Pod.Name = "allows 0 of 3: 2 ready, 3 needed", 1, "cart-2"
	other.Pod = types.NamespacedName{Namespace: "bank", Name: "cart-1"}
	for name, tc := range map[string]struct {
		before, after *fleetwrightv1.Nodepool
		want          bool
	}{
		"the first":                      {blockedBy(), blockedBy(cart), true},
		"the same":                       {blockedBy(cart), blockedBy(cart), false},
		"the same with other numbers":    {blockedBy(cart), blockedBy(fewer), false},
		"a workload of another team":     {blockedBy(cart), blockedBy(other), true},
		"another behind the worst":       {blockedBy(cart), blockedBy(cart, other), false},
		"another pod without controller": {blockedBy(bare("a", 0)), blockedBy(bare("b", 0)), true},
		"for another reason":             {blockedBy(cart), blockedBy(bare("a", 0)), true},
		"nobody any more":                {blockedBy(cart), blockedBy(), false},
	} {
		if got := blockedAnew(tc.before, tc.after); got != tc.want {
			t.Errorf("%s: an event is written: %t, want %t", name, got, tc.want)
		}
	}
	if blockedAnew(&fleetwrightv1.Nodepool{}, &fleetwrightv1.Nodepool{Status: fleetwrightv1.NodepoolStatus{Conditions: []metav1.Condition{}}}) {
		t.Error("an event is written of nothing")
	}
}
