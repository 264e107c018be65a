package ladder

import (
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/fleetwright/fleetwright/drain"
)

var forceIn30 = ending(drain.DeadlineForce, 30*time.Minute)

// forceFacts has the blocking pod and another of its controller that is ready.
func forceFacts(change ...func(*Facts)) Facts {
	f := cartFacts()
	f.Pods = []Pod{
		{Name: "cart-5d4f-1", UID: "uid-cart-1", Controller: "rs-cart", Budgets: []string{"shop/cart"}, Ready: true},
		{Name: "cart-5d4f-2", UID: "uid-cart-2", Controller: "rs-cart", Budgets: []string{"shop/cart"}, Ready: true},
	}
	for _, c := range change {
		c(&f)
	}
	return f
}

func deployment(change ...func(*Deployment, *Budget)) func(*Facts) {
	return func(f *Facts) { f.Deployments = cartFacts(change...).Deployments }
}

func uncovered(f *Facts) {
	for i := range f.Pods {
		f.Pods[i].Budgets = nil
	}
}

func other(p Pod) func(*Facts) {
	return func(f *Facts) {
		p.Name, p.UID, p.Controller = "cart-5d4f-2", "uid-cart-2", "rs-cart"
		p.Budgets = f.Pods[0].Budgets
		f.Pods[1] = p
	}
}

func TestForceOnlyWhatMayBeForced(t *testing.T) {
	may := []drain.Reason{
		drain.ReasonPodDisruptionBudget, drain.ReasonUnsatisfiableBudget, drain.ReasonMultipleBudgets,
		drain.ReasonReplacementNotReady, drain.ReasonUnmanagedPod,
	}
	byRule := func(b *drain.Blocker) { b.Rule = "batch" }
	mayByRule := append(slices.Clone(may), drain.ReasonWaitCompleted)
	for _, reason := range []drain.Reason{
		drain.ReasonNotCordoned, drain.ReasonMultipleBudgets, drain.ReasonUnsatisfiableBudget, drain.ReasonWebhookDenied,
		drain.ReasonForbidden, drain.ReasonRejected, drain.ReasonFinalizer, drain.ReasonNodeLost, drain.ReasonStuckTerminating,
		drain.ReasonUnmanagedPod, drain.ReasonWaitCompleted, drain.ReasonNamespaceTerminating, drain.ReasonPodDisruptionBudget,
		drain.ReasonReplacementNotReady, drain.ReasonUnreachable, drain.ReasonDoNotDisrupt, "SomethingNew",
	} {
		facts := forceFacts()
		switch reason {
		case drain.ReasonMultipleBudgets:
			facts.Pods[0].Budgets = []string{"shop/cart", "shop/x"}
		case drain.ReasonReplacementNotReady:
			uncovered(&facts)
		default:
		}
		steps := Decide(planOf(cart(because(reason, "x"), forceIn30)), facts, drain.Policy{Started: started}, noon)
		if forced := len(only(steps, ActionForce)) > 0; forced != slices.Contains(may, reason) {
			t.Errorf("%s forced: %v", reason, forced)
		}
		steps = Decide(planOf(cart(because(reason, "x"), forceIn30, byRule)), facts, drain.Policy{Started: started}, noon)
		if forced := len(only(steps, ActionForce)) > 0; forced != slices.Contains(mayByRule, reason) {
			t.Errorf("%s forced by a rule: %v", reason, forced)
		}
	}
}

