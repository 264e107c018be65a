package drain

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"pgregory.net/rapid"
)

// The cases with two orders on a node are those of Cluster API's EvictPods (core/reconcilers/machine/drain).
func TestDecideByOrder(t *testing.T) {
	early, late := Rule{Name: "early", Pods: app("db"), Order: -5}, Rule{Name: "late", Pods: app("web"), Order: 10}
	rules := Policy{Rules: []Rule{early, late}}
	owners := []Owner{wants("db", 1), wants("cart", 1), wants("web", 1), wants("job", 1)}
	runDecide(t, map[string]decideCase{
		"the lowest order first": {
			snapshot: Snapshot{Pods: []Pod{pod("cart-1", "cart"), pod("db-1", "db"), pod("web-1", "web")}, Owners: owners},
			policy:   rules, evict: []string{"shop/db-1"},
		},
		"then those without a rule": {
			snapshot: Snapshot{Pods: []Pod{pod("cart-1", "cart"), pod("web-1", "web")}, Owners: owners},
			policy:   rules, evict: []string{"shop/cart-1"},
		},
		"the last alone": {
			snapshot: Snapshot{Pods: []Pod{pod("web-1", "web")}, Owners: owners}, policy: rules, evict: []string{"shop/web-1"},
		},
		"each node for itself": {
			snapshot: Snapshot{
				Nodes: cordoned("old-1", "old-2"), Pods: []Pod{pod("cart-1", "cart"), pod("db-1", "db"), pod("web-1", "web", on("old-2"))}, Owners: owners,
			},
			policy: rules, evict: []string{"shop/db-1", "shop/web-1"},
		},
		"one that still terminates holds the next order back": {
			snapshot: Snapshot{Pods: []Pod{pod("cart-1", "cart"), pod("db-1", "db", deadline(noon))}, Owners: owners}, policy: rules,
		},
		"one that cannot go holds the next order back, and only it is named": {
			snapshot: Snapshot{
				Pods: []Pod{pod("cart-1", "cart"), pod("db-1", "db")}, Owners: owners,
				Budgets: []Budget{budget("db", allows(0, 1, 1, 2)), budget("cart", allows(0, 1, 1, 1), blockedFor(time.Hour))},
			},
			policy:   rules,
			blockers: []string{"PodDisruptionBudget: pod shop/db-1 (PodDisruptionBudget shop/db allows 0 of 2: 1 ready, 1 needed)"},
		},
		"two budgets on a pod whose turn has not come": {
			snapshot: Snapshot{
				Pods: []Pod{pod("cart-1", "cart"), pod("db-1", "db")}, Owners: owners,
				Budgets: []Budget{budget("cart"), budget("cart", func(b *Budget) { b.Name = "all" })},
			},
			policy: rules, evict: []string{"shop/db-1"},
		},
		"a refusal from before its order was changed": {
			snapshot: Snapshot{
				Pods: []Pod{pod("cart-1", "cart"), pod("db-1", "db")}, Owners: owners,
				Refusals: []Refusal{{UID: "uid-cart-1", Outcome: "WebhookDenied", Message: "busy", At: ago(time.Second)}},
			},
			policy: rules, evict: []string{"shop/db-1"},
		},
		"a pod that is waited for has order 0, as in Cluster API": {
			snapshot: Snapshot{
				Pods: []Pod{pod("job-1", "job", label(LabelDrain, "wait-completed")), pod("cart-1", "cart"), pod("web-1", "web")}, Owners: owners,
			},
			policy: rules, evict: []string{"shop/cart-1"},
			blockers: []string{"WaitCompleted: pod shop/job-1 (it carries the label cluster.x-k8s.io/drain: wait-completed and has not finished)"},
		},
		"so has one that asks to be left alone": {
			snapshot: Snapshot{Pods: []Pod{pod("job-1", "job", calm("true")), pod("cart-1", "cart"), pod("web-1", "web")}, Owners: owners},
			policy:   rules, evict: []string{"shop/cart-1"},
			blockers: []string{"DoNotDisrupt: pod shop/job-1 (its do-not-disrupt annotation asks to leave it alone, take it off or move the pod by hand)"},
		},
		"a rule that waits": {
			snapshot: Snapshot{Pods: []Pod{pod("job-1", "job"), pod("web-1", "web")}, Owners: owners},
			policy:   Policy{Rules: []Rule{{Name: "batch", Pods: app("job"), Behavior: "WaitCompleted"}, late}},
			blockers: []string{"WaitCompleted: pod shop/job-1 (rule batch waits until it has finished)"},
		},
		"pods that stay hold nobody back": {
			snapshot: Snapshot{
				Pods: []Pod{pod("db-1", "db"), pod("log-1", "log", kind("apps", "DaemonSet")), pod("web-1", "web")}, Owners: owners,
			},
			policy: Policy{Rules: []Rule{{Pods: app("db"), Behavior: "Skip", Order: -5}, late}}, evict: []string{"shop/web-1"},
		},
		"a bare pod is named before its turn": {
			snapshot: Snapshot{Pods: []Pod{pod("cart-1", "cart"), pod("tool", "web", bare)}, Owners: owners},
			policy:   rules, evict: []string{"shop/cart-1"},
			blockers: []string{"UnmanagedPod: pod shop/tool (no controller would bring it back, move or delete it by hand)"},
		},
	})
}

