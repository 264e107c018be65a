package drain

import (
	"context"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
)

// budgets reads the budgets of every namespace that has a pod which might be evicted.
func (o *observer) budgets(ctx context.Context, pods []Pod) ([]Budget, error) {
	namespaces := namespacesOf(pods, o.mayGo)
	var budgets []Budget
	for _, ns := range oneOrAll(namespaces) {
		found, err := listAll(ctx, o.client.PolicyV1().PodDisruptionBudgets(ns).List, metav1.ListOptions{},
			func(page *policyv1.PodDisruptionBudgetList) []Budget { return slimmed(page.Items, slimBudget) })
		if err != nil {
			return nil, err
		}
		budgets = append(budgets, found...)
	}
	return budgets, nil
}

// mayGo says that the pod may be evicted, now or once its do-not-disrupt annotation ends: reading needs no clock.
func (o *observer) mayGo(p Pod) bool {
	p.DoNotDisrupt = ""
	return Classify(p, o.policy, time.Time{}).Behavior == BehaviorEvict
}

// crews adds what paces pods outside budgets: the other pods of their controllers, and how many each wants.
func (o *observer) crews(ctx context.Context, s *Snapshot) error {
	budgets := map[string][]Budget{}
	for _, b := range s.Budgets {
		budgets[b.Namespace] = append(budgets[b.Namespace], b)
	}
	paced := func(p Pod) bool {
		return o.mayGo(p) && p.Controller.UID != "" && len(budgetsOf(p, budgets)) == 0
	}
	controllers := map[types.UID]bool{}
	onNodes := map[types.UID]bool{}
	for _, p := range s.Pods {
		onNodes[p.UID] = true
		if paced(p) {
			controllers[p.Controller.UID] = true
		}
	}
	for _, ns := range oneOrAll(namespacesOf(s.Pods, paced)) {
		owners, err := o.owners(ctx, ns)
		if err != nil {
			return err
		}
		s.Owners = append(s.Owners, filter(owners, func(owner Owner) bool { return controllers[owner.UID] })...)
		elsewhere, err := o.podsOf(ctx, ns)
		if err != nil {
			return err
		}
		s.Pods = append(s.Pods, filter(elsewhere, func(p Pod) bool {
			return controllers[p.Controller.UID] && !onNodes[p.UID]
		})...)
	}
	return nil
}

// oneOrAll replaces many namespaces by the one call for all of them.
func oneOrAll(namespaces []string) []string {
	if len(namespaces) > fewNamespaces {
		return []string{metav1.NamespaceAll}
	}
	return namespaces
}

func (o *observer) podsOf(ctx context.Context, namespace string) ([]Pod, error) {
	if namespace == metav1.NamespaceAll {
		if err := o.readEverything(ctx); err != nil {
			return nil, err
		}
	}
	if o.everything != nil {
		return filter(o.everything, func(p Pod) bool {
			return namespace == metav1.NamespaceAll || p.Namespace == namespace
		}), nil
	}
	return o.listPods(ctx, namespace, "")
}

func (o *observer) owners(ctx context.Context, namespace string) ([]Owner, error) {
	replicaSets, err := listAll(ctx, o.client.AppsV1().ReplicaSets(namespace).List, metav1.ListOptions{},
		func(page *appsv1.ReplicaSetList) []Owner {
			return slimmed(page.Items, func(rs *appsv1.ReplicaSet) Owner {
				return Owner{UID: rs.UID, Desired: ptr.Deref(rs.Spec.Replicas, 1)}
			})
		})
	if err != nil {
		return nil, err
	}
	statefulSets, err := listAll(ctx, o.client.AppsV1().StatefulSets(namespace).List, metav1.ListOptions{},
		func(page *appsv1.StatefulSetList) []Owner {
			return slimmed(page.Items, func(set *appsv1.StatefulSet) Owner {
				return Owner{UID: set.UID, Desired: ptr.Deref(set.Spec.Replicas, 1)}
			})
		})
	return append(replicaSets, statefulSets...), err
}

// daemonSets marks pods whose DaemonSet no longer exists. The list is only read if a pod claims to be of one.
func (o *observer) daemonSets(ctx context.Context, pods []Pod) error {
	claims := func(p Pod) bool { return p.Controller.Kind == "DaemonSet" && p.Controller.Group == "apps" }
	if len(namespacesOf(pods, claims)) == 0 {
		return nil
	}
	uids, err := listAll(ctx, o.client.AppsV1().DaemonSets(metav1.NamespaceAll).List, metav1.ListOptions{},
		func(page *appsv1.DaemonSetList) []types.UID {
			return slimmed(page.Items, func(set *appsv1.DaemonSet) types.UID { return set.UID })
		})
	if err != nil {
		return err
	}
	exists := map[types.UID]bool{}
	for _, uid := range uids {
		exists[uid] = true
	}
	for i := range pods {
		if claims(pods[i]) && !exists[pods[i].Controller.UID] {
			pods[i].Controller.Missing = true
		}
	}
	return nil
}

// namespaces gives the pods the labels of their namespaces, one map per namespace, if a rule selects by them. A namespace
// that is missing is an error: a rule that keeps its pods could not be seen to.
func (o *observer) namespaces(ctx context.Context, pods []Pod) error {
	if !o.policy.selectsNamespaces() || len(pods) == 0 {
		return nil
	}
	found := map[string]map[string]string{}
	_, err := listAll(ctx, o.client.CoreV1().Namespaces().List, metav1.ListOptions{}, func(page *corev1.NamespaceList) []struct{} {
		for _, ns := range page.Items {
			found[ns.Name] = ns.Labels
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i := range pods {
		set, ok := found[pods[i].Namespace]
		if !ok {
			return fmt.Errorf("namespace %s of pod %s was not listed", pods[i].Namespace, pods[i].Name)
		}
		pods[i].NamespaceLabels = set
	}
	return nil
}
