package drain

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"
)

func TestDecideProgress(t *testing.T) {
	tests := map[string]struct {
		snapshot   Snapshot
		empty      bool
		nodesEmpty int
		remaining  int
		leaving    int
		summary    string
		checkAgain time.Duration
	}{
		"no node named is never empty": {
			summary: "no node was named, so nothing is drained", checkAgain: 10 * time.Second,
		},
		"empty but for what stays": {
			snapshot: Snapshot{Nodes: cordoned("old-1"), Pods: []Pod{
				pod("log", "log", kind("apps", "DaemonSet")), pod("proxy", "proxy", bare, static), pod("done", "job", phase(corev1.PodSucceeded)),
				pod("kept", "kept", label(LabelDrain, "skip")),
			}},
			empty: true, nodesEmpty: 1, summary: "1 node is empty",
		},
		"without pods but not cordoned is not empty": {
			snapshot: Snapshot{Nodes: []Node{{Name: "old-1", Ready: true}}},
			summary:  "0 of 1 node empty, 0 pods left; waits for node old-1 (it still takes pods and must be cordoned first)", checkAgain: time.Second,
		},
		"a node that is gone needs no cordon": {
			snapshot: Snapshot{Nodes: []Node{{Name: "old-1", Gone: true}}},
			empty:    true, nodesEmpty: 1, summary: "1 node is empty",
		},
		"a terminating pod keeps its node": {
			snapshot:   Snapshot{Nodes: cordoned("old-1", "old-2"), Pods: []Pod{pod("cart-1", "cart", deadline(noon))}},
			nodesEmpty: 1, remaining: 1, leaving: 1,
			summary: "1 of 2 nodes empty, 1 pod left, 1 leaving", checkAgain: time.Second,
		},
		"a bare pod keeps its node and nobody hurries": {
			snapshot:  Snapshot{Nodes: cordoned("old-1"), Pods: []Pod{pod("tool", "tool", bare)}},
			remaining: 1, checkAgain: 10 * time.Second,
			summary: "0 of 1 node empty, 1 pod left; waits for pod shop/tool (no controller would bring it back, move or delete it by hand)",
		},
		"a budget that blocked a minute ago may open at any moment": {
			snapshot: Snapshot{
				Nodes: cordoned("old-1"), Pods: []Pod{pod("cart-1", "cart")}, Budgets: []Budget{budget("cart", allows(0, 2, 2, 3), blockedFor(time.Minute))},
			},
			remaining: 1, checkAgain: time.Second,
			summary: "0 of 1 node empty, 1 pod left; waits for pod shop/cart-1 (PodDisruptionBudget shop/cart allows 0 of 3: 2 ready, 2 needed)",
		},
		"a budget that blocks for an hour": {
			snapshot: Snapshot{
				Nodes: cordoned("old-1"), Pods: []Pod{pod("cart-1", "cart")}, Budgets: []Budget{budget("cart", allows(0, 2, 2, 3), blockedFor(time.Hour))},
			},
			remaining: 1, checkAgain: 10 * time.Second,
			summary: "0 of 1 node empty, 1 pod left; waits for pod shop/cart-1 (PodDisruptionBudget shop/cart allows 0 of 3: 2 ready, 2 needed)",
		},
		"something to do": {
			snapshot:  Snapshot{Nodes: cordoned("old-1"), Pods: []Pod{pod("cart-1", "cart"), pod("cart-2", "cart")}, Budgets: []Budget{budget("cart")}},
			remaining: 2, checkAgain: time.Second, summary: "0 of 1 node empty, 2 pods left, 1 to evict now",
		},
		"throttled": {
			snapshot: Snapshot{
				Nodes: cordoned("old-1"), Pods: []Pod{pod("cart-1", "cart")}, Budgets: []Budget{budget("cart")},
				Refusals: []Refusal{{UID: "x", Outcome: OutcomeThrottled, At: noon, RetryAfter: 7 * time.Second, Message: "slow down"}},
			},
			remaining: 1, checkAgain: 7 * time.Second,
			summary: "0 of 1 node empty, 1 pod left; waits for pod shop/cart-1 (the API server asks to wait: slow down)",
		},
		"throttled in a future that the clock has left": {
			snapshot: Snapshot{
				Nodes: cordoned("old-1"), Pods: []Pod{pod("cart-1", "cart")}, Budgets: []Budget{budget("cart")},
				Refusals: []Refusal{{UID: "x", Outcome: OutcomeThrottled, At: noon.Add(time.Hour), RetryAfter: 7 * time.Second, Message: "slow down"}},
			},
			remaining: 1, checkAgain: 7 * time.Second,
			summary: "0 of 1 node empty, 1 pod left; waits for pod shop/cart-1 (the API server asks to wait: slow down)",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			plan := Decide(tc.snapshot, Policy{}, noon)
			if plan.Empty != (len(tc.snapshot.Nodes) > 0 && plan.Cordoned() && plan.Remaining == 0) {
				t.Errorf("Empty = %v with Cordoned() = %v and %d pods", plan.Empty, plan.Cordoned(), plan.Remaining)
			}
			if plan.Empty != tc.empty || plan.NodesEmpty() != tc.nodesEmpty {
				t.Errorf("Empty, NodesEmpty() = %v, %d, want %v, %d", plan.Empty, plan.NodesEmpty(), tc.empty, tc.nodesEmpty)
			}
			if plan.Remaining != tc.remaining || plan.Leaving != tc.leaving {
				t.Errorf("Remaining, Leaving = %d, %d, want %d, %d", plan.Remaining, plan.Leaving, tc.remaining, tc.leaving)
			}
			if plan.Summary != tc.summary {
				t.Errorf("Summary = %q, want %q", plan.Summary, tc.summary)
			}
			if plan.CheckAgain != tc.checkAgain {
				t.Errorf("CheckAgain = %s, want %s", plan.CheckAgain, tc.checkAgain)
			}
		})
	}
}

