package drain

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/labels"
)

type decideCase struct {
	snapshot Snapshot
	policy   Policy
	evict    []string
	blockers []string
	why      string // of the first eviction; empty: not compared
}

func runDecide(t *testing.T, tests map[string]decideCase) {
	t.Helper()
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if tc.snapshot.Nodes == nil {
				tc.snapshot.Nodes = cordoned("old-1")
			}
			plan := Decide(tc.snapshot, tc.policy, noon)
			if tc.evict == nil {
				tc.evict = []string{}
			}
			if tc.blockers == nil {
				tc.blockers = []string{}
			}
			if diff := cmp.Diff(tc.evict, evicted(plan)); diff != "" {
				t.Errorf("evictions (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.blockers, blockers(plan)); diff != "" {
				t.Errorf("blockers (-want +got):\n%s", diff)
			}
			if tc.why != "" && (len(plan.Evict) == 0 || plan.Evict[0].Why != tc.why) {
				t.Errorf("evictions %+v, want the first because %q", plan.Evict, tc.why)
			}
		})
	}
}

func TestDecideUnderABudget(t *testing.T) {
	three := []Pod{pod("cart-1", "cart"), pod("cart-2", "cart"), pod("cart-3", "cart")}
	runDecide(t, map[string]decideCase{
		"one goes although three are allowed": {
			snapshot: Snapshot{Pods: three, Budgets: []Budget{budget("cart", allows(3, 3, 0, 3))}},
			evict:    []string{"shop/cart-1"},
		},
		"none goes while a granted one is about to be counted": {
			snapshot: Snapshot{Pods: three, Budgets: []Budget{budget("cart", disrupted("cart-0", 900*time.Millisecond))}},
		},
		"a controller that is slow to count is not waited for": {
			snapshot: Snapshot{Pods: three, Budgets: []Budget{budget("cart", disrupted("cart-0", time.Second))}},
			evict:    []string{"shop/cart-1"},
		},
		"a terminating pod that is counted leaves room for the next": {
			snapshot: Snapshot{
				Pods:    []Pod{pod("cart-1", "cart", deadline(noon.Add(time.Minute))), pod("cart-2", "cart"), pod("cart-3", "cart")},
				Budgets: []Budget{budget("cart", allows(1, 2, 1, 3))},
			},
			evict: []string{"shop/cart-2"},
		},
		"none allowed": {
			snapshot: Snapshot{Pods: three, Budgets: []Budget{budget("cart", allows(0, 3, 4, 5), blockedFor(time.Minute))}},
			blockers: []string{"PodDisruptionBudget: pod shop/cart-1 and 2 more (PodDisruptionBudget shop/cart allows 0 of 5: 3 ready, 4 needed)"},
		},
		"never allowed": {
			snapshot: Snapshot{Pods: three, Budgets: []Budget{budget("cart", allows(0, 3, 3, 3), blockedFor(time.Minute))}},
			blockers: []string{"UnsatisfiableBudget: pod shop/cart-1 and 2 more (PodDisruptionBudget shop/cart can never allow a disruption: 3 expected, 3 needed)"},
		},
		"forgotten by its controller": {
			snapshot: Snapshot{Pods: three, Budgets: []Budget{budget("cart", allows(0, 0, 2, 3), blockedFor(time.Minute))}},
			blockers: []string{"PodDisruptionBudget: pod shop/cart-1 and 2 more (PodDisruptionBudget shop/cart counts 0 ready where 3 or more are, annotate it to have it counted again)"},
		},
		"not yet counted is not forgotten": {
			snapshot: Snapshot{Pods: three, Budgets: []Budget{budget("cart", allows(0, 0, 2, 3), blockedFor(time.Second))}},
			blockers: []string{"PodDisruptionBudget: pod shop/cart-1 and 2 more (PodDisruptionBudget shop/cart allows 0 of 3: 0 ready, 2 needed)"},
		},
		"numbers that dip for a moment are not final": {
			snapshot: Snapshot{Pods: three[:1], Budgets: []Budget{budget("cart", allows(0, 2, 2, 2), blockedFor(time.Second))}},
			blockers: []string{"PodDisruptionBudget: pod shop/cart-1 (PodDisruptionBudget shop/cart allows 0 of 2: 2 ready, 2 needed)"},
		},
		"status of an older spec": {
			snapshot: Snapshot{Pods: three[:1], Budgets: []Budget{budget("cart", func(b *Budget) { b.Generation = 2 })}},
			blockers: []string{"PodDisruptionBudget: pod shop/cart-1 (PodDisruptionBudget shop/cart was changed and its status has not caught up)"},
		},
		"status that could not be computed": {
			snapshot: Snapshot{Pods: three[:1], Budgets: []Budget{budget("cart", allows(0, 0, 0, 0), func(b *Budget) {
				b.SyncFailure = "found no controllers for pod \"cart-1\"."
			})}},
			blockers: []string{`PodDisruptionBudget: pod shop/cart-1 (PodDisruptionBudget shop/cart allows 0, its status could not be computed: found no controllers for pod "cart-1")`},
		},
		"more granted evictions than the API server accepts uncounted": {
			snapshot: Snapshot{Pods: three[:1], Budgets: []Budget{budget("cart", func(b *Budget) {
				for range 2001 {
					b.Disrupted = append(b.Disrupted, Disruption{Pod: "x", At: ago(time.Hour)})
				}
			})}},
			blockers: []string{"PodDisruptionBudget: pod shop/cart-1 (PodDisruptionBudget shop/cart has 2001 evictions that its controller has not counted)"},
		},
		"two budgets on one pod": {
			snapshot: Snapshot{Pods: three[:1], Budgets: []Budget{budget("cart"), budget("cart", func(b *Budget) { b.Name = "all" })}},
			blockers: []string{"MultipleBudgets: pod shop/cart-1 (PodDisruptionBudgets shop/all and shop/cart both cover it, which the eviction API refuses)"},
		},
		"two budgets on a pod that is not ready": {
			snapshot: Snapshot{
				Pods:    []Pod{pod("cart-1", "cart", notReady(time.Hour))},
				Budgets: []Budget{budget("cart"), budget("cart", func(b *Budget) { b.Name = "all" })},
			},
			blockers: []string{"MultipleBudgets: pod shop/cart-1 (PodDisruptionBudgets shop/all and shop/cart both cover it, which the eviction API refuses)"},
		},
		"two budgets do not see a pending pod": {
			snapshot: Snapshot{
				Pods:    []Pod{pod("cart-1", "cart", phase(corev1.PodPending))},
				Budgets: []Budget{budget("cart"), budget("cart", func(b *Budget) { b.Name = "all" })},
			},
			evict: []string{"shop/cart-1"},
		},
		"a budget of another namespace is none": {
			snapshot: Snapshot{Pods: three[:1], Owners: []Owner{wants("cart", 1)}, Budgets: []Budget{budget("cart", allows(0, 1, 1, 1), func(b *Budget) {
				b.Namespace = "billing"
			})}},
			evict: []string{"shop/cart-1"},
		},
		"an empty selector covers the namespace": {
			snapshot: Snapshot{Pods: three[:1], Budgets: []Budget{budget("all", allows(0, 2, 2, 3), func(b *Budget) { b.Selector = labels.Everything() })}},
			blockers: []string{"PodDisruptionBudget: pod shop/cart-1 (PodDisruptionBudget shop/all allows 0 of 3: 2 ready, 2 needed)"},
		},
		"a nil selector covers nothing": {
			snapshot: Snapshot{Pods: three[:1], Owners: []Owner{wants("cart", 1)}, Budgets: []Budget{budget("all", allows(0, 2, 2, 3), func(b *Budget) { b.Selector = nil })}},
			evict:    []string{"shop/cart-1"},
		},
	})
}

