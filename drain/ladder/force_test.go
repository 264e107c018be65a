package ladder

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/fleetwright/fleetwright/drain"
)

// batch is a pod of a Job that a rule waits for, four hours at most, and which nobody's eviction asks a budget about.
func batch(name string) drain.Blocker {
	return cart(because(drain.ReasonWaitCompleted, "rule batch waits until it has finished"), forceIn30, func(b *drain.Blocker) {
		b.Pod.Name, b.UID, b.Rule, b.Budget, b.Owner = name, types.UID("uid-"+name), "batch", "", "Job/etl"
		b.Controller = drain.Controller{Group: "batch", Kind: "Job", Name: "etl", UID: "job-etl"}
	})
}

func lone(name string) drain.Blocker {
	return cart(bare, forceIn30, func(b *drain.Blocker) { b.Pod.Name, b.UID = name, types.UID("uid-"+name) })
}

func running(name string, controller types.UID, budgets ...string) Pod {
	return Pod{Name: name, UID: types.UID("uid-" + name), Controller: controller, Budgets: budgets, Ready: true, Created: ago(time.Hour)}
}

// TestForceGoesOneByOne says which pods are not deleted in the same look, nor while another is being replaced.
func TestForceGoesOneByOne(t *testing.T) {
	const since = ", because the drain's policy says Force after 30m0s, and it is in the way since 2026-11-23T11:00:00Z: "
	const rule = ", because rule batch says Force after 30m0s, and it is in the way since 2026-11-23T11:00:00Z: rule batch waits until it has finished"
	const nobody = since + "no controller would bring it back, move or delete it by hand"
	zone := func(name string) drain.Blocker {
		return cart(forceIn30, because(drain.ReasonUnsatisfiableBudget, "x"), func(b *drain.Blocker) {
			b.Pod.Name, b.UID, b.Controller.UID = name, types.UID("uid-"+name), types.UID("set-"+name)
		})
	}
	ending := running("b", "set-b", "shop/cart")
	ending.Deadline = noon
	starting := running("b", "set-b", "shop/cart")
	starting.Ready, starting.Created = false, ago(time.Minute)
	runDecide(t, map[string]stepCase{
		"pods that a rule waits for, under one budget": {
			plan: planOf(batch("a"), batch("b")), policy: climbing(),
			facts: Facts{Drain: us, Pods: []Pod{running("a", "job-etl", "shop/etl"), running("b", "job-etl", "shop/etl")}},
			want:  []string{"Force: deletes pod shop/a and breaks PodDisruptionBudget shop/etl" + rule},
		},
		"pods that a rule waits for, without a budget": {
			plan: planOf(batch("a"), batch("b")), policy: climbing(),
			facts: Facts{Drain: us, Pods: []Pod{running("a", "job-etl"), running("b", "job-etl")}},
			want:  []string{"Force: deletes pod shop/a before it has finished" + rule},
		},
		"pods that nobody brings back, under one budget": {
			plan: planOf(lone("a"), lone("b")), policy: climbing(),
			facts: Facts{Drain: us, Pods: []Pod{running("a", "", "shop/db"), running("b", "", "shop/db")}},
			want:  []string{"Force: deletes pod shop/a, which nobody brings back, and breaks PodDisruptionBudget shop/db" + nobody},
		},
		"pods that nobody brings back and that share nothing": {
			plan: planOf(lone("a"), lone("b")), policy: climbing(),
			facts: Facts{Drain: us, Pods: []Pod{running("a", ""), running("b", "")}},
			want: []string{
				"Force: deletes pod shop/a, which nobody brings back" + nobody, "Force: deletes pod shop/b, which nobody brings back" + nobody,
			},
		},
		"a budget over two zones": {
			plan: planOf(zone("a"), zone("b")), policy: climbing(),
			facts: Facts{Drain: us, Pods: []Pod{running("a", "set-a", "shop/cart"), running("b", "set-b", "shop/cart")}},
			want:  []string{"Force: deletes pod shop/a and breaks PodDisruptionBudget shop/cart" + since + "x"},
		},
		"the other zone is ending": {
			plan: planOf(zone("a")), policy: climbing(),
			facts: Facts{Drain: us, Pods: []Pod{running("a", "set-a", "shop/cart"), ending}},
			want:  []string{"Skipped: does not delete pod shop/a yet, because pod shop/b is still ending"},
		},
		"the other zone is starting": {
			plan: planOf(zone("a")), policy: climbing(),
			facts: Facts{Drain: us, Pods: []Pod{running("a", "set-a", "shop/cart"), starting}},
			want:  []string{"Skipped: does not delete pod shop/a yet, because pod shop/b is still starting"},
		},
		"another budget's pod is starting": {
			plan: planOf(zone("a")), policy: climbing(),
			facts: Facts{Drain: us, Pods: []Pod{running("a", "set-a", "shop/cart"), func() Pod { p := starting; p.Budgets = []string{"shop/x"}; return p }()}},
			want:  []string{"Force: deletes pod shop/a and breaks PodDisruptionBudget shop/cart" + since + "x"},
		},
	})
}

// TestObserveKnowsWhatAPodToForceShares reads the other pods under the budget of a pod that is never evicted.
func TestObserveKnowsWhatAPodToForceShares(t *testing.T) {
	s := open(t, server, 2)
	plan := s.plan(forceIn30, func(b *drain.Blocker) {
		b.Reason, b.Rule, b.Budget, b.Controller = drain.ReasonWaitCompleted, "batch", "", drain.Controller{}
	})
	facts, err := Observe(t.Context(), server, s.id(), plan, climbing(), noon)
	if err != nil {
		t.Fatal(err)
	}
	if len(facts.Pods) != 1 || len(facts.Pods[0].Budgets) != 1 || facts.Pods[0].Budgets[0] != s.namespace+"/cart" {
		t.Errorf("pods %+v", facts.Pods)
	}
	if budget, ok := facts.Budgets[s.namespace+"/cart"]; !ok || budget.Expected != 2 {
		t.Errorf("budgets %+v", facts.Budgets)
	}
}
