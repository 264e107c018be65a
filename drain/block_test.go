package drain

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/labels"
)

// blockedCase is one pod that cannot go, in a drain that began two hours ago and forces after one.
type blockedCase struct {
	snapshot Snapshot
	since    time.Time
	// waits says that no time is over for it, whatever the policy.
	waits bool
}

func TestSinceAndDeadlineOfEveryBlocker(t *testing.T) {
	force := Deadline{Action: "Force", After: time.Hour}
	begun := ago(2 * time.Hour)
	old := func(p *Pod) { p.Created = ago(100 * time.Hour) }
	tests := map[Reason][]blockedCase{
		ReasonPodDisruptionBudget: {
			{snapshot: Snapshot{Pods: []Pod{pod("a", "cart", old)}, Budgets: []Budget{budget("cart", allows(0, 2, 2, 3), blockedFor(time.Minute))}}, since: ago(time.Minute)},
			{snapshot: Snapshot{Pods: []Pod{pod("a", "cart", old)}, Budgets: []Budget{budget("cart", allows(0, 2, 2, 3), blockedFor(9*time.Hour))}}, since: begun},
			// The pod was created since.
			{snapshot: Snapshot{Pods: []Pod{pod("a", "cart")}, Budgets: []Budget{budget("cart", allows(0, 2, 2, 3), blockedFor(9*time.Hour))}}, since: ago(time.Hour)},
			// Its wish not to be disrupted ended since.
			{snapshot: Snapshot{
				Pods: []Pod{pod("a", "cart", old, started(3*time.Hour), calm("2h59m"))}, Budgets: []Budget{budget("cart", allows(0, 2, 2, 3), blockedFor(9*time.Hour))},
			}, since: ago(time.Minute)},
			// Its owner has just changed the budget.
			{snapshot: Snapshot{Pods: []Pod{pod("a", "cart", old)}, Budgets: []Budget{
				budget("cart", allows(0, 2, 2, 3), blockedFor(9*time.Hour), func(b *Budget) { b.Generation = 2 }),
			}}, since: begun, waits: true},
			{snapshot: Snapshot{Pods: []Pod{pod("a", "cart", old)}, Budgets: []Budget{budget("cart", allows(0, 2, 2, 3))}}, since: begun, waits: true},
		},
		ReasonUnsatisfiableBudget: {
			{snapshot: Snapshot{Pods: []Pod{pod("a", "cart", old)}, Budgets: []Budget{budget("cart", allows(0, 3, 3, 3), blockedFor(time.Minute))}}, since: ago(time.Minute)},
		},
		ReasonMultipleBudgets: {
			{snapshot: Snapshot{Pods: []Pod{pod("a", "cart", old)}, Budgets: []Budget{budget("cart"), budget("cart", func(b *Budget) { b.Name = "all" })}}, since: begun},
			{snapshot: Snapshot{Pods: []Pod{pod("a", "cart", old)}, Budgets: []Budget{
				budget("cart", func(b *Budget) { b.Created = ago(time.Minute) }), budget("cart", func(b *Budget) { b.Name, b.Created = "all", ago(9*time.Hour) }),
			}}, since: ago(time.Minute)},
		},
		ReasonUnmanagedPod: {
			{snapshot: Snapshot{Pods: []Pod{pod("a", "tool", bare, old)}}, since: begun},
			{snapshot: Snapshot{Pods: []Pod{pod("a", "tool", bare)}}, since: ago(time.Hour)},
		},
		ReasonReturnsToNode: {
			{snapshot: Snapshot{Pods: []Pod{pod("a", "cart", tolerant)}, Budgets: []Budget{budget("cart")}}, since: ago(time.Hour)},
			{snapshot: Snapshot{Pods: []Pod{pod("a", "cart", tolerant, on("old-1"), phase("Pending"))}}, since: ago(time.Hour)},
		},
		ReasonWaitCompleted: {
			{snapshot: Snapshot{Pods: []Pod{pod("a", "cart", old, label(LabelDrain, "wait-completed"))}}, since: begun, waits: true},
		},
		ReasonDoNotDisrupt: {
			{snapshot: Snapshot{Pods: []Pod{pod("a", "cart", old, calm("true"))}}, since: begun, waits: true},
			// It is in the way now, not only when its time is over.
			{snapshot: Snapshot{Pods: []Pod{pod("a", "cart", old, started(time.Hour), calm("2h"))}}, since: begun, waits: true},
		},
		ReasonReplacementNotReady: {
			{snapshot: Snapshot{
				Pods: []Pod{pod("a", "cart", old), pod("b", "cart", on("new-1"), notReady(time.Minute))}, Owners: []Owner{wants("cart", 2)},
			}, since: ago(time.Minute)},
			// Not created yet, while the old pod ends: it was asked to 20 seconds ago.
			{snapshot: Snapshot{
				Pods:   []Pod{pod("a", "cart", old), pod("b", "cart", on("new-1"), old, grace(time.Minute), deadline(noon.Add(40*time.Second)))},
				Owners: []Owner{wants("cart", 2)},
			}, since: ago(20 * time.Second), waits: true},
			{snapshot: Snapshot{Pods: []Pod{pod("a", "cart", old)}, Owners: []Owner{wants("cart", 2)}}, since: begun, waits: true},
		},
		ReasonStuckTerminating: {
			{snapshot: Snapshot{Pods: []Pod{pod("a", "cart", old, deadline(ago(time.Minute)))}}, since: ago(time.Minute)},
		},
		ReasonFinalizer: {
			{snapshot: Snapshot{Pods: []Pod{pod("a", "cart", old, deadline(ago(9*time.Hour)), finalizer("x/y"))}}, since: begun},
		},
		ReasonNodeLost: {
			{snapshot: Snapshot{
				Nodes: []Node{{Name: "old-1", Unschedulable: true}}, Pods: []Pod{pod("a", "cart", old, deadline(ago(time.Second)), finalizer("x/y"))},
			}, since: ago(time.Second)},
		},
		ReasonWebhookDenied: {{snapshot: refusedWith(pod("a", "cart", old), OutcomeWebhookDenied), since: begun, waits: true}},
		ReasonForbidden:     {{snapshot: refusedWith(pod("a", "cart", old), OutcomeForbidden), since: begun}},
		ReasonRejected:      {{snapshot: refusedWith(pod("a", "cart", old), OutcomeRejected), since: begun}},
	}
	for reason, cases := range tests {
		for _, tc := range cases {
			if tc.snapshot.Nodes == nil {
				tc.snapshot.Nodes = cordoned("old-1")
			}
			plan := Decide(tc.snapshot, Policy{Started: begun, Deadline: force}, noon)
			p := tc.snapshot.Pods[0]
			want := Blocker{
				Pod: p.Key(), UID: p.UID, Node: "old-1", Nodes: []string{"old-1"}, Controller: p.Controller, Owner: OwnerName(p), Pods: 1,
				Reason: reason, Since: tc.since, Deadline: force,
			}
			if tc.waits {
				want.Deadline = Deadline{Action: DeadlineWait}
			}
			if len(plan.Blockers) != 1 {
				t.Errorf("%s: %d blockers of %+v", reason, len(plan.Blockers), tc.snapshot)
				continue
			}
			want.Message, want.Budget = plan.Blockers[0].Message, plan.Blockers[0].Budget
			if diff := cmp.Diff(want, plan.Blockers[0]); diff != "" {
				t.Errorf("%s (-want +got):\n%s", reason, diff)
			}
		}
	}
}