func TestDecidePodsThatAreNotReady(t *testing.T) {
	sick := pod("cart-1", "cart", notReady(time.Hour))
	always := func(b *Budget) { b.Unhealthy = policyv1.AlwaysAllow }
	runDecide(t, map[string]decideCase{
		"goes when the budget is met without it": {
			snapshot: Snapshot{Pods: []Pod{sick}, Budgets: []Budget{budget("cart", allows(0, 2, 2, 3))}},
			evict:    []string{"shop/cart-1"},
		},
		"stays when the budget is not met": {
			snapshot: Snapshot{Pods: []Pod{sick}, Budgets: []Budget{budget("cart", allows(0, 1, 2, 3))}},
			blockers: []string{"PodDisruptionBudget: pod shop/cart-1 (PodDisruptionBudget shop/cart allows 0 of 3: 1 ready, 2 needed)"},
		},
		"goes under AlwaysAllow": {
			snapshot: Snapshot{Pods: []Pod{sick}, Budgets: []Budget{budget("cart", allows(0, 1, 2, 3), always)}},
			evict:    []string{"shop/cart-1"},
		},
		"goes under AlwaysAllow while another is in flight": {
			snapshot: Snapshot{Pods: []Pod{sick, pod("cart-2", "cart")}, Budgets: []Budget{budget("cart", always, disrupted("cart-3", 0))}},
			evict:    []string{"shop/cart-1"},
		},
		"needs the budget when nothing is needed, as the eviction API has it": {
			snapshot: Snapshot{Pods: []Pod{sick}, Budgets: []Budget{budget("cart", allows(0, 0, 0, 1))}},
			blockers: []string{"PodDisruptionBudget: pod shop/cart-1 (PodDisruptionBudget shop/cart allows 0 of 1: 0 ready, 0 needed)"},
		},
		"all of them go at once, beside one ready pod": {
			snapshot: Snapshot{
				Pods:    []Pod{sick, pod("cart-2", "cart", notReady(time.Hour)), pod("cart-3", "cart"), pod("cart-4", "cart")},
				Budgets: []Budget{budget("cart", allows(1, 2, 1, 4))},
			},
			evict: []string{"shop/cart-3", "shop/cart-1", "shop/cart-2"},
		},
	})
}

