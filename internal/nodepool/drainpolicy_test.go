package nodepool

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/drain"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/freeze"
	"github.com/fleetwright/fleetwright/internal/nodepool/preflight"
	"github.com/fleetwright/fleetwright/internal/nodepool/replacement"
)

var notify = []drain.Rung{{Action: "Notify", After: 10 * time.Minute}}

// Selectors are compared by what they say.
var bySelector = cmp.Comparer(func(a, b labels.Selector) bool { return a.String() == b.String() })

func selects(t *testing.T, text string) labels.Selector {
	t.Helper()
	out, err := labels.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestSpecDrainInTheEnginesWords(t *testing.T) {
	began := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	behind := []drain.Rule{{Name: "MachineDrainRule/all", Behavior: drain.RuleSkip}}
	for name, test := range map[string]struct {
		spec string
		want drain.Policy
	}{
		"not set": {"{}", drain.Policy{Ladder: notify}},
		"scalars": {"{waitFor: Eviction, unmanagedPods: Evict}", drain.Policy{WaitFor: "Eviction", Unmanaged: "Evict", Ladder: notify}},
		"a deadline": {"{deadline: {action: Quarantine, afterSeconds: 14400}}", drain.Policy{
			Ladder: notify, Deadline: drain.Deadline{Action: "Quarantine", After: 4 * time.Hour},
		}},
		"no end": {"{deadline: {action: Wait}}", drain.Policy{Ladder: notify, Deadline: drain.Deadline{Action: "Wait"}}},
		"a ladder is the whole ladder, in the order of its times": {
			"{ladder: [{action: ScaleUpBudget, afterSeconds: 900}, {action: RestartSingleton, afterSeconds: 60}]}",
			drain.Policy{Ladder: []drain.Rung{{Action: "RestartSingleton", After: time.Minute}, {Action: "ScaleUpBudget", After: 15 * time.Minute}}},
		},
		"told at once": {"{ladder: [{action: Notify, afterSeconds: 0}]}", drain.Policy{Ladder: []drain.Rung{{Action: "Notify"}}}},
		"no ladder":    {"{ladder: [{action: None}]}", drain.Policy{}},
		"rules keep their order": {
			`{rules: [{name: z, behavior: Drain, order: -3, deadline: {action: Force, afterSeconds: 900}}, {name: a, behavior: WaitCompleted, deadline: {action: Wait}}, {name: m, behavior: Skip}]}`,
			drain.Policy{Ladder: notify, Rules: []drain.Rule{
				{Name: "z", Behavior: "Drain", Order: -3, Deadline: &drain.Deadline{Action: "Force", After: 15 * time.Minute}},
				{Name: "a", Behavior: "WaitCompleted", Deadline: &drain.Deadline{Action: "Wait"}},
				{Name: "m", Behavior: "Skip"},
			}},
		},
		"selectors": {
			`{rules: [{name: a, behavior: Skip, pods: [
			  {selector: {matchLabels: {tier: db}, matchExpressions: [{key: a, operator: In, values: [w, x]}, {key: b, operator: NotIn, values: [z]}]}},
			  {namespaceSelector: {matchExpressions: [{key: c, operator: Exists}, {key: d, operator: DoesNotExist}]}},
			  {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: shop}}}]}]}`,
			drain.Policy{Ladder: notify, Rules: []drain.Rule{{Name: "a", Behavior: "Skip", Pods: []drain.PodSelector{
				{Pod: selects(t, "a in (w,x),b notin (z),tier=db"), Namespace: labels.Everything()},
				{Pod: labels.Everything(), Namespace: selects(t, "c,!d")},
				{Pod: labels.Everything(), Namespace: selects(t, "kubernetes.io/metadata.name=shop")},
			}}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := drainPolicy(drainSpec(t, test.spec), behind, began)
			if err != nil {
				t.Fatal(err)
			}
			test.want.Started, test.want.Rules = began, append(test.want.Rules, behind...)
			if diff := cmp.Diff(test.want, got, bySelector); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// What one look makes of the default must not reach the next.
func TestTheDefaultLadderIsNobodysToChange(t *testing.T) {
	first, err := drainPolicy(fleetwrightv1.DrainPolicy{}, nil, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	first.Ladder[0].Action = drain.RungScaleUpBudget
	second, err := drainPolicy(fleetwrightv1.DrainPolicy{}, nil, time.Time{})
	if diff := cmp.Diff(notify, second.Ladder); err != nil || diff != "" {
		t.Error(err, diff)
	}
}

// Admission refuses these, where its definition is as old as the operator.
func TestABrokenRuleIsNamed(t *testing.T) {
	for spec, want := range map[string]string{
		`{rules: [{name: dbs, behavior: Drain, pods: [{selector: {matchLabels: {a: b}}}, {selector: {matchExpressions: [{key: a, operator: Is}]}}]}]}`: `drain rule "dbs" cannot be understood, so nothing is drained: correct its pods[1].selector: "Is" is not a valid label selector operator`,
		`{rules: [{name: dbs, behavior: Drain, pods: [{namespaceSelector: {matchExpressions: [{key: a, operator: In}]}}]}]}`:                           `drain rule "dbs" cannot be understood, so nothing is drained: correct its pods[0].namespaceSelector: values: Invalid value: null: for 'in', 'notin' operators, values set can't be empty`,
	} {
		_, err := drainPolicy(drainSpec(t, spec), nil, time.Time{})
		if !errors.Is(err, capi.ErrInvalidDrainRule) || err.Error() != want {
			t.Errorf("the error is %q, want %q", err, want)
		}
		np := &fleetwrightv1.Nodepool{Spec: fleetwrightv1.NodepoolSpec{Drain: drainSpec(t, spec)}}
		if w := wanted(np, capi.Cluster{}, freeze.Effect{}, time.Time{}); w.Invalid != want || w.InvalidReason != "" {
			t.Errorf("the Nodepool is invalid because of %q (%s), want %q", w.Invalid, w.InvalidReason, want)
		}
	}
}

// No drain policy makes a pool another one, or is a change of one.
func TestSpecDrainIsNoPartOfAPool(t *testing.T) {
	plain := &fleetwrightv1.Nodepool{Spec: fleetwrightv1.NodepoolSpec{MachineType: "D4", Replicas: new(int32(2))}}
	draining := plain.DeepCopy()
	draining.Spec.Drain = drainSpec(t, `{rules: [{name: a, behavior: Skip}], waitFor: Eviction, unmanagedPods: Evict, ladder: [{action: None}], deadline: {action: Force, afterSeconds: 900}}`)
	want, got := wanted(plain, capi.Cluster{}, freeze.Effect{}, time.Time{}), wanted(draining, capi.Cluster{}, freeze.Effect{}, time.Time{})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("spec.drain changes what is wanted of the pool:\n%s", diff)
	}
}

// What a drain would meet was found by the policy of one generation of the spec.
func TestAForecastIsNotKeptForAnotherPolicy(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	np := &fleetwrightv1.Nodepool{ObjectMeta: metav1.ObjectMeta{UID: "np", Generation: 1}}
	var f forecasts
	f.keep(np, "o", preflight.Report{PodsToMove: 7}, now)
	if report, found := f.of(np, "o", now); !found || report.PodsToMove != 7 {
		t.Errorf("it is not kept at all: %v, %v", report, found)
	}
	np.Generation++
	if report, found := f.of(np, "o", now); found {
		t.Errorf("after a change of the spec it still says %v", report)
	}
}

// What a running drain says is by its own policy: who has taken a deadline back
// must not see it carried out.
func TestADrainOfAnotherPolicyIsNotFollowed(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	policy := func() drain.Policy {
		out, err := drainPolicy(drainSpec(t, `{rules: [{name: a, behavior: Drain, pods: [{selector: {matchLabels: {a: b}}}]}], deadline: {action: Force, afterSeconds: 900}}`), nil, now)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	np := &fleetwrightv1.Nodepool{ObjectMeta: metav1.ObjectMeta{Namespace: "prod-eu", Name: "prod-eu-1-general", UID: "np"}}
	p := &replacement.Pool{Object: "o", Nodes: []replacement.Node{{Name: "n", UID: "u"}}}
	run := &drainRun{
		drainOrder: drainOrder{nodepool: np.UID, object: "o", nodes: refsOf(p.Nodes, nil), policy: policy()}, done: make(chan struct{}),
		word: drainWord{plan: drain.Plan{Nodes: []drain.NodeProgress{{Name: "n"}}, Remaining: 1}, at: now},
	}
	r := &Reconciler{}
	r.drains.runs = map[types.NamespacedName]*drainRun{{Namespace: np.Namespace, Name: np.Name}: run}
	for name, test := range map[string]struct {
		change func(*drain.Policy)
		want   bool
	}{
		"the same":         {func(*drain.Policy) {}, true},
		"without deadline": {func(p *drain.Policy) { p.Deadline = drain.Deadline{} }, false},
		"another rule":     {func(p *drain.Policy) { p.Rules[0].Pods[0].Pod = labels.Everything() }, false},
	} {
		t.Run(name, func(t *testing.T) {
			now := policy()
			test.change(&now)
			o := &observation{drains: map[string]drain.Plan{}, followed: map[string]bool{}, policies: map[string]drain.Policy{"o": now}}
			if got := r.follow(o, np, p, replacement.PodsOf{Object: "o"}, run.word.at); got != test.want || o.followed["o"] != test.want {
				t.Errorf("followed: %v, want %v", got, test.want)
			}
		})
	}
}

func drainSpec(t *testing.T, text string) (out fleetwrightv1.DrainPolicy) {
	t.Helper()
	unmarshal(t, text, &out)
	return out
}

func unmarshal(t *testing.T, text string, into any) {
	t.Helper()
	if err := yaml.UnmarshalStrict([]byte(text), into); err != nil {
		t.Fatal(err)
	}
}
