package nodepool

import (
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func (a *azure) nodes() []corev1.Node {
	a.t.Helper()
	var list corev1.NodeList
	if err := server.List(a.t.Context(), &list, client.MatchingLabels{"story": a.namespace}); err != nil {
		a.t.Fatal(err)
	}
	return list.Items
}

// podsOn are a node's pods, all of the cluster's for no node.
func (a *azure) podsOn(node string) []corev1.Pod {
	a.t.Helper()
	var list corev1.PodList
	if err := server.List(a.t.Context(), &list, client.InNamespace(a.namespace)); err != nil {
		a.t.Fatal(err)
	}
	return slices.DeleteFunc(list.Items, func(p corev1.Pod) bool { return node != "" && p.Spec.NodeName != node })
}

// schedule is the ReplicaSet controller and the scheduler: it keeps the wanted
// number of pods, each on the emptiest node that takes pods. The disruption
// controller then allows as many evictions as the budget has.
func (a *azure) schedule() {
	a.t.Helper()
	pods := a.podsOn("")
	if len(pods) < a.pods {
		on := map[string]int{}
		for _, p := range pods {
			on[p.Spec.NodeName]++
		}
		var open []string
		for _, n := range a.nodes() {
			if !n.Spec.Unschedulable {
				open = append(open, n.Name)
			}
		}
		for n := len(pods); n < a.pods && len(open) > 0; n++ {
			best := slices.MinFunc(open, func(x, y string) int { return on[x] - on[y] })
			on[best]++
			a.start(best)
			a.changed = true
		}
	}
	if a.budget > 0 {
		a.allow()
	}
}

func (a *azure) start(node string) {
	a.t.Helper()
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			GenerateName: "cart-", Namespace: a.namespace, Labels: map[string]string{"app": "cart"},
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "cart", UID: cmp.Or(a.replicaSet, "rs"), Controller: new(true)}},
		},
		Spec: corev1.PodSpec{
			NodeName: node, TerminationGracePeriodSeconds: new(int64),
			Containers: []corev1.Container{{Name: "c", Image: "cart"}},
		},
	}
	create(a.t, pod)
	pod.Status.Phase = corev1.PodRunning
	pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
	if err := server.Status().Update(a.t.Context(), pod); err != nil {
		a.t.Fatal(err)
	}
}

// allow is the disruption controller.
func (a *azure) allow() {
	a.t.Helper()
	budget := &policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Name: "cart", Namespace: a.namespace}}
	// Evictions between the looks write the status, too.
	err := retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		err := server.Get(a.t.Context(), client.ObjectKeyFromObject(budget), budget)
		if apierrors.IsNotFound(err) {
			budget.Spec = policyv1.PodDisruptionBudgetSpec{
				Selector:       &metav1.LabelSelector{MatchLabels: map[string]string{"app": "cart"}},
				MaxUnavailable: new(intstr.FromInt(a.budget)),
			}
			create(a.t, budget)
		} else if err != nil {
			return err
		}
		budget.Status = policyv1.PodDisruptionBudgetStatus{
			ObservedGeneration: budget.Generation, DisruptionsAllowed: int32(a.budget),
			CurrentHealthy: int32(a.pods), DesiredHealthy: int32(max(a.pods-a.budget, 0)), ExpectedPods: int32(a.pods),
		}
		return server.Status().Update(a.t.Context(), budget)
	})
	if err != nil {
		a.t.Fatal(err)
	}
}

// noPods lets the tenants leave.
func (a *azure) noPods() {
	a.t.Helper()
	a.pods = 0
	for _, p := range a.podsOn("") {
		if err := server.Delete(a.t.Context(), &p); err != nil {
			a.t.Fatal(err)
		}
	}
}