func TestDecideNamesConsent(t *testing.T) {
	plan := Decide(Snapshot{Nodes: cordoned("old-1"), Pods: []Pod{pod("kept", "kept", label(LabelDrain, "skip"))}}, Policy{}, noon)
	if len(plan.Consented) != 1 || plan.Consented[0].String() != "shop/kept" {
		t.Errorf("Consented = %v, want shop/kept", plan.Consented)
	}
	rule := Policy{Rules: []Rule{{Name: "r", Pods: app("log"), Behavior: RuleSkip}}}
	plan = Decide(Snapshot{Nodes: cordoned("old-1"), Pods: []Pod{pod("log-1", "log")}}, rule, noon)
	if len(plan.Consented) != 1 || plan.Consented[0].String() != "shop/log-1" || !plan.Empty {
		t.Errorf("Consented = %v, Empty = %v, want shop/log-1 by its rule, and empty", plan.Consented, plan.Empty)
	}
	for n, want := range map[int]string{
		0: "",
		1: " but for 1 pod that their label or rule leaves to end with it: shop/p0",
		5: " but for 5 pods that their label or rule leaves to end with it: shop/p0, shop/p1, shop/p2, 2 more",
	} {
		s := Snapshot{Nodes: cordoned("old-1")}
		for i := range n {
			s.Pods = append(s.Pods, pod(fmt.Sprintf("p%d", i), "kept", label(LabelDrain, "skip")))
		}
		if got := Decide(s, Policy{}, noon).Staying(); got != want {
			t.Errorf("Staying() = %q, want %q", got, want)
		}
	}
}

func TestEvictionNamesItsOwnerAndItsLoss(t *testing.T) {
	p := pod("cart-1", "cart")
	p.LocalData = true
	plan := Decide(Snapshot{Nodes: cordoned("old-1"), Pods: []Pod{p}, Budgets: []Budget{budget("cart")}}, Policy{}, noon)
	want := []Eviction{{
		Pod: p.Key(), UID: "uid-cart-1", Node: "old-1", Budget: "shop/cart", Owner: "Deployment/cart",
		Why: "PodDisruptionBudget shop/cart allows 1 of 3: 3 ready, 2 needed; its emptyDir data is lost",
	}}
	if diff := cmp.Diff(want, plan.Evict, cmpopts.IgnoreUnexported(Eviction{})); diff != "" {
		t.Errorf("evictions (-want +got):\n%s", diff)
	}
}
