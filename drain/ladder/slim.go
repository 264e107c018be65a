package ladder

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/fleetwright/fleetwright/drain"
)

func slimDeployment(d *appsv1.Deployment) Deployment {
	slim := Deployment{
		Object:          Object{APIVersion: "apps/v1", Kind: "Deployment", Namespace: d.Namespace, Name: d.Name, UID: d.UID},
		ResourceVersion: d.ResourceVersion,
		Replicas:        ptr.Deref(d.Spec.Replicas, 1),
		Paused:          d.Spec.Paused,
		Recreate:        d.Spec.Strategy.Type == appsv1.RecreateDeploymentStrategyType,
		Restarted:       d.Spec.Template.Annotations[AnnotationRestarted],
		Manager:         replicasManager(d.ManagedFields),
	}
	s := d.Status
	slim.RollingOut = s.ObservedGeneration < d.Generation || s.UpdatedReplicas < slim.Replicas || s.Replicas > s.UpdatedReplicas
	if rolling := d.Spec.Strategy.RollingUpdate; rolling != nil {
		slim.Surge, slim.Unavailable = fenceposts(rolling.MaxSurge, rolling.MaxUnavailable, int(slim.Replicas))
	} else {
		slim.Unavailable = int(slim.Replicas)
	}
	if _, marked := d.Labels[LabelScaledUp]; marked {
		var readable bool
		slim.ScaledUp, readable = readScaledUp(d.Labels[LabelScaledUp], d.Annotations[AnnotationScaledUp])
		slim.Unreadable = !readable
	}
	slim.RestartedFor, slim.RestartedAt = readRestarted(d.Labels[LabelRestarted])
	if owner := metav1.GetControllerOfNoCopy(d); owner != nil {
		slim.Owner = owner.Kind + " " + owner.Name
	}
	return slim
}

// gitOps are the managers that put back what Git says, whichever way they write it.
var gitOps = []string{"argocd-controller", "kustomize-controller", "helm-controller"}

// replicasManager returns who would put spec.replicas back: a manager that applies it, or a known GitOps tool.
func replicasManager(entries []metav1.ManagedFieldsEntry) string {
	for _, e := range entries {
		applies := e.Operation == metav1.ManagedFieldsOperationApply && !strings.HasPrefix(e.Manager, FieldManager)
		if (applies || slices.Contains(gitOps, e.Manager)) && ownsReplicas(e.FieldsV1) {
			return e.Manager
		}
	}
	return ""
}

func ownsReplicas(fields *metav1.FieldsV1) bool {
	if fields == nil {
		return false
	}
	var owned struct {
		Spec map[string]json.RawMessage `json:"f:spec"`
	}
	if err := json.Unmarshal(fields.GetRawBytes(), &owned); err != nil {
		return true // whoever wrote this, it is not known to leave the number alone
	}
	_, owns := owned.Spec["f:replicas"]
	return owns
}

func slimPod(p *corev1.Pod) Pod {
	slim := Pod{
		Name: p.Name, UID: p.UID, ResourceVersion: p.ResourceVersion, Created: p.CreationTimestamp.Time,
		Finished: p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed,
	}
	_, slim.Mirror = p.Annotations[corev1.MirrorPodAnnotationKey]
	if controller := metav1.GetControllerOfNoCopy(p); controller != nil {
		slim.Controller = controller.UID
	}
	if p.DeletionTimestamp != nil {
		slim.Deadline = p.DeletionTimestamp.Time
	}
	for _, c := range p.Status.Conditions {
		slim.Ready = slim.Ready || c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	}
	return slim
}

// wishOf is what the pod's own label or annotation asks for, whatever the policy's rules say.
func wishOf(p *corev1.Pod, now time.Time) string {
	slim := drain.Pod{
		Labels: p.Labels, Created: p.CreationTimestamp.Time,
		DoNotDisrupt: cmp.Or(p.Annotations[drain.AnnotationDoNotDisrupt], p.Annotations[drain.AnnotationDoNotDisruptKarpenter]),
	}
	if p.Status.StartTime != nil {
		slim.Started = p.Status.StartTime.Time
	}
	switch drain.Classify(slim, drain.Policy{Unmanaged: drain.UnmanagedEvict}, now).Behavior {
	case drain.BehaviorSkip, drain.BehaviorWaitCompleted:
		return "its label " + drain.LabelDrain + " is " + p.Labels[drain.LabelDrain]
	case drain.BehaviorDoNotDisrupt:
		return "it asks not to be disrupted, by annotation"
	default:
		return ""
	}
}

func slimNode(n *corev1.Node) Node {
	_, quarantined := n.Labels[drain.LabelQuarantined]
	return Node{UID: n.UID, ResourceVersion: n.ResourceVersion, Quarantined: quarantined, By: n.Annotations[AnnotationQuarantinedBy]}
}
