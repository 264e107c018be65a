package ladder

import (
	"testing"
	"time"

	"github.com/fleetwright/fleetwright/drain"
)

const restarts = "RestartSingleton: restarts Deployment shop/cart, which has one pod, so that the new one starts on another node first"

func TestRestartsWhatHasOnePod(t *testing.T) {
	restarting := climbing(drain.RungRestartSingleton)
	not := func(why string) []string {
		return []string{"Skipped: does not restart Deployment shop/cart, because " + why}
	}
	runDecide(t, map[string]stepCase{
		"one pod": {plan: planOf(cart()), facts: cartFacts(single), policy: restarting, want: []string{restarts}},
		"and a budget that can never be satisfied": {
			plan: planOf(cart(because(drain.ReasonUnsatisfiableBudget, "x"))), facts: cartFacts(single), policy: restarting, want: []string{restarts},
		},
		"once, although two rows of pods wait": {plan: planOf(cart(), cart()), facts: cartFacts(single), policy: restarting, want: []string{restarts}},
		"two pods are not its business":        {plan: planOf(cart()), facts: cartFacts(), policy: restarting},
		"not before its time": {
			plan: planOf(cart(func(b *drain.Blocker) { b.Since = ago(59 * time.Second) })), facts: cartFacts(single), policy: restarting,
		},
		"at its time": {
			plan: planOf(cart(func(b *drain.Blocker) { b.Since = ago(time.Minute) })), facts: cartFacts(single), policy: restarting,
			want: []string{restarts},
		},
		"not while nobody knows since when": {
			plan: planOf(cart(func(b *drain.Blocker) { b.Since = time.Time{} })), facts: cartFacts(single), policy: restarting,
		},
		"not for a webhook": {plan: planOf(cart(because(drain.ReasonWebhookDenied, "no"))), facts: cartFacts(single), policy: restarting},
		"not for two budgets": {
			plan: planOf(cart(because(drain.ReasonMultipleBudgets, "x"))), facts: cartFacts(single), policy: restarting,
		},
		"not if the policy does not ask": {plan: planOf(cart()), facts: cartFacts(single), policy: climbing()},
		"not if the pod has left since": {
			plan:   planOf(cart()),
			facts:  cartFacts(single, func(d *Deployment, _ *Budget) { d.Holding = nil }),
			policy: restarting,
		},
		"paused": {
			plan: planOf(cart()), facts: cartFacts(single, func(d *Deployment, _ *Budget) { d.Paused = true }), policy: restarting,
			want: not("its rollout is paused"),
		},
		"recreate": {
			plan: planOf(cart()), facts: cartFacts(single, func(d *Deployment, _ *Budget) { d.Recreate = true }), policy: restarting,
			want: not("its strategy Recreate ends the old pod before the new one starts"),
		},
		"no surge": {
			plan: planOf(cart()), facts: cartFacts(single, func(d *Deployment, _ *Budget) { d.Surge, d.Unavailable = 0, 1 }), policy: restarting,
			want: not("its rolling update may end the old pod before the new one is ready: maxSurge is 0 and maxUnavailable 1"),
		},
		"surge, but the old one may be missing": {
			plan: planOf(cart()), facts: cartFacts(single, func(d *Deployment, _ *Budget) { d.Unavailable = 1 }), policy: restarting,
			want: not("its rolling update may end the old pod before the new one is ready: maxSurge is 1 and maxUnavailable 1"),
		},
		"rolling out already": {
			plan: planOf(cart()), facts: cartFacts(single, func(d *Deployment, _ *Budget) { d.RollingOut = true }), policy: restarting,
			want: not("it is being rolled out already"),
		},
		"restarted by this drain and rolling out": {
			plan: planOf(cart()), policy: restarting,
			facts: cartFacts(single, func(d *Deployment, _ *Budget) { d.Restarted, d.RollingOut = "2026-11-23T07:00:00Z", true }),
		},
		"restarted by this drain": {
			plan: planOf(cart()), policy: restarting,
			facts: cartFacts(single, func(d *Deployment, _ *Budget) { d.Restarted = "2026-11-23T07:00:00Z" }),
		},
		"restarted by an earlier drain": {
			plan: planOf(cart()), policy: restarting, want: []string{restarts},
			facts: cartFacts(single, func(d *Deployment, _ *Budget) { d.Restarted = "2026-11-22T07:00:00Z" }),
		},
		"without the start of the drain": {
			plan: planOf(cart()), facts: cartFacts(single),
			policy: drain.Policy{Ladder: restarting.Ladder},
			want:   not("it is not known when the drain began, so that it could be restarted again and again"),
		},
	})
	steps := Decide(planOf(cart()), cartFacts(single), restarting, noon)
	samePatch(t, `{"metadata":{"resourceVersion":"7","labels":{"fleetwright.io/restarted-for":"1795417200-1795435200"}},
		"spec":{"template":{"metadata":{"annotations":{"fleetwright.io/restarted-at":"2026-11-23T07:00:00Z"}}}}}`, steps[0].Patch)
	if open := Outstanding(steps); len(open) > 0 {
		t.Errorf("Outstanding() = %v, a restart leaves nothing behind", open)
	}
}