func refusedWith(p Pod, outcome Outcome) Snapshot {
	return Snapshot{
		Pods: []Pod{p}, Owners: []Owner{wants(p.Labels["app"], 1)},
		Refusals: []Refusal{{UID: p.UID, Outcome: outcome, Message: "no", At: ago(time.Second), Since: ago(time.Minute)}},
	}
}

func TestSinceWhenTheDrainsBeginningIsNotKnown(t *testing.T) {
	tests := map[string]struct {
		snapshot Snapshot
		want     time.Time
	}{
		"nothing tells":            {snapshot: Snapshot{Pods: []Pod{pod("a", "tool", bare)}}},
		"not created yet":          {snapshot: Snapshot{Pods: []Pod{pod("a", "cart")}, Owners: []Owner{wants("cart", 2)}}},
		"the budget tells":         {snapshot: Snapshot{Pods: []Pod{pod("a", "cart")}, Budgets: []Budget{budget("cart", allows(0, 2, 2, 3), blockedFor(time.Minute))}}, want: ago(time.Minute)},
		"the first of the answers": {snapshot: refusedWith(pod("a", "cart"), OutcomeWebhookDenied), want: ago(time.Minute)},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			tc.snapshot.Nodes = cordoned("old-1")
			plan := Decide(tc.snapshot, Policy{}, noon)
			if len(plan.Blockers) != 1 || !plan.Blockers[0].Since.Equal(tc.want) {
				t.Errorf("blockers %+v, want one since %s", plan.Blockers, tc.want)
			}
		})
	}
}

