package drain

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/time/rate"
	"k8s.io/client-go/kubernetes/fake"
	"pgregory.net/rapid"
)

// TestGroupsDecideAsTheWhole: whatever order a cluster shows itself in, and whatever it looked like before, deciding about each
// group by itself comes to what deciding about everything comes to.
func TestGroupsDecideAsTheWhole(t *testing.T) {
	client := fake.NewClientset()
	rapid.Check(t, func(t *rapid.T) {
		want := drawSnapshot(t)
		if len(want.Nodes) == 0 {
			want.Nodes = cordoned("old-0") // a run without a node is refused
		}
		var refs []NodeRef
		for _, n := range want.Nodes {
			refs = append(refs, NodeRef{Name: n.Name, UID: n.UID})
		}
		policy := Policy{MaxUnbudgeted: 1000, Started: ago(time.Minute)}.withDefaults()
		r := newRun(refs, policy, func(Plan) {})
		r.policy.MaxUnbudgeted = policy.MaxUnbudgeted
		r.session = newSession(client, Options{}, rate.NewLimiter(1, 1))
		r.session.runs[r] = true
		r.session.refusals = want.Refusals
		m := r.session.mirror
		for i := range want.Pods {
			want.Pods[i].NamespaceLabels = nil
		}
		// Some of it looks otherwise first, and some is there that goes again.
		for _, p := range want.Pods {
			if rapid.Bool().Draw(t, "wasOther") {
				p.Labels = map[string]string{"app": rapid.SampledFrom([]string{"cart", "web", "db", "gone"}).Draw(t, "wasApp")}
				if rapid.Bool().Draw(t, "wasOthers") {
					p.Controller.UID = "rs-other"
				}
				m.putPod(p)
			}
		}
		other := drawSnapshot(t)
		for _, b := range other.Budgets {
			m.putBudget(mirrored{Budget: b})
		}
		shuffled := rapid.Permutation(want.Pods).Draw(t, "order")
		for _, p := range shuffled[:len(shuffled)/2] {
			m.putPod(p)
		}
		kept := map[string]bool{}
		for _, b := range want.Budgets {
			m.putBudget(mirrored{Budget: b})
			kept[b.Name] = true
		}
		for _, b := range other.Budgets {
			if !kept[b.Name] {
				m.dropBudget(mirrored{Budget: b})
			}
		}
		for _, p := range shuffled[len(shuffled)/2:] {
			m.putPod(p)
		}
		for _, n := range want.Nodes {
			m.putNode(n)
		}
		for _, o := range want.Owners {
			m.putOwner(owned{o, "shop"})
		}
		for _, p := range want.Pods {
			if p.Controller.Kind == "DaemonSet" {
				m.putDaemon(p.Controller.UID)
			}
		}
		var got Plan
		for range 2 { // the first look counts what is left on the nodes, which the second goes by
			r.all = true
			seen, err := r.observe(noon)
			if err != nil {
				t.Fatal(err)
			}
			for _, g := range seen.moved {
				r.decide(g, noon)
				if p := r.parts[g]; p != nil {
					p.notBefore = noon
				}
			}
			got = r.merge(seen)
		}
		plan := Decide(want, policy, noon)
		got.CheckAgain, plan.CheckAgain = 0, 0
		got.Summary, plan.Summary = "", ""
		slices.SortFunc(plan.Evict, compareEvictions)
		plan.Blockers = unite(plan.Blockers)
		for _, blockers := range [][]Blocker{plan.Blockers, got.Blockers} {
			for i := range blockers {
				if blockers[i].Reason == ReasonUnreachable {
					blockers[i].Since, blockers[i].Nodes = time.Time{}, nil // by the first of each row, and groups have other rows
				}
			}
			sortBlockers(blockers)
		}
		exported := cmp.Exporter(func(reflect.Type) bool { return true })
		if diff := cmp.Diff(plan.Evict, got.Evict, exported); diff != "" {
			t.Errorf("evictions (-whole +groups):\n%s", diff)
		}
		plan.Evict, got.Evict = nil, nil
		if diff := cmp.Diff(plan, got, exported); diff != "" {
			t.Errorf("plan (-whole +groups):\n%s", diff)
		}
	})
}
