package nodepool

import (
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// stuckDrain is a replacement in the middle of its drain, with a pod in the way that
// nobody would bring back.
func stuckDrain(t *testing.T) *azure {
	t.Helper()
	a := newAzure(t)
	a.running("D4")
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "alone", Namespace: a.namespace, Labels: map[string]string{"app": "alone"}},
		Spec: corev1.PodSpec{
			NodeName: a.nodes()[0].Name, TerminationGracePeriodSeconds: new(int64),
			Containers: []corev1.Container{{Name: "c", Image: "alone"}},
		},
	}
	create(t, pod)
	a.change(machine("D8"))
	a.converge(func(*fleetwrightv1.Nodepool) bool {
		return a.condition(fleetwrightv1.ConditionDrainBlocked).Reason == "UnmanagedPod"
	})
	return a
}

// A new policy takes effect at the next look, also in the middle of a drain, and
// makes no other pool.
func TestDrainPolicyChangesInTheMiddleOfADrain(t *testing.T) {
	t.Parallel()
	a := stuckDrain(t)
	if evicted := a.op.written("evict"); len(evicted) > 0 {
		t.Fatalf("it has evicted: %s", strings.Join(evicted, ", "))
	}
	before := slices.Clone(a.appeared)
	a.change(func(s *fleetwrightv1.NodepoolSpec) { s.Drain.UnmanagedPods = fleetwrightv1.UnmanagedPodsEvict })
	a.converge(upToDate)
	a.checkEnd()
	if evicted := a.op.written("evict"); len(evicted) != 1 {
		t.Errorf("it has evicted %d times: %s", len(evicted), strings.Join(evicted, ", "))
	}
	if !slices.Equal(before, a.appeared) {
		t.Errorf("the pools are %v, and were %v before the policy changed", a.appeared, before)
	}
}

// Nothing is evicted during a Freeze, so nobody holds a drain up then, although the
// operator goes on looking at the pods.
func TestNobodyOwesForAFreeze(t *testing.T) {
	t.Parallel()
	a := stuckDrain(t)
	a.change(func(s *fleetwrightv1.NodepoolSpec) { s.Drain = drainSpec(t, `{ladder: [{action: None}]}`) })
	a.turns(30)
	lift := a.freeze(a.namespace, fleetwrightv1.FreezeSpec{Scope: fleetwrightv1.FreezeScopeAll, Reconcile: fleetwrightv1.FreezeModeNonDisruptive, Reason: "INC-4711"})
	a.turns(1)
	owed := func() int64 {
		debts := a.get("general").Status.DrainDebt.Workloads
		if len(debts) != 1 || debts[0].Owner != "Pod/alone" {
			t.Fatalf("debt is %v", debts)
		}
		return *debts[0].Seconds
	}
	before, began := owed(), a.clock.Now()
	for a.clock.Now().Sub(began) < 20*time.Minute {
		a.turns(1)
		if c := a.condition(fleetwrightv1.ConditionDrainBlocked); c.Status != metav1.ConditionFalse {
			t.Fatalf("frozen, condition DrainBlocked is %+v", c)
		}
	}
	if len(a.get("general").Status.Replacement.Blockers) == 0 {
		t.Error("what will be in the way is not listed any more")
	}
	lift()
	a.converge(func(*fleetwrightv1.Nodepool) bool {
		return a.condition(fleetwrightv1.ConditionDrainBlocked).Status == metav1.ConditionTrue
	})
	if now := owed(); before == 0 || now-before > 60 {
		t.Errorf("it owed %d seconds before the Freeze and %d after it", before, now)
	}
}

// A policy that changes while nothing moves changes nothing.
func TestDrainPolicyAloneReplacesNothing(t *testing.T) {
	t.Parallel()
	a := newAzure(t)
	a.running("D4")
	a.converge(upToDate)
	before := a.op.written("MachinePool")
	a.change(func(s *fleetwrightv1.NodepoolSpec) {
		s.Drain = drainSpec(t, `{rules: [{name: a, behavior: Skip}], deadline: {action: Force, afterSeconds: 900}}`)
	})
	a.turns(5)
	if np := a.get("general"); !upToDate(np) || np.Status.ObservedGeneration != np.Generation {
		t.Errorf("status is %+v", np.Status)
	}
	if after := a.op.written("MachinePool"); !slices.Equal(before, after) {
		t.Errorf("it has written to pools: %s", strings.Join(after, ", "))
	}
	a.checkEnd()
}

// A MachineDrainRule of the namespace counts as it would for Machines. One that
// selects another cluster does not, and the spec's own rules come first.
func TestMachineDrainRulesCount(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		spec, rule, reason string
	}{
		"all pools":             {"{}", "drain: {behavior: WaitCompleted}", "WaitCompleted"},
		"by the cluster":        {"{}", "drain: {behavior: WaitCompleted}\nmachines: [{clusterSelector: {matchLabels: {ring: canary}}}]", "WaitCompleted"},
		"another cluster's":     {"{}", "drain: {behavior: WaitCompleted}\nmachines: [{clusterSelector: {matchLabels: {ring: stable}}}]", "UnmanagedPod"},
		"the spec's rule first": {"{rules: [{name: mine, behavior: Drain}]}", "drain: {behavior: WaitCompleted}", "UnmanagedPod"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := stuckDrain(t)
			a.change(func(s *fleetwrightv1.NodepoolSpec) { s.Drain = drainSpec(t, test.spec) })
			a.machineDrainRule(test.rule)
			a.turns(4)
			if got := a.condition(fleetwrightv1.ConditionDrainBlocked); got.Reason != test.reason {
				t.Errorf("the drain is blocked by %s, want %s: %s", got.Reason, test.reason, got.Message)
			}
		})
	}
}

// A rule that cannot be understood stops the drain, not what goes before it; the
// operator finds out by itself when it is corrected.
func TestABrokenMachineDrainRuleStopsTheDrain(t *testing.T) {
	t.Parallel()
	a := stuckDrain(t)
	rule := a.machineDrainRule("drain: {behavior: WaitCompleted}\npods: [{selector: {matchExpressions: [{key: app, operator: Is}]}}]")
	stalled := func(*fleetwrightv1.Nodepool) bool {
		c := a.condition(fleetwrightv1.ConditionStalled)
		return c.Reason == "InvalidDrainRule" && strings.HasPrefix(c.Message, "MachineDrainRule "+a.namespace+"/rule cannot be understood, so nothing is drained: correct spec.pods[0].selector: ")
	}
	a.converge(stalled)
	a.turns(4)
	if !stalled(nil) || len(a.podsOn("")) != 1 || len(a.pools()) != 2 {
		t.Fatalf("it went on: %s", a.describe())
	}
	rule.Spec.Pods = nil
	if err := server.Update(t.Context(), rule); err != nil {
		t.Fatal(err)
	}
	a.converge(func(*fleetwrightv1.Nodepool) bool {
		return a.condition(fleetwrightv1.ConditionStalled).Reason == "" && a.condition(fleetwrightv1.ConditionDrainBlocked).Reason == "WaitCompleted"
	})
}

func (a *azure) machineDrainRule(spec string) *clusterv1.MachineDrainRule {
	a.t.Helper()
	rule := &clusterv1.MachineDrainRule{ObjectMeta: metav1.ObjectMeta{Name: "rule", Namespace: a.namespace}}
	unmarshal(a.t, spec, &rule.Spec)
	create(a.t, rule)
	return rule
}