func TestPodsUnderDifferentRulesAreReportedApart(t *testing.T) {
	s := Snapshot{
		Nodes: cordoned("old-1", "old-2", "old-3"),
		Pods: []Pod{
			pod("cart-3", "cart", on("old-2")), pod("cart-1", "cart", on("old-3")), pod("cart-2", "cart", on("old-1")), pod("cart-4", "cart", on("old-2")),
			pod("cart-5", "cart", on("old-1")),
		},
		Budgets: []Budget{budget("cart", allows(0, 2, 2, 3), blockedFor(time.Hour))},
	}
	s.Pods[3].Labels = map[string]string{"app": "cart", "tier": "batch"}
	force := Deadline{Action: "Force", After: time.Hour}
	policy := Policy{Rules: []Rule{{Name: "batch", Deadline: &force, Pods: []PodSelector{{Pod: labels.SelectorFromSet(labels.Set{"tier": "batch"})}}}}}
	type row struct {
		Pod, Rule string
		Pods      int
		Nodes     []string
		Deadline  Deadline
	}
	var got []row
	for _, b := range Decide(s, policy, noon).Blockers {
		got = append(got, row{b.Pod.Name, b.Rule, b.Pods, b.Nodes, b.Deadline})
	}
	want := []row{
		{"cart-1", "", 4, []string{"old-1", "old-2", "old-3"}, Deadline{Action: "Wait"}},
		{"cart-4", "batch", 1, []string{"old-2"}, force},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("blockers (-want +got):\n%s", diff)
	}
}

func TestABarePodHasNoDeadlineBeforeItsTurn(t *testing.T) {
	s := Snapshot{Nodes: cordoned("old-1"), Pods: []Pod{pod("tool", "tool", bare), pod("cart", "cart", deadline(noon))}}
	force := Deadline{Action: "Force", After: time.Hour}
	policy := Policy{Started: ago(2 * time.Hour), Deadline: force, Rules: []Rule{{Pods: app("tool"), Order: 1}}}
	if got := Decide(s, policy, noon).Blockers[0].Deadline; got != (Deadline{Action: "Wait"}) {
		t.Errorf("deadline before its turn %+v, want Wait", got)
	}
	s.Pods = s.Pods[:1]
	if got := Decide(s, policy, noon).Blockers[0].Deadline; got != force {
		t.Errorf("deadline at its turn %+v, want %+v", got, force)
	}
}

