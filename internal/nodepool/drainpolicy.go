package nodepool

import (
	"context"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/utils/ptr"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/drain"
	"github.com/fleetwright/fleetwright/internal/capi"
)

// +kubebuilder:rbac:groups=cluster.x-k8s.io,resources=machinedrainrules,verbs=list

// defaultLadder is what is done for a pod that cannot go when the spec does not
// say: its owner is told.
var defaultLadder = []drain.Rung{{Action: drain.RungNotify, After: 10 * time.Minute}}

// drainPolicyOf is how a pool of the Nodepool is emptied: what the spec says, and
// after its rules the MachineDrainRules that select the pool. Those are read past
// the cache, because pods are evicted by what they say, and only while a pool is
// emptied; so they need no watch and may be missing from the API server.
func (r *Reconciler) drainPolicyOf(ctx context.Context, cluster capi.Cluster, np *fleetwrightv1.Nodepool, pool capi.Pool) (drain.Policy, error) {
	behind, err := cluster.ReadDrainRules(ctx, r.Live, pool)
	if err != nil {
		return drain.Policy{}, err
	}
	return drainPolicy(np.Spec.Drain, behind, pool.DrainStarted)
}

// drainPolicy is spec.drain in the drain engine's words, with the rules that come
// after its own. started is when the drain began, zero before it did. An error
// names the rule that cannot be understood.
func drainPolicy(spec fleetwrightv1.DrainPolicy, behind []drain.Rule, started time.Time) (drain.Policy, error) {
	out := drain.Policy{
		Started: started, WaitFor: drain.WaitFor(spec.WaitFor), Unmanaged: drain.Unmanaged(spec.UnmanagedPods),
		Ladder: drainLadder(spec.Ladder), Deadline: drainDeadline(spec.Deadline),
	}
	for _, rule := range spec.Rules {
		converted, err := drainRule(rule)
		if err != nil {
			return drain.Policy{}, err
		}
		out.Rules = append(out.Rules, converted)
	}
	out.Rules = append(out.Rules, behind...)
	return out, nil
}

func drainRule(from fleetwrightv1.DrainRule) (drain.Rule, error) {
	out := drain.Rule{Name: from.Name, Behavior: drain.RuleBehavior(from.Behavior), Order: ptr.Deref(from.Order, 0)}
	if from.Deadline.Action != "" {
		out.Deadline = ptr.To(drainDeadline(from.Deadline))
	}
	for i, p := range from.Pods {
		pod, err := labelSelector(p.Selector)
		if err != nil {
			return out, brokenRule(from.Name, i, "selector", err)
		}
		namespace, err := labelSelector(p.NamespaceSelector)
		if err != nil {
			return out, brokenRule(from.Name, i, "namespaceSelector", err)
		}
		out.Pods = append(out.Pods, drain.PodSelector{Pod: pod, Namespace: namespace})
	}
	return out, nil
}

func brokenRule(name string, i int, field string, err error) error {
	return fmt.Errorf("drain rule %q %w, so nothing is drained: correct its pods[%d].%s: %w", name, capi.ErrInvalidDrainRule, i, field, err)
}

// labelSelector selects everything when it is not set. Admission refuses
// what it does not understand, unless the definition is another version's.
func labelSelector(from fleetwrightv1.LabelSelector) (labels.Selector, error) {
	selector := metav1.LabelSelector{MatchLabels: labelValues(from.MatchLabels)}
	for _, e := range from.MatchExpressions {
		requirement := metav1.LabelSelectorRequirement{Key: e.Key, Operator: metav1.LabelSelectorOperator(e.Operator)}
		for _, value := range e.Values {
			requirement.Values = append(requirement.Values, string(value))
		}
		selector.MatchExpressions = append(selector.MatchExpressions, requirement)
	}
	return metav1.LabelSelectorAsSelector(&selector)
}

func labelValues(from map[string]fleetwrightv1.LabelValue) map[string]string {
	out := make(map[string]string, len(from))
	for key, value := range from {
		out[key] = string(value)
	}
	return out
}

// drainLadder has its rungs in the order of their times.
func drainLadder(from []fleetwrightv1.DrainRung) []drain.Rung {
	if len(from) == 0 {
		return slices.Clone(defaultLadder)
	}
	var out []drain.Rung
	for _, rung := range from {
		if rung.Action != fleetwrightv1.DrainRungActionNone {
			out = append(out, drain.Rung{Action: drain.RungAction(rung.Action), After: time.Duration(ptr.Deref(rung.AfterSeconds, 0)) * time.Second})
		}
	}
	slices.SortStableFunc(out, func(a, b drain.Rung) int { return int(a.After - b.After) })
	return out
}

func drainDeadline(from fleetwrightv1.DrainDeadline) drain.Deadline {
	return drain.Deadline{Action: drain.DeadlineAction(from.Action), After: time.Duration(from.AfterSeconds) * time.Second}
}
