package ladder

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/fleetwright/fleetwright/drain"
)

// noon is the fixed time of every decision in these tests, and the drain began five hours earlier.
var (
	noon    = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	started = noon.Add(-5 * time.Hour)
)

const us = "prod/general"

func ago(d time.Duration) time.Time { return noon.Add(-d) }

// cart is a blocker: pod shop/cart-5d4f-1 of Deployment shop/cart is held by budget shop/cart since an hour.
func cart(change ...func(*drain.Blocker)) drain.Blocker {
	b := drain.Blocker{
		Pod: types.NamespacedName{Namespace: "shop", Name: "cart-5d4f-1"}, UID: "uid-cart-1",
		Node: "old-1", Nodes: []string{"old-1"}, Pods: 1,
		Reason: drain.ReasonPodDisruptionBudget, Budget: "shop/cart",
		Message:    "PodDisruptionBudget shop/cart allows 0 of 2: 2 ready, 2 needed",
		Owner:      "Deployment/cart",
		Controller: drain.Controller{Group: "apps", Kind: "ReplicaSet", Name: "cart-5d4f", UID: "rs-cart"},
		Since:      ago(time.Hour),
	}
	for _, c := range change {
		c(&b)
	}
	return b
}

func because(reason drain.Reason, message string) func(*drain.Blocker) {
	return func(b *drain.Blocker) { b.Reason, b.Message = reason, message }
}

func ending(action drain.DeadlineAction, after time.Duration) func(*drain.Blocker) {
	return func(b *drain.Blocker) { b.Deadline = drain.Deadline{Action: action, After: after} }
}

// bare makes the blocker a pod without controller and budget.
func bare(b *drain.Blocker) {
	b.Pod.Name, b.UID, b.Owner, b.Controller, b.Budget = "lone", "uid-lone", "", drain.Controller{}, ""
	b.Reason, b.Message = drain.ReasonUnmanagedPod, "no controller would bring it back, move or delete it by hand"
}

func planOf(blockers ...drain.Blocker) drain.Plan {
	return drain.Plan{
		Blockers: blockers,
		Nodes:    []drain.NodeProgress{{Name: "old-1", Cordoned: true, Remaining: 1}, {Name: "old-2", Cordoned: true, Remaining: 1}},
	}
}

func climbing(rungs ...drain.RungAction) drain.Policy {
	p := drain.Policy{Started: started}
	for _, r := range rungs {
		p.Ladder = append(p.Ladder, drain.Rung{Action: r, After: time.Minute})
	}
	return p
}

var cartObject = Object{APIVersion: "apps/v1", Kind: "Deployment", Namespace: "shop", Name: "cart", UID: "uid-cart"}

// cartFacts knows Deployment shop/cart of two pods that rolls out with one more, and budget shop/cart that needs two.
func cartFacts(change ...func(*Deployment, *Budget)) Facts {
	d := Deployment{
		Object: cartObject, ResourceVersion: "7", Replicas: 2, Surge: 1, Holding: []types.UID{"uid-cart-1"},
	}
	b := Budget{MinAvailable: number(2), Healthy: 2, Expected: 2}
	for _, c := range change {
		c(&d, &b)
	}
	return Facts{
		Drain:       us,
		Workloads:   map[types.UID]Object{"rs-cart": cartObject},
		Deployments: map[types.UID]Deployment{"uid-cart": d},
		Budgets:     map[string]Budget{"shop/cart": b},
	}
}

// single makes cart a Deployment of one pod, whose budget needs it.
func single(d *Deployment, b *Budget) {
	d.Replicas = 1
	*b = Budget{MinAvailable: number(1), Healthy: 1, Expected: 1}
}

// up makes cart a Deployment that was scaled up at since.
func up(by string, since time.Time) func(*Deployment, *Budget) {
	return func(d *Deployment, _ *Budget) {
		d.Replicas = 3
		d.ScaledUp = NewScaledUp(by, 2, 3, since.Add(24*time.Hour))
	}
}

func number(n int32) *intstr.IntOrString { v := intstr.FromInt32(n); return &v }

func percent(p string) *intstr.IntOrString { v := intstr.FromString(p); return &v }

// only returns the sentences of the steps with one of the actions, with the action before each.
func only(steps []Step, actions ...Action) []string {
	lines := []string{}
	for _, s := range steps {
		if len(actions) == 0 || slices.Contains(actions, s.Action) {
			lines = append(lines, string(s.Action)+": "+s.String())
		}
	}
	return lines
}

type stepCase struct {
	plan   drain.Plan
	facts  Facts
	policy drain.Policy
	want   []string
}

func runDecide(t *testing.T, tests map[string]stepCase) {
	t.Helper()
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got := only(Decide(tc.plan, tc.facts, tc.policy, noon))
			if tc.want == nil {
				tc.want = []string{}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("steps (-want +got):\n%s", diff)
			}
		})
	}
}

func samePatch(t *testing.T, want, got string) {
	t.Helper()
	var a, b any
	if err := json.Unmarshal([]byte(want), &a); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(got), &b); err != nil {
		t.Fatalf("patch %q: %v", got, err)
	}
	if diff := cmp.Diff(a, b); diff != "" {
		t.Errorf("patch (-want +got):\n%s", diff)
	}
}