func TestANodeThatWasGivenUp(t *testing.T) {
	nodes := cordoned("old-1", "old-2")
	nodes[0].Quarantined = true
	runDecide(t, map[string]decideCase{
		"keeps its pods, and the others go on": {
			snapshot: Snapshot{
				Nodes: nodes, Pods: []Pod{pod("cart-1", "cart"), pod("cart-2", "cart", on("old-2")), pod("new", "cart", phase("Pending"))}, Budgets: []Budget{budget("cart")},
			},
			evict: []string{"shop/cart-2"},
		},
		"keeps them when it could let them go": {
			snapshot: Snapshot{Nodes: nodes, Pods: []Pod{pod("cart-1", "cart")}, Owners: []Owner{wants("cart", 1)}},
		},
		"still says why": {
			snapshot: Snapshot{Nodes: nodes, Pods: []Pod{pod("cart-1", "cart")}, Budgets: []Budget{budget("cart", allows(0, 2, 2, 3))}},
			blockers: []string{"PodDisruptionBudget: pod shop/cart-1 (PodDisruptionBudget shop/cart allows 0 of 3: 2 ready, 2 needed)"},
		},
	})
	plan := Decide(Snapshot{Nodes: nodes, Pods: []Pod{pod("cart-1", "cart")}, Owners: []Owner{wants("cart", 1)}}, Policy{}, noon)
	want := []NodeProgress{{Name: "old-1", Cordoned: true, Remaining: 1, Quarantined: true}, {Name: "old-2", Cordoned: true, Empty: true}}
	if diff := cmp.Diff(want, plan.Nodes); diff != "" || plan.Empty {
		t.Errorf("Empty = %v, progress (-want +got):\n%s", plan.Empty, diff)
	}
	if want := "1 of 2 nodes empty, 1 pod left, 1 given up"; plan.Summary != want {
		t.Errorf("Summary = %q, want %q", plan.Summary, want)
	}
}

// TestAPodThatCanStillBeForcedStandsForARow: the ladder does nothing for a pod on a node that was given up, and looks at the first
// of a row only.
func TestAPodThatCanStillBeForcedStandsForARow(t *testing.T) {
	nodes := cordoned("old-1", "old-2")
	nodes[0].Quarantined = true
	s := Snapshot{
		Nodes: nodes, Pods: []Pod{pod("cart-1", "cart"), pod("cart-2", "cart", on("old-2"))},
		Budgets: []Budget{budget("cart", allows(0, 2, 2, 2))},
	}
	plan := Decide(s, Policy{}, noon)
	if len(plan.Blockers) != 1 || plan.Blockers[0].Pod.Name != "cart-2" || plan.Blockers[0].Pods != 2 {
		t.Errorf("%v, want cart-2 for both", plan.Blockers)
	}
	s.Pods = s.Pods[:1]
	if plan := Decide(s, Policy{}, noon); len(plan.Blockers) != 1 || plan.Blockers[0].Pod.Name != "cart-1" {
		t.Errorf("%v, want cart-1", plan.Blockers)
	}
}

func TestTroubleIsSaidWithinTenSeconds(t *testing.T) {
	lost := []Node{{Name: "old-1", Unschedulable: true}}
	runDecide(t, map[string]decideCase{
		"a node that is lost, at once": {
			snapshot: Snapshot{Nodes: lost, Pods: []Pod{pod("a", "cart", deadline(ago(time.Nanosecond)))}},
			blockers: []string{"NodeLost: pod shop/a (it should have ended at 2026-11-23T11:59:59Z and its node old-1 does not answer: once the machine is known to be off, delete the Node object or taint it node.kubernetes.io/out-of-service)"},
		},
		"not while the pod may take its time": {snapshot: Snapshot{Nodes: lost, Pods: []Pod{pod("a", "cart", deadline(noon))}}},
		"a node that is gone": {
			snapshot: Snapshot{Nodes: []Node{{Name: "old-1", Gone: true}}, Pods: []Pod{pod("a", "cart", deadline(ago(time.Second)))}},
			blockers: []string{"NodeLost: pod shop/a (it should have ended at 2026-11-23T11:59:59Z and its node old-1 no longer exists, the pod garbage collector should remove it within minutes)"},
		},
		"a lost node is worse than a finalizer": {
			snapshot: Snapshot{Nodes: lost, Pods: []Pod{pod("a", "cart", deadline(ago(time.Minute)), finalizer("x/y"))}},
			blockers: []string{"NodeLost: pod shop/a (it should have ended at 2026-11-23T11:59:00Z and is kept by finalizer x/y and its node old-1 does not answer: once the machine is known to be off, delete the Node object or taint it node.kubernetes.io/out-of-service)"},
		},
		"a finalizer": {
			snapshot: Snapshot{Pods: []Pod{pod("a", "cart", deadline(ago(11*time.Second)), finalizer("x/y"))}},
			blockers: []string{"Finalizer: pod shop/a (it should have ended at 2026-11-23T11:59:49Z and is kept by finalizer x/y)"},
		},
		"a stuck end": {
			snapshot: Snapshot{Pods: []Pod{pod("a", "cart", deadline(ago(11*time.Second)))}},
			blockers: []string{"StuckTerminating: pod shop/a (it should have ended at 2026-11-23T11:59:49Z)"},
		},
		"which a kubelet may need some seconds for": {snapshot: Snapshot{Pods: []Pod{pod("a", "cart", deadline(ago(10*time.Second)))}}},
		"a budget that never allows anything": {
			snapshot: Snapshot{Pods: []Pod{pod("a", "cart")}, Budgets: []Budget{budget("cart", allows(0, 3, 3, 3), blockedFor(10*time.Second))}},
			blockers: []string{"UnsatisfiableBudget: pod shop/a (PodDisruptionBudget shop/cart can never allow a disruption: 3 expected, 3 needed)"},
		},
	})
}