func TestForce(t *testing.T) {
	helping := climbing(drain.RungScaleUpBudget, drain.RungRestartSingleton)
	forces := []string{"Force: deletes pod shop/cart-5d4f-1 and breaks PodDisruptionBudget shop/cart, because the drain's policy says Force after 30m0s, " +
		"and it is in the way since 2026-11-23T11:00:00Z: PodDisruptionBudget shop/cart allows 0 of 2: 2 ready, 2 needed"}
	waits := func(why string) []string {
		return []string{"Skipped: does not act on the deadline of pod shop/cart-5d4f-1, because " + why}
	}
	notYet := func(why string) []string {
		return []string{"Skipped: does not delete pod shop/cart-5d4f-1 yet, because " + why}
	}
	restarted := func(runs time.Time) func(*Facts) {
		return deployment(single, func(d *Deployment, _ *Budget) {
			d.Restarted, d.RollingOut, d.RestartRuns, d.RestartedAt = "2026-11-23T07:00:00Z", true, runs, ago(9*time.Minute)
		})
	}
	longAgo := func(f *Facts) {
		d := f.Deployments["uid-cart"]
		d.RestartedAt = ago(10 * time.Minute)
		f.Deployments["uid-cart"] = d
	}
	runDecide(t, map[string]stepCase{
		"over": {plan: planOf(cart(forceIn30)), facts: forceFacts(), policy: climbing(), want: forces},
		"at the moment": {
			plan: planOf(cart(ending(drain.DeadlineForce, time.Hour))), facts: forceFacts(), policy: climbing(),
			want: []string{"Force: deletes pod shop/cart-5d4f-1 and breaks PodDisruptionBudget shop/cart, because the drain's policy says Force after 1h0m0s, " +
				"and it is in the way since 2026-11-23T11:00:00Z: PodDisruptionBudget shop/cart allows 0 of 2: 2 ready, 2 needed"},
		},
		"not yet":                 {plan: planOf(cart(ending(drain.DeadlineForce, time.Hour+1))), facts: forceFacts(), policy: climbing()},
		"unknown since when":      {plan: planOf(cart(forceIn30, func(b *drain.Blocker) { b.Since = time.Time{} })), facts: forceFacts(), policy: climbing()},
		"the pod's uid not known": {plan: planOf(cart(forceIn30, func(b *drain.Blocker) { b.UID = "" })), facts: forceFacts(), policy: climbing()},
		"a rule's wish": {
			plan:  planOf(cart(forceIn30, func(b *drain.Blocker) { b.Rule, b.Budget, b.Reason = "batch", "", drain.ReasonReplacementNotReady })),
			facts: forceFacts(uncovered), policy: climbing(),
			want: []string{"Force: deletes pod shop/cart-5d4f-1 before its controller is complete, because rule batch says Force after 30m0s, " +
				"and it is in the way since 2026-11-23T11:00:00Z: PodDisruptionBudget shop/cart allows 0 of 2: 2 ready, 2 needed"},
		},
		"a pod that nobody brings back": {
			plan:   planOf(cart(bare, forceIn30)),
			facts:  Facts{Drain: us, Pods: []Pod{{Name: "lone", UID: "uid-lone"}}},
			policy: climbing(),
			want: []string{"Force: deletes pod shop/lone, which nobody brings back, because the drain's policy says Force after 30m0s, " +
				"and it is in the way since 2026-11-23T11:00:00Z: no controller would bring it back, move or delete it by hand"},
		},
		"one pod per budget": {
			plan: planOf(cart(forceIn30), cart(forceIn30, func(b *drain.Blocker) { b.UID, b.Pod.Name = "uid-x", "x" })),
			facts: forceFacts(func(f *Facts) {
				f.Pods = append(f.Pods, Pod{Name: "x", UID: "uid-x", Controller: "rs-x", Budgets: []string{"shop/cart"}, Ready: true})
			}),
			policy: climbing(), want: forces,
		},
		"gone meanwhile":   {plan: planOf(cart(forceIn30)), facts: forceFacts(func(f *Facts) { f.Pods = f.Pods[1:] }), policy: climbing()},
		"ending meanwhile": {plan: planOf(cart(forceIn30)), facts: forceFacts(func(f *Facts) { f.Pods[0].Deadline = noon }), policy: climbing()},
		"mirror":           {plan: planOf(cart(forceIn30)), facts: forceFacts(func(f *Facts) { f.Pods[0].Mirror = true }), policy: climbing()},
		"finished":         {plan: planOf(cart(forceIn30)), facts: forceFacts(func(f *Facts) { f.Pods[0].Finished = true }), policy: climbing()},
		"the last one is ending": {
			plan: planOf(cart(forceIn30)), facts: forceFacts(other(Pod{Deadline: noon.Add(time.Minute)})), policy: climbing(),
			want: notYet("pod shop/cart-5d4f-2 is still ending"),
		},
		"the last one is not ending in spite of everything": {
			plan: planOf(cart(forceIn30)), facts: forceFacts(other(Pod{Deadline: ago(time.Minute)})), policy: climbing(), want: forces,
		},
		"the last one's replacement is starting": {
			plan: planOf(cart(forceIn30)), facts: forceFacts(other(Pod{Created: ago(9 * time.Minute)})), policy: climbing(),
			want: notYet("pod shop/cart-5d4f-2 is still starting"),
		},
		"the last one's replacement does not start": {
			plan: planOf(cart(forceIn30)), facts: forceFacts(other(Pod{Created: ago(10 * time.Minute)})), policy: climbing(), want: forces,
		},
		"a scale-up begins now": {
			plan: planOf(cart(forceIn30)), facts: forceFacts(), policy: helping,
			want: append([]string{scales}, waits("Deployment shop/cart is being helped now")...),
		},
		"a restart begins now": {
			plan: planOf(cart(forceIn30)), facts: forceFacts(deployment(single)), policy: helping,
			want: append([]string{restarts}, waits("Deployment shop/cart is being helped now")...),
		},
		"scaled up nine minutes ago": {
			plan: planOf(cart(forceIn30)), facts: forceFacts(deployment(up(us, ago(9*time.Minute)))), policy: helping,
			want: append([]string{"Standing: leaves Deployment shop/cart scaled up, because the nodes to empty still hold 1 of its pods"},
				waits("Deployment shop/cart was scaled up at 2026-11-23T11:51:00Z")...),
		},
		"scaled up ten minutes ago": {
			plan: planOf(cart(forceIn30)), facts: forceFacts(deployment(up(us, ago(10*time.Minute)))), policy: helping,
			want: append([]string{"Standing: leaves Deployment shop/cart scaled up, because the nodes to empty still hold 1 of its pods"}, forces...),
		},
		"restarted, and nothing has begun": {
			plan: planOf(cart(forceIn30)), facts: forceFacts(restarted(time.Time{})), policy: helping,
			want: waits("Deployment shop/cart was restarted and its controller has not begun"),
		},
		"restarted, and nothing begins": {
			plan: planOf(cart(forceIn30)), facts: forceFacts(restarted(time.Time{}), longAgo), policy: helping, want: forces,
		},
		"restarted nine minutes ago": {
			plan: planOf(cart(forceIn30)), facts: forceFacts(restarted(ago(9 * time.Minute))), policy: helping,
			want: waits("Deployment shop/cart was restarted at 2026-11-23T11:51:00Z"),
		},
		"restarted ten minutes ago": {plan: planOf(cart(forceIn30)), facts: forceFacts(restarted(ago(10 * time.Minute))), policy: helping, want: forces},
		"help that is not possible": {
			plan: planOf(cart(forceIn30)), policy: climbing(drain.RungScaleUpBudget),
			facts: forceFacts(deployment(func(d *Deployment, _ *Budget) { d.Scaler = "web" })),
			want:  append([]string{"Skipped: does not scale Deployment shop/cart up, because HorizontalPodAutoscaler shop/web sets its size"}, forces...),
		},
	})
	s := Decide(planOf(cart(forceIn30)), forceFacts(), climbing(), noon)[0]
	if s.Object.UID != types.UID("uid-cart-1") {
		t.Errorf("force of %+v, want the pod's uid", s.Object)
	}
}