func TestDecideReplacementReady(t *testing.T) {
	three := []Pod{pod("web-1", "web"), pod("web-2", "web"), pod("web-3", "web")}
	with := func(extra ...Pod) []Pod { return append(append([]Pod{}, three[1:]...), extra...) }
	runDecide(t, map[string]decideCase{
		"all ready: one per controller": {
			snapshot: Snapshot{Pods: three, Owners: []Owner{wants("web", 3)}},
			evict:    []string{"shop/web-1"},
		},
		"as fast as it goes on request": {
			snapshot: Snapshot{Pods: three, Owners: []Owner{wants("web", 3)}},
			policy:   Policy{WaitFor: "Eviction"},
			evict:    []string{"shop/web-1", "shop/web-2", "shop/web-3"},
		},
		"waits while the replacement starts elsewhere": {
			snapshot: Snapshot{Pods: with(pod("web-9", "web", on("new-1"), notReady(time.Minute))), Owners: []Owner{wants("web", 3)}},
			blockers: []string{"ReplacementNotReady: pod shop/web-2 and 1 more (Deployment/web has 2 of 3 pods ready, the replacement of an earlier one is starting)"},
		},
		"waits while the replacement is not created": {
			snapshot: Snapshot{Pods: with(), Owners: []Owner{wants("web", 3)}},
			blockers: []string{"ReplacementNotReady: pod shop/web-2 and 1 more (Deployment/web has 2 of 3 pods, the replacement of an earlier one was not created)"},
		},
		"goes on once the replacement is ready, even if the old pod still leaves": {
			snapshot: Snapshot{
				Pods:   with(pod("web-1", "web", deadline(noon.Add(time.Minute))), pod("web-9", "web", on("new-1"))),
				Owners: []Owner{wants("web", 3)},
			},
			evict: []string{"shop/web-2"},
		},
		"goes on when the replacement takes too long": {
			snapshot: Snapshot{Pods: with(pod("web-9", "web", on("new-1"), notReady(11*time.Minute))), Owners: []Owner{wants("web", 3)}},
			evict:    []string{"shop/web-2"},
		},
		"says so when replacements took too long": {
			snapshot: Snapshot{Pods: with(pod("web-9", "web", on("new-1"), notReady(11*time.Minute))), Owners: []Owner{wants("web", 3)}},
			evict:    []string{"shop/web-2"},
			why:      "no budget covers it, and 1 of 3 pods of Deployment/web are not ready in spite of 10m0s",
		},
		"a pod too many is no replacement": {
			snapshot: Snapshot{Pods: append([]Pod{pod("web-9", "web", on("new-1"), notReady(5*time.Second))}, three...), Owners: []Owner{wants("web", 3)}},
			evict:    []string{"shop/web-1"},
			why:      "no budget covers it and every replacement of Deployment/web is ready",
		},
		"the last ready pod stays while the others find no node": {
			snapshot: Snapshot{
				Pods:   with(pod("web-9", "web", on(""), notReady(11*time.Minute)), pod("web-8", "web", on(""), notReady(time.Hour)))[1:],
				Owners: []Owner{wants("web", 3)},
			},
			blockers: []string{"ReplacementNotReady: pod shop/web-3 (Deployment/web has 1 of 3 pods ready, and 2 find no node: the last one that serves stays)"},
		},
		"the last ready pod goes when the others do not start": {
			snapshot: Snapshot{Pods: with(pod("web-9", "web", on("new-1"), notReady(11*time.Minute)))[1:], Owners: []Owner{wants("web", 2)}},
			evict:    []string{"shop/web-3"},
		},
		"a pod that is not ready goes without waiting": {
			snapshot: Snapshot{Pods: with(pod("web-1", "web", notReady(time.Minute))), Owners: []Owner{wants("web", 3)}},
			evict:    []string{"shop/web-1"},
			blockers: []string{"ReplacementNotReady: pod shop/web-2 and 1 more (Deployment/web has 2 of 3 pods ready, the replacement of an earlier one is starting)"},
		},
		"pods that are not ready are many: as many as fit into a round": {
			snapshot: Snapshot{Pods: []Pod{
				pod("web-1", "web", notReady(time.Hour)), pod("web-2", "web", notReady(time.Hour)), pod("web-3", "web", notReady(time.Hour)),
			}, Owners: []Owner{wants("web", 3)}},
			policy: Policy{MaxUnbudgeted: 2},
			evict:  []string{"shop/web-1", "shop/web-2"},
		},
		"a single replica goes": {
			snapshot: Snapshot{Pods: three[:1], Owners: []Owner{wants("web", 1)}},
			evict:    []string{"shop/web-1"},
		},
		"unknown size: one, then wait while it leaves": {
			snapshot: Snapshot{Pods: with(pod("web-1", "web", deadline(noon.Add(time.Second))))},
			blockers: []string{"ReplacementNotReady: pod shop/web-2 and 1 more (Deployment/web is still replacing a pod that was evicted before)"},
		},
		"unknown size: a stuck pod does not hold the others for ever": {
			snapshot: Snapshot{Pods: with(pod("web-1", "web", deadline(ago(time.Second))))},
			evict:    []string{"shop/web-2"},
		},
		"finished pods of a Job replace nothing": {
			snapshot: Snapshot{Pods: []Pod{
				pod("job-1", "job", kind("batch", "Job")),
				pod("job-2", "job", kind("batch", "Job"), notReady(time.Second), phase(corev1.PodFailed)),
			}},
			evict: []string{"shop/job-1"},
		},
	})
}