func TestAfterKnowsThePodOfARefusal(t *testing.T) {
	force := Deadline{Action: "Force", After: time.Hour}
	p := pod("cart-1", "cart")
	s := Snapshot{Nodes: cordoned("old-1"), Pods: []Pod{p}, Budgets: []Budget{budget("cart")}}
	policy := Policy{Started: ago(2 * time.Hour), Deadline: force, Rules: []Rule{{Name: "r"}}}
	for outcome, deadline := range map[Outcome]Deadline{
		OutcomeForbidden: force, OutcomeMisconfigured: force,
		OutcomeWebhookDenied: {Action: "Wait"}, OutcomeRefused: {Action: "Wait"}, OutcomeThrottled: {Action: "Wait"}, OutcomeUnreachable: {Action: "Wait"},
	} {
		plan := Decide(s, policy, noon)
		after := plan.After(Result{Answers: []Answer{{Eviction: plan.Evict[0], Outcome: outcome, Message: "no"}}})
		reason, _ := reasonOf(outcome)
		want := []Blocker{{
			Pod: p.Key(), UID: p.UID, Node: "old-1", Nodes: []string{"old-1"}, Controller: p.Controller, Owner: "Deployment/cart", Pods: 1,
			Budget: "shop/cart", Reason: reason, Message: "no", Rule: "r", Deadline: deadline, Since: ago(time.Hour),
		}}
		if diff := cmp.Diff(want, after.Blockers); diff != "" {
			t.Errorf("%s (-want +got):\n%s", outcome, diff)
		}
	}
}

// TestNodesOfPodsWhoseTimeIsOver: a deadline counts for each pod from when it was in the way itself.
func TestNodesOfPodsWhoseTimeIsOver(t *testing.T) {
	old := func(p *Pod) { p.Created = ago(100 * time.Hour) }
	ended := func(since time.Duration) podOption {
		return func(p *Pod) { p.Started, p.DoNotDisrupt = ago(9*time.Hour+since), "9h" }
	}
	plan := Decide(Snapshot{
		Nodes: cordoned("old-1", "old-2", "old-3", "old-4", "old-5"),
		Pods: []Pod{
			// The first by name does not make the others' time begin anew.
			pod("a", "cart", old, ended(time.Minute), on("old-1")), pod("b", "cart", old, on("old-2")), pod("c", "cart", old, on("old-3")),
			pod("d", "cart", old, ended(time.Second), on("old-4")), pod("e", "cart", old, ended(2*time.Minute), on("old-5")),
		},
		Budgets: []Budget{budget("cart", allows(0, 2, 2, 3), blockedFor(9*time.Hour))},
	}, Policy{Started: ago(2 * time.Hour)}, noon)
	type row struct {
		Pod   string
		Pods  int
		Since time.Time
		Nodes []string
	}
	var got []row
	for _, b := range plan.Blockers {
		got = append(got, row{b.Pod.Name, b.Pods, b.Since, b.Nodes})
	}
	want := []row{{"b", 2, ago(2 * time.Hour), []string{"old-2", "old-3"}}, {"a", 3, ago(time.Minute), []string{"old-1", "old-5"}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}