const scales = "ScaleUpBudget: scales Deployment shop/cart up from 2 to 3, " +
	"because with one more pod ready PodDisruptionBudget shop/cart allows one to go"

func TestScalesUpWhereOneMoreHelps(t *testing.T) {
	scaling := climbing(drain.RungScaleUpBudget)
	not := func(why string) []string {
		return []string{"Skipped: does not scale Deployment shop/cart up, because " + why}
	}
	limits := func(budget Budget) func(*Deployment, *Budget) { return func(_ *Deployment, b *Budget) { *b = budget } }
	runDecide(t, map[string]stepCase{
		"one more helps": {plan: planOf(cart()), facts: cartFacts(), policy: scaling, want: []string{scales}},
		"once":           {plan: planOf(cart(), cart()), facts: cartFacts(), policy: scaling, want: []string{scales}},
		"one pod, and no restart in the ladder": {
			plan: planOf(cart()), facts: cartFacts(single), policy: scaling,
			want: []string{"ScaleUpBudget: scales Deployment shop/cart up from 1 to 2, because with one more pod ready PodDisruptionBudget shop/cart allows one to go"},
		},
		"one pod that can be restarted": {
			plan: planOf(cart()), facts: cartFacts(single), policy: climbing(drain.RungScaleUpBudget, drain.RungRestartSingleton),
			want: []string{restarts},
		},
		"one pod whose restart comes later": {
			plan: planOf(cart()), facts: cartFacts(single),
			policy: drain.Policy{Started: started, Ladder: []drain.Rung{
				{Action: drain.RungScaleUpBudget, After: time.Minute}, {Action: drain.RungRestartSingleton, After: 2 * time.Hour},
			}},
		},
		"one pod that is being restarted": {
			plan: planOf(cart()), policy: climbing(drain.RungScaleUpBudget, drain.RungRestartSingleton),
			facts: cartFacts(single, func(d *Deployment, _ *Budget) { d.Restarted, d.RollingOut = "2026-11-23T07:00:00Z", true }),
		},
		"one pod that cannot be restarted": {
			plan: planOf(cart()), policy: climbing(drain.RungScaleUpBudget, drain.RungRestartSingleton),
			facts: cartFacts(single, func(d *Deployment, _ *Budget) { d.Recreate = true }),
			want: []string{
				"Skipped: does not restart Deployment shop/cart, because its strategy Recreate ends the old pod before the new one starts",
				"ScaleUpBudget: scales Deployment shop/cart up from 1 to 2, because with one more pod ready PodDisruptionBudget shop/cart allows one to go",
			},
		},
		"one pod whose restart is over and did not help": {
			plan: planOf(cart()), policy: climbing(drain.RungScaleUpBudget, drain.RungRestartSingleton),
			facts: cartFacts(single, func(d *Deployment, _ *Budget) { d.Restarted = "2026-11-23T07:00:00Z" }),
			want: []string{
				"ScaleUpBudget: scales Deployment shop/cart up from 1 to 2, because with one more pod ready PodDisruptionBudget shop/cart allows one to go",
			},
		},
		"nothing may ever be missing": {
			plan: planOf(cart()), facts: cartFacts(limits(Budget{MaxUnavailable: number(0), Healthy: 2, Expected: 2})), policy: scaling,
			want: not("maxUnavailable 0 of shop/cart never allows one, however many pods there are"),
		},
		"an autoscaler": {
			plan: planOf(cart()), facts: cartFacts(func(d *Deployment, _ *Budget) { d.Scaler = "web" }), policy: scaling,
			want: not("HorizontalPodAutoscaler shop/web sets its size"),
		},
		"GitOps": {
			plan: planOf(cart()), facts: cartFacts(func(d *Deployment, _ *Budget) { d.Manager = "argocd-controller" }), policy: scaling,
			want: not("argocd-controller owns its spec.replicas and would put it back"),
		},
		"a rollout": {
			plan: planOf(cart()), facts: cartFacts(func(d *Deployment, _ *Budget) { d.RollingOut = true }), policy: scaling,
			want: not("it is being rolled out"),
		},
		"numbers about an older spec": {
			plan: planOf(cart()), facts: cartFacts(func(_ *Deployment, b *Budget) { b.Stale = true }), policy: scaling,
			want: not("the status of PodDisruptionBudget shop/cart has not caught up with its spec"),
		},
		"scaled up by another drain": {
			plan: planOf(cart()), facts: cartFacts(up("prod/other", ago(time.Hour))), policy: scaling,
			want: not("drain prod/other has done so"),
		},
		"a mark that cannot be read": {
			plan: planOf(cart()), facts: cartFacts(func(d *Deployment, _ *Budget) { d.Unreadable = true }), policy: scaling,
			want: not("its label fleetwright.io/scaled-up says that it was, and cannot be read: take it off"),
		},
		"the budget allows one by now": {
			plan: planOf(cart()), facts: cartFacts(func(_ *Deployment, b *Budget) { b.Allowed = 1 }), policy: scaling,
		},
		"the pod has left by now": {
			plan: planOf(cart()), facts: cartFacts(func(d *Deployment, _ *Budget) { d.Holding = nil }), policy: scaling,
		},
		"no Deployment": {
			plan: planOf(cart(func(b *drain.Blocker) {
				b.Owner, b.Controller = "StatefulSet/db", drain.Controller{Group: "apps", Kind: "StatefulSet", Name: "db", UID: "set-db"}
			})), facts: Facts{Drain: us}, policy: scaling,
			want: []string{"Skipped: does not scale StatefulSet shop/db up, because only Deployments are scaled up"},
		},
	})
	steps := Decide(planOf(cart()), cartFacts(), scaling, noon)
	samePatch(t, `{"metadata":{"resourceVersion":"7","labels":{"fleetwright.io/scaled-up":"2-3-1795521600-880569d4e2028c05"},
		"annotations":{"fleetwright.io/scaled-up-by":"prod/general"}},"spec":{"replicas":3}}`, steps[0].Patch)
	if open := Outstanding(steps); len(open) != 1 || open[0] != "Deployment shop/cart is scaled up from 2 to 3 until 2026-11-24T12:00:00Z" {
		t.Errorf("Outstanding() = %q", open)
	}
}