func TestQuarantine(t *testing.T) {
	in30 := ending(drain.DeadlineQuarantine, 30*time.Minute)
	policy := drain.Policy{Started: started, Deadline: drain.Deadline{Action: drain.DeadlineQuarantine, After: 30 * time.Minute}}
	byRule := drain.Policy{Started: started, Rules: []drain.Rule{{Name: "db", Deadline: &policy.Deadline}}}
	nodes := func(n map[string]Node) func(*Facts) { return func(f *Facts) { f.Nodes = n } }
	fresh := nodes(map[string]Node{"old-1": {UID: "uid-1", ResourceVersion: "9"}, "old-2": {UID: "uid-2"}})
	ours := nodes(map[string]Node{"old-1": {UID: "uid-1", ResourceVersion: "9", Quarantined: true, By: us}})
	gives := "Quarantine: gives node old-1 up, because pod shop/cart-5d4f-1 (PodDisruptionBudget shop/cart allows 0 of 2: 2 ready, 2 needed) " +
		"is in the way since 2026-11-23T11:00:00Z, and the drain's policy says Quarantine after 30m0s"
	empty := planOf()
	empty.Nodes[0].Empty = true
	runDecide(t, map[string]stepCase{
		"over":    {plan: planOf(cart(in30)), facts: forceFacts(fresh), policy: policy, want: []string{gives}},
		"not yet": {plan: planOf(cart(ending(drain.DeadlineQuarantine, 2*time.Hour))), facts: forceFacts(fresh), policy: policy},
		"all its nodes": {
			plan: planOf(cart(in30, func(b *drain.Blocker) { b.Nodes = []string{"old-1", "old-2", "gone"} })), facts: forceFacts(fresh), policy: policy,
			want: []string{gives, "Quarantine: gives node old-2 up" + gives[len("Quarantine: gives node old-1 up"):]},
		},
		"one node, two pods":    {plan: planOf(cart(in30), cart(in30)), facts: forceFacts(fresh), policy: policy, want: []string{gives}},
		"a webhook's denial":    {plan: planOf(cart(in30, because(drain.ReasonWebhookDenied, "no"))), facts: forceFacts(fresh), policy: policy},
		"an unreachable server": {plan: planOf(cart(in30, because(drain.ReasonUnreachable, "no"))), facts: forceFacts(fresh), policy: policy},
		"given up already":      {plan: planOf(cart(in30)), facts: forceFacts(ours), policy: policy},
		"given up by a person":  {plan: planOf(cart(in30)), facts: forceFacts(nodes(map[string]Node{"old-1": {Quarantined: true}})), policy: policy},
		"help is under way": {
			plan: planOf(cart(in30)), facts: forceFacts(fresh, deployment(up(us, ago(time.Minute)))), policy: policy,
			want: []string{
				"PutBack: scales Deployment shop/cart back from 3 to 2, because the drain's policy no longer has ScaleUpBudget",
				"Skipped: does not act on the deadline of pod shop/cart-5d4f-1, because Deployment shop/cart was scaled up at 2026-11-23T11:59:00Z",
			},
		},
		"empty by now": {plan: empty, facts: forceFacts(ours), policy: policy, want: []string{"Unquarantine: takes node old-1 back, because it is empty"}},
		"the policy no longer says so": {
			plan: planOf(), facts: forceFacts(ours), policy: climbing(),
			want: []string{"Unquarantine: takes node old-1 back, because the drain's policy no longer has the deadline Quarantine"},
		},
		"a rule still says so": {plan: planOf(), facts: forceFacts(ours), policy: byRule},
		"a person's own":       {plan: empty, facts: forceFacts(nodes(map[string]Node{"old-1": {Quarantined: true}})), policy: climbing()},
		"another drain's":      {plan: empty, facts: forceFacts(nodes(map[string]Node{"old-1": {Quarantined: true, By: "prod/other"}})), policy: climbing()},
	})
	samePatch(t, `{"metadata":{"uid":"uid-1","resourceVersion":"9","labels":{"fleetwright.io/quarantined":"PodDisruptionBudget"},"annotations":{"fleetwright.io/quarantined-by":"prod/general"}}}`,
		Decide(planOf(cart(in30)), forceFacts(fresh), policy, noon)[0].Patch)
	samePatch(t, `{"metadata":{"uid":"uid-1","resourceVersion":"9","labels":{"fleetwright.io/quarantined":null},"annotations":{"fleetwright.io/quarantined-by":null}}}`,
		Decide(empty, forceFacts(ours), policy, noon)[0].Patch)
}
