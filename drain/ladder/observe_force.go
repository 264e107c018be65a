package ladder

import (
	"context"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
)

// forced reads the pods that may be deleted, the budgets that cover them, and the other pods of their controllers and
// budgets, which tell whether an earlier one is still being replaced. It is two lists per namespace.
func (o *observer) forced(ctx context.Context) error {
	wanted := map[string]map[types.UID]bool{}
	for _, b := range o.plan.Blockers {
		if !forceDue(b, o.now) {
			continue
		}
		if wanted[b.Pod.Namespace] == nil {
			wanted[b.Pod.Namespace] = map[types.UID]bool{}
		}
		wanted[b.Pod.Namespace][b.UID] = true
	}
	for _, namespace := range slices.Sorted(maps.Keys(wanted)) {
		if err := o.forcedIn(ctx, namespace, wanted[namespace]); err != nil {
			return err
		}
	}
	return nil
}

func (o *observer) forcedIn(ctx context.Context, namespace string, wanted map[types.UID]bool) error {
	budgets := map[string]Budget{}
	selectors := map[string]labels.Selector{}
	err := each(ctx, o.client.PolicyV1().PodDisruptionBudgets(namespace).List, metav1.ListOptions{}, func(b *policyv1.PodDisruptionBudget) {
		key := namespace + "/" + b.Name
		budgets[key], selectors[key] = slimBudget(b), selectorOf(b)
	})
	if err != nil {
		return err
	}
	names := slices.Sorted(maps.Keys(selectors))
	var pods, forced []Pod
	err = each(ctx, o.client.CoreV1().Pods(namespace).List, metav1.ListOptions{}, func(p *corev1.Pod) {
		slim := slimPod(p)
		for _, name := range names {
			if selectors[name].Matches(labels.Set(p.Labels)) {
				slim.Budgets = append(slim.Budgets, name)
			}
		}
		if wanted[slim.UID] {
			slim.Wish = wishOf(p, o.now)
			forced = append(forced, slim)
		}
		pods = append(pods, slim)
	})
	if err != nil {
		return err
	}
	controllers, covering := map[types.UID]bool{}, map[string]bool{}
	for _, p := range forced {
		controllers[p.Controller] = p.Controller != ""
		for _, name := range p.Budgets {
			covering[name], o.facts.Budgets[name] = true, budgets[name]
		}
	}
	for _, p := range pods {
		covered := slices.ContainsFunc(p.Budgets, func(name string) bool { return covering[name] })
		if wanted[p.UID] || controllers[p.Controller] || covered {
			o.facts.Pods = append(o.facts.Pods, p)
		}
	}
	return nil
}

// selectorOf treats a broken selector as the API server does: it selects nothing.
func selectorOf(b *policyv1.PodDisruptionBudget) labels.Selector {
	selector, err := metav1.LabelSelectorAsSelector(b.Spec.Selector)
	if err != nil {
		return labels.Nothing()
	}
	return selector
}
