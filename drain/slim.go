package drain

import (
	"cmp"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/utils/ptr"
)

func slimmed[T, S any](items []T, slim func(*T) S) []S {
	slims := make([]S, 0, len(items))
	for i := range items {
		slims = append(slims, slim(&items[i]))
	}
	return slims
}

func slimNode(node *corev1.Node) Node {
	ready := slices.ContainsFunc(node.Status.Conditions, func(c corev1.NodeCondition) bool {
		return c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
	})
	_, quarantined := node.Labels[LabelQuarantined]
	return Node{Name: node.Name, UID: node.UID, Unschedulable: node.Spec.Unschedulable, Ready: ready, Quarantined: quarantined}
}

func slimPod(pod *corev1.Pod) Pod {
	_, mirror := pod.Annotations[corev1.MirrorPodAnnotationKey]
	p := Pod{
		Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID,
		Node: pod.Spec.NodeName, Labels: pod.Labels,
		Phase: pod.Status.Phase, Created: pod.CreationTimestamp.Time,
		Finalizers: pod.Finalizers, Mirror: mirror,
		DoNotDisrupt: cmp.Or(pod.Annotations[AnnotationDoNotDisrupt], pod.Annotations[AnnotationDoNotDisruptKarpenter]),
		Grace:        time.Duration(ptr.Deref(pod.Spec.TerminationGracePeriodSeconds, corev1.DefaultTerminationGracePeriodSeconds)) * time.Second,
		Ready: slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
			return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
		}),
		ToleratesCordon: slices.ContainsFunc(pod.Spec.Tolerations, toleratesCordon),
		LocalData:       slices.ContainsFunc(pod.Spec.Volumes, func(v corev1.Volume) bool { return v.EmptyDir != nil }),
	}
	if pod.Status.StartTime != nil {
		p.Started = pod.Status.StartTime.Time
	}
	if pod.DeletionTimestamp != nil {
		p.Deadline = pod.DeletionTimestamp.Time
	}
	if ref := metav1.GetControllerOfNoCopy(pod); ref != nil {
		p.Controller = Controller{Kind: ref.Kind, Name: ref.Name, UID: ref.UID}
		if gv, err := schema.ParseGroupVersion(ref.APIVersion); err == nil {
			p.Controller.Group = gv.Group
		}
	}
	return p
}

// toleratesCordon reads a toleration as the scheduler does for the taint that kube-controller-manager gives to a cordoned node,
// which has no value.
func toleratesCordon(t corev1.Toleration) bool {
	anyKey := t.Key == "" && t.Operator == corev1.TolerationOpExists
	return (anyKey || t.Key == corev1.TaintNodeUnschedulable) &&
		(t.Operator == corev1.TolerationOpExists || t.Value == "") &&
		(t.Effect == "" || t.Effect == corev1.TaintEffectNoSchedule)
}

func slimBudget(pdb *policyv1.PodDisruptionBudget) Budget {
	b := Budget{
		Namespace: pdb.Namespace, Name: pdb.Name, Created: pdb.CreationTimestamp.Time,
		Allowed: pdb.Status.DisruptionsAllowed, Healthy: pdb.Status.CurrentHealthy,
		Desired: pdb.Status.DesiredHealthy, Expected: pdb.Status.ExpectedPods,
		Generation: pdb.Generation, ObservedGeneration: pdb.Status.ObservedGeneration,
		Selector: selectorOf(pdb),
	}
	if pdb.Spec.UnhealthyPodEvictionPolicy != nil {
		b.Unhealthy = *pdb.Spec.UnhealthyPodEvictionPolicy
	}
	for pod, at := range pdb.Status.DisruptedPods {
		b.Disrupted = append(b.Disrupted, Disruption{Pod: pod, At: at.Time})
	}
	slices.SortFunc(b.Disrupted, func(x, y Disruption) int { return x.At.Compare(y.At) })
	condition := meta.FindStatusCondition(pdb.Status.Conditions, policyv1.DisruptionAllowedCondition)
	if condition != nil && condition.Status == metav1.ConditionFalse {
		b.BlockedSince = condition.LastTransitionTime.Time
		if condition.Reason == policyv1.SyncFailedReason {
			b.SyncFailure = condition.Message
		}
	}
	return b
}

// selectorOf treats a broken selector as kube-apiserver does: it selects nothing.
func selectorOf(pdb *policyv1.PodDisruptionBudget) labels.Selector {
	selector, err := metav1.LabelSelectorAsSelector(pdb.Spec.Selector)
	if err != nil {
		return labels.Nothing()
	}
	return selector
}
