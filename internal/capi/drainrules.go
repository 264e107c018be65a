package capi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/utils/ptr"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/fleetwright/fleetwright/drain"
)

// ErrInvalidDrainRule is wrapped when a drain rule cannot be understood: only a
// person can go on.
var ErrInvalidDrainRule = errors.New("cannot be understood")

// ReadDrainRules reads the MachineDrainRules that select the nodes of a pool, in
// the order in which they count. None is what an API server has that does not
// know the kind. Hand in a reader past the cache: a rule made a moment ago counts.
//
// They are read as Cluster API reads them, except that a managed pool has no
// Machines: its nodes are selected by the labels that its Machines would have.
func (c Cluster) ReadDrainRules(ctx context.Context, reader client.Reader, pool Pool) ([]drain.Rule, error) {
	var list clusterv1.MachineDrainRuleList
	if err := reader.List(ctx, &list, client.InNamespace(c.Namespace)); err != nil {
		if meta.IsNoMatchError(err) {
			return nil, nil
		}
		return nil, fmt.Errorf("list MachineDrainRules of %s/%s: %w", c.Namespace, c.Name, err)
	}
	slices.SortFunc(list.Items, func(a, b clusterv1.MachineDrainRule) int { return cmp.Compare(a.Name, b.Name) })
	var out []drain.Rule
	for i := range list.Items {
		rule, selects, err := drainRule(&list.Items[i], c.machineLabels(pool), c.Labels)
		if err != nil {
			return nil, err
		}
		if selects {
			out = append(out, rule)
		}
	}
	return out, nil
}

// machineLabels are those that Cluster API gives the Machines of a MachinePool.
func (c Cluster) machineLabels(pool Pool) labels.Set {
	out := labels.Set{}
	maps.Copy(out, pool.MachineLabels)
	out[clusterv1.ClusterNameLabel], out[clusterv1.MachinePoolNameLabel] = c.Name, pool.Object
	return out
}

// drainRule reads all of a rule, so that a broken one is told of also where it
// selects nothing, as Cluster API does.
func drainRule(from *clusterv1.MachineDrainRule, machine, cluster labels.Set) (rule drain.Rule, selects bool, err error) {
	read := selectorReader{rule: from}
	selects = len(from.Spec.Machines) == 0
	for i, m := range from.Spec.Machines {
		// Both are read, whatever the first one says.
		ofMachine := read.selector(m.Selector, "machines", i, "selector")
		ofCluster := read.selector(m.ClusterSelector, "machines", i, "clusterSelector")
		selects = selects || ofMachine.Matches(machine) && ofCluster.Matches(cluster)
	}
	rule = drain.Rule{
		Name: "MachineDrainRule/" + from.Name, Behavior: drain.RuleBehavior(from.Spec.Drain.Behavior), Order: ptr.Deref(from.Spec.Drain.Order, 0),
	}
	for i, p := range from.Spec.Pods {
		rule.Pods = append(rule.Pods, drain.PodSelector{
			Pod: read.selector(p.Selector, "pods", i, "selector"), Namespace: read.selector(p.NamespaceSelector, "pods", i, "namespaceSelector"),
		})
	}
	return rule, selects, read.err
}

// selectorReader reads the selectors of a rule and keeps the first error.
type selectorReader struct {
	rule *clusterv1.MachineDrainRule
	err  error
}

// selector selects everything when it is not set or empty, and nothing when it
// cannot be read.
func (r *selectorReader) selector(from *metav1.LabelSelector, list string, i int, field string) labels.Selector {
	if from == nil {
		return labels.Everything()
	}
	selector, err := metav1.LabelSelectorAsSelector(from)
	if err != nil {
		if r.err == nil {
			r.err = fmt.Errorf("MachineDrainRule %s/%s %w, so nothing is drained: correct spec.%s[%d].%s: %w", r.rule.Namespace, r.rule.Name, ErrInvalidDrainRule, list, i, field, err)
		}
		return labels.Nothing()
	}
	return selector
}