func TestDecideWhatDoesNotLeaveByItself(t *testing.T) {
	runDecide(t, map[string]decideCase{
		"no controller": {
			snapshot: Snapshot{Pods: []Pod{pod("tool", "tool", bare)}},
			blockers: []string{"UnmanagedPod: pod shop/tool (no controller would bring it back, move or delete it by hand)"},
		},
		"wait-completed": {
			snapshot: Snapshot{Pods: []Pod{pod("job", "job", label(LabelDrain, "wait-completed"))}},
			blockers: []string{"WaitCompleted: pod shop/job (it carries the label cluster.x-k8s.io/drain: wait-completed and has not finished)"},
		},
		"terminating within its time is no blocker": {
			snapshot: Snapshot{Pods: []Pod{pod("cart-1", "cart", deadline(ago(9*time.Second)))}},
		},
		"terminating too long": {
			snapshot: Snapshot{Pods: []Pod{pod("cart-1", "cart", deadline(ago(2*time.Minute)))}},
			blockers: []string{"StuckTerminating: pod shop/cart-1 (it should have ended at 2026-11-23T11:58:00Z)"},
		},
		"kept by a finalizer": {
			snapshot: Snapshot{Pods: []Pod{pod("cart-1", "cart", deadline(ago(2*time.Minute)), finalizer("example.com/hold"))}},
			blockers: []string{"Finalizer: pod shop/cart-1 (it should have ended at 2026-11-23T11:58:00Z and is kept by finalizer example.com/hold)"},
		},
		"its kubelet is gone": {
			snapshot: Snapshot{Nodes: []Node{{Name: "old-1", Unschedulable: true}}, Pods: []Pod{pod("cart-1", "cart", deadline(ago(2*time.Minute)))}},
			blockers: []string{"NodeLost: pod shop/cart-1 (it should have ended at 2026-11-23T11:58:00Z and its node old-1 does not answer: once the machine is known to be off, delete the Node object or taint it node.kubernetes.io/out-of-service)"},
		},
		"nothing is evicted while a node takes pods": {
			snapshot: Snapshot{
				Nodes: append(cordoned("old-1"), Node{Name: "old-2", Ready: true}),
				Pods:  []Pod{pod("cart-1", "cart", on("old-1"))}, Owners: []Owner{wants("cart", 1)},
			},
			blockers: []string{"NotCordoned: node old-2 (it still takes pods and must be cordoned first)"},
		},
		"pods of other nodes are none of ours": {
			snapshot: Snapshot{Pods: []Pod{pod("cart-1", "cart", on("new-1")), pod("cart-2", "cart", on(""))}, Owners: []Owner{wants("cart", 2)}},
		},
		"denied before": {
			snapshot: Snapshot{
				Pods: []Pod{pod("db-0", "db")}, Owners: []Owner{wants("db", 1)},
				Refusals: []Refusal{{UID: "uid-db-0", Outcome: "WebhookDenied", Message: "busy", At: ago(19 * time.Second)}},
			},
			blockers: []string{"WebhookDenied: pod shop/db-0 (busy)"},
		},
		"denied long enough ago": {
			snapshot: Snapshot{
				Pods: []Pod{pod("db-0", "db")}, Owners: []Owner{wants("db", 1)},
				Refusals: []Refusal{{UID: "uid-db-0", Outcome: "WebhookDenied", Message: "busy", At: ago(20 * time.Second)}},
			},
			evict: []string{"shop/db-0"},
		},
		"throttled: nobody goes": {
			snapshot: Snapshot{
				Pods: []Pod{pod("db-0", "db")}, Owners: []Owner{wants("db", 1)},
				Refusals: []Refusal{{UID: "uid-other", Outcome: "Throttled", At: ago(time.Second), RetryAfter: 5 * time.Second, Message: "slow down"}},
			},
			blockers: []string{"Unreachable: pod shop/db-0 (the API server asks to wait: slow down)"},
		},
	})
}