func TestPutsBack(t *testing.T) {
	scaling := climbing(drain.RungScaleUpBudget)
	left := func(d *Deployment, _ *Budget) { d.Holding = nil }
	tests := map[string]struct {
		facts       Facts
		policy      drain.Policy
		want        []string
		patch       string
		outstanding bool
	}{
		"a pod is left": {
			facts: cartFacts(up(us, ago(24*time.Hour-time.Second))), policy: scaling, outstanding: true,
			want: []string{"Standing: leaves Deployment shop/cart scaled up, because the nodes to empty still hold 1 of its pods"},
		},
		"no pod is left": {
			facts: cartFacts(up(us, ago(time.Hour)), left), policy: scaling, outstanding: true,
			want:  []string{"PutBack: scales Deployment shop/cart back from 3 to 2, because the nodes to empty hold no pod of it any more"},
			patch: `{"metadata":{"resourceVersion":"7","labels":{"fleetwright.io/scaled-up":null},"annotations":{"fleetwright.io/scaled-up-by":null}},"spec":{"replicas":2}}`,
		},
		"somebody else has set another number": {
			facts: cartFacts(up(us, ago(time.Hour)), left, func(d *Deployment, _ *Budget) { d.Replicas = 6 }), policy: scaling,
			outstanding: true,
			want: []string{"PutBack: leaves Deployment shop/cart at 6, which somebody else has set, and takes the marks of its scale-up off, " +
				"because the nodes to empty hold no pod of it any more"},
			patch: `{"metadata":{"resourceVersion":"7","labels":{"fleetwright.io/scaled-up":null},"annotations":{"fleetwright.io/scaled-up-by":null}}}`,
		},
		"its time is over": {
			facts: cartFacts(up(us, ago(24*time.Hour))), policy: scaling, outstanding: true,
			want:  []string{"PutBack: scales Deployment shop/cart back from 3 to 2, because it was scaled up until 2026-11-23T12:00:00Z only"},
			patch: `{"metadata":{"resourceVersion":"7","labels":{"fleetwright.io/scaled-up":null},"annotations":{"fleetwright.io/scaled-up-by":null}},"spec":{"replicas":2}}`,
		},
		"the policy no longer asks": {
			facts: cartFacts(up(us, ago(time.Hour))), policy: climbing(), outstanding: true,
			want: []string{"PutBack: scales Deployment shop/cart back from 3 to 2, because the drain's policy no longer has ScaleUpBudget"},
		},
		"another drain's": {facts: cartFacts(up("prod/other", ago(time.Hour)), left), policy: scaling},
		"another drain's whose time is over": {
			facts: cartFacts(up("prod/other", ago(25*time.Hour)), left), policy: climbing(),
			want: []string{"PutBack: scales Deployment shop/cart back from 3 to 2, because it was scaled up until 2026-11-23T11:00:00Z only"},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			steps := Decide(planOf(), tc.facts, tc.policy, noon)
			if got := only(steps); len(got) != len(tc.want) || len(got) > 0 && got[0] != tc.want[0] {
				t.Errorf("steps = %q, want %q", got, tc.want)
			}
			if tc.patch != "" {
				samePatch(t, tc.patch, steps[0].Patch)
			}
			if open := Outstanding(steps); len(open) > 0 != tc.outstanding {
				t.Errorf("Outstanding() = %q, want some: %v", open, tc.outstanding)
			}
		})
	}
}