func TestTurnsInALane(t *testing.T) {
	sts := kind("apps", "StatefulSet")
	tests := map[string]struct {
		pods []Pod
		want []string
	}{
		"by name": {pods: []Pod{pod("b", "cart"), pod("a", "cart")}, want: []string{"a", "b"}},
		"not ready first": {
			pods: []Pod{pod("a", "cart", grace(time.Hour)), pod("b", "cart", notReady(0))}, want: []string{"b", "a"},
		},
		"the longest to end first": {
			pods: []Pod{pod("a", "cart", grace(time.Second)), pod("b", "cart", grace(time.Minute)), pod("c", "cart", grace(time.Hour))},
			want: []string{"c", "b", "a"},
		},
		"then the node with the fewest pods": {
			pods: []Pod{pod("a", "cart"), pod("b", "cart"), pod("c", "cart", on("old-2")), pod("d", "cart", on("old-2"), grace(time.Second))},
			want: []string{"d", "c", "a", "b"},
		},
		"the highest ordinal first, in numbers": {
			pods: []Pod{pod("db-9", "db", sts), pod("db-10", "db", sts), pod("db-0", "db", sts)}, want: []string{"db-10", "db-9", "db-0"},
		},
		"the index label goes before the name": {
			pods: []Pod{pod("db-9", "db", sts), pod("db-1", "db", sts, label("apps.kubernetes.io/pod-index", "11"))}, want: []string{"db-1", "db-9"},
		},
		"the ordinal goes before the time to end": {
			pods: []Pod{pod("db-0", "db", sts, grace(time.Hour)), pod("db-1", "db", sts)}, want: []string{"db-1", "db-0"},
		},
		"names of other controllers are no ordinals": {
			pods: []Pod{pod("cart-1", "cart"), pod("cart-2", "cart")}, want: []string{"cart-1", "cart-2"},
		},
		"two sets one after the other, then the rest": {
			pods: []Pod{pod("web-7", "web", grace(time.Hour)), pod("db-1", "db", sts), pod("mq-2", "mq", sts), pod("db-2", "db", sts)},
			want: []string{"db-2", "db-1", "mq-2", "web-7"},
		},
		"an ordinal that is none": {
			pods: []Pod{pod("db-x", "db", sts), pod("db-0", "db", sts)}, want: []string{"db-0", "db-x"},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			s := Snapshot{Nodes: cordoned("old-1", "old-2"), Pods: tc.pods}
			// Nothing is needed, so pods that are not ready stand in the lane with the others.
			all := budget("all", allows(1, 3, 0, 3), func(b *Budget) { b.Selector = labels.Everything() })
			var got []string
			for len(s.Pods) > 0 {
				s.Budgets = []Budget{all}
				plan := Decide(s, Policy{}, noon)
				if len(plan.Evict) == 0 {
					t.Fatalf("nobody goes after %q: %s", got, plan)
				}
				got = append(got, plan.Evict[0].Pod.Name)
				s.Pods = filter(s.Pods, func(p Pod) bool { return p.UID != plan.Evict[0].UID })
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("turns (-want +got):\n%s", diff)
			}
		})
	}
}

// TestTurnsAreAnOrder: whatever the mix of pods, no three of them go in a circle.
func TestTurnsAreAnOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) Pod {
			p := pod(fmt.Sprintf("%s-%d", name, rapid.IntRange(0, 3).Draw(t, "ordinal")), rapid.SampledFrom([]string{"db", "mq"}).Draw(t, "app"))
			p.Ready, p.Grace = rapid.Bool().Draw(t, "ready"), time.Duration(rapid.IntRange(0, 2).Draw(t, "grace"))
			p.Node = rapid.SampledFrom([]string{"x", "yy"}).Draw(t, "node")
			if rapid.Bool().Draw(t, "set") {
				kind("apps", "StatefulSet")(&p)
			}
			return p
		}
		left := func(node string) int { return len(node) }
		a, b, c := draw("a"), draw("b"), draw("c")
		ab, bc, ac := compareTurns(&a, &b, left), compareTurns(&b, &c, left), compareTurns(&a, &c, left)
		if ab != -compareTurns(&b, &a, left) || ab <= 0 && bc <= 0 && ac > 0 {
			t.Fatalf("%+v\n%+v\n%+v: %d %d %d", a, b, c, ab, bc, ac)
		}
		if ab == 0 && a.UID != b.UID {
			t.Fatalf("neither goes first: %+v %+v", a, b)
		}
	})
}

func TestEvictionKnowsItsChain(t *testing.T) {
	s := Snapshot{
		Nodes: cordoned("old-1"), Budgets: []Budget{budget("cart"), budget("web", allows(2, 3, 1, 3))},
		Pods: []Pod{
			pod("cart-1", "cart"), pod("cart-2", "cart"), pod("cart-3", "cart"),
			pod("web-1", "web"), pod("web-2", "web"), pod("web-3", "web"), pod("new", "web", phase(corev1.PodPending)),
		},
	}
	last := s
	last.Pods = append([]Pod{}, s.Pods...)
	for i := range last.Pods[:3] {
		last.Pods[i].Labels = map[string]string{"app": "cart", "turn": fmt.Sprint(i)}
	}
	rules := Policy{Rules: []Rule{{Order: 1, Pods: []PodSelector{{Pod: labels.SelectorFromSet(labels.Set{"turn": "2"})}}}}}
	for name, plan := range map[string]Plan{"no order": Decide(s, Policy{}, noon), "one waits for its order": Decide(last, rules, noon)} {
		chains := map[string]int{}
		for _, e := range plan.Evict {
			chains[e.Pod.Name] = e.chain
			if e.free != (e.Pod.Name == "new") {
				t.Errorf("%s: %s free = %v", name, e.Pod, e.free)
			}
		}
		if diff := cmp.Diff(map[string]int{"cart-1": 3, "web-1": 2, "new": 0}, chains); diff != "" {
			t.Errorf("%s: chains (-want +got):\n%s", name, diff)
		}
	}
}