func TestDecideOrder(t *testing.T) {
	wide := func(b *Budget) { b.Allowed, b.Healthy, b.Desired, b.Expected = 3, 6, 3, 6 }
	s := Snapshot{Nodes: cordoned("old-1"), Budgets: []Budget{budget("cart", wide), budget("db")}, Owners: []Owner{wants("web", 1), wants("api", 2)}}
	for _, name := range []string{"cart-1", "cart-2", "cart-3", "cart-4"} {
		s.Pods = append(s.Pods, pod(name, "cart"))
	}
	s.Pods = append(s.Pods, pod("web-1", "web"), pod("api-2", "api"), pod("api-1", "api"), pod("db-3", "db"), pod("db-1", "db"), pod("db-2", "db"))
	// db needs three rounds, cart (four pods, three at once) and api two, web one.
	want := []string{"shop/db-1", "shop/cart-1", "shop/api-1", "shop/web-1"}
	if diff := cmp.Diff(want, evicted(Decide(s, Policy{}, noon))); diff != "" {
		t.Errorf("evictions (-want +got):\n%s", diff)
	}
	want = []string{"shop/db-1", "shop/cart-1", "shop/api-1"}
	if diff := cmp.Diff(want, evicted(Decide(s, Policy{MaxUnbudgeted: 1}, noon))); diff != "" {
		t.Errorf("evictions with room for one outside budgets (-want +got):\n%s", diff)
	}
}
