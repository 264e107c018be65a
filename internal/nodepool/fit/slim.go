package fit

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Pods collects the pods of a cluster. It keeps what the scheduler looks at, and that once for all pods that are alike:
// of 30,000 pods of 300 workloads, 300 and the names. The zero value is empty.
type Pods struct {
	list  []Pod
	uids  []types.UID
	alike map[[sha256.Size]byte]*corev1.Pod
	nodes map[string]string
	// claims and byNamespace say what else has to be read.
	claims, byNamespace bool
	err                 error
}

// Add keeps a pod. Left out are those that keep nobody from a place: they have finished, give way to anybody, or wait
// for something else than the default scheduler's word.
func (p *Pods) Add(pod *corev1.Pod) {
	if pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed || givesWay(pod) || waitsForOthers(pod) {
		return
	}
	slim := slimPod(pod)
	raw, err := slim.Marshal()
	if err != nil {
		p.err = fmt.Errorf("compare pod %s/%s: %w", pod.Namespace, pod.Name, err)
		return
	}
	if p.alike == nil {
		p.alike, p.nodes = map[[sha256.Size]byte]*corev1.Pod{}, map[string]string{}
	}
	key := sha256.Sum256(raw)
	shared, found := p.alike[key]
	if !found {
		shared = slim
		p.alike[key] = slim
		p.claims = p.claims || len(slim.Spec.Volumes) > 0
		p.byNamespace = p.byNamespace || looksAtNamespaces(slim)
	}
	node, found := p.nodes[pod.Spec.NodeName]
	if !found {
		node = pod.Spec.NodeName
		p.nodes[node] = node
	}
	_, mirror := pod.Annotations[corev1.MirrorPodAnnotationKey]
	owner := metav1.GetControllerOfNoCopy(pod)
	p.list = append(p.list, Pod{Name: pod.Name, Node: node, Daemon: mirror || owner != nil && owner.Kind == "DaemonSet", Alike: shared})
	p.uids = append(p.uids, pod.UID)
}

// givesWay is true for a pod that only keeps room warm, for an autoscaler: of negative priority, below that of every pod
// that asks for none. It is pushed out by the first pod that needs its place, and itself needs none.
func givesWay(pod *corev1.Pod) bool { return pod.Spec.Priority != nil && *pod.Spec.Priority < 0 }

// waitsForOthers is true for a pod that has no node, and gets none from the scheduler asked here: it is held by a gate,
// is for another scheduler, or for a device, which is what it waits for.
func waitsForOthers(pod *corev1.Pod) bool {
	elsewhere := pod.Spec.SchedulerName != "" && pod.Spec.SchedulerName != corev1.DefaultSchedulerName
	return pod.Spec.NodeName == "" && (len(pod.Spec.SchedulingGates) > 0 || elsewhere || len(pod.Spec.ResourceClaims) > 0)
}

// away are the pods as they will be: those that move and those that end are not where they were.
func (p *Pods) away(of Moves) []Pod {
	kept := make([]Pod, 0, len(p.list))
	for i, pod := range p.list {
		switch {
		case of.Moving[p.uids[i]]:
			pod.Moves = true
		case of.Ending[p.uids[i]]:
			continue
		}
		kept = append(kept, pod)
	}
	return kept
}

// slimPod is what the scheduler's plugins read of a pod, without what only they wish for.
func slimPod(pod *corev1.Pod) *corev1.Pod {
	slim := &corev1.Pod{}
	slim.Namespace, slim.Labels = pod.Namespace, pod.Labels
	if pod.DeletionTimestamp != nil {
		slim.DeletionTimestamp = &metav1.Time{Time: time.Unix(1, 0)} // spreading does not count it
	}
	spec := &slim.Spec
	spec.NodeSelector, spec.Tolerations = pod.Spec.NodeSelector, pod.Spec.Tolerations
	spec.Overhead, spec.Resources, spec.HostNetwork = pod.Spec.Overhead, pod.Spec.Resources, pod.Spec.HostNetwork
	spec.Containers = slimContainers(pod.Spec.Containers)
	spec.InitContainers = slimContainers(pod.Spec.InitContainers)
	spec.Affinity = slimAffinity(pod.Spec.Affinity)
	for _, c := range pod.Spec.TopologySpreadConstraints {
		if c.WhenUnsatisfiable == corev1.DoNotSchedule {
			spec.TopologySpreadConstraints = append(spec.TopologySpreadConstraints, c)
		}
	}
	for _, v := range pod.Spec.Volumes {
		switch {
		case v.PersistentVolumeClaim != nil:
			v = corev1.Volume{Name: v.Name, VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: v.PersistentVolumeClaim}}
		case v.Ephemeral != nil:
			// Its claim is named for the pod.
			slim.Name, slim.UID = pod.Name, pod.UID
			v = corev1.Volume{Name: v.Name, VolumeSource: corev1.VolumeSource{Ephemeral: &corev1.EphemeralVolumeSource{}}}
		default:
			continue
		}
		spec.Volumes = append(spec.Volumes, v)
	}
	return slim
}

func slimContainers(containers []corev1.Container) []corev1.Container {
	var slims []corev1.Container
	for i := range containers {
		c := &containers[i]
		slim := corev1.Container{RestartPolicy: c.RestartPolicy}
		slim.Resources.Requests = c.Resources.Requests
		for _, port := range c.Ports {
			if port.HostPort > 0 {
				slim.Ports = append(slim.Ports, port)
			}
		}
		slims = append(slims, slim)
	}
	return slims
}

func slimAffinity(a *corev1.Affinity) *corev1.Affinity {
	if a == nil {
		return nil
	}
	slim := &corev1.Affinity{}
	if n := a.NodeAffinity; n != nil && n.RequiredDuringSchedulingIgnoredDuringExecution != nil {
		slim.NodeAffinity = &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: n.RequiredDuringSchedulingIgnoredDuringExecution}
	}
	if p := a.PodAffinity; p != nil && len(p.RequiredDuringSchedulingIgnoredDuringExecution) > 0 {
		slim.PodAffinity = &corev1.PodAffinity{RequiredDuringSchedulingIgnoredDuringExecution: p.RequiredDuringSchedulingIgnoredDuringExecution}
	}
	if p := a.PodAntiAffinity; p != nil && len(p.RequiredDuringSchedulingIgnoredDuringExecution) > 0 {
		slim.PodAntiAffinity = &corev1.PodAntiAffinity{RequiredDuringSchedulingIgnoredDuringExecution: p.RequiredDuringSchedulingIgnoredDuringExecution}
	}
	if *slim == (corev1.Affinity{}) {
		return nil
	}
	return slim
}

func looksAtNamespaces(pod *corev1.Pod) bool {
	selects := func(t corev1.PodAffinityTerm) bool { return t.NamespaceSelector != nil }
	a := pod.Spec.Affinity
	return a != nil && (a.PodAffinity != nil && slices.ContainsFunc(a.PodAffinity.RequiredDuringSchedulingIgnoredDuringExecution, selects) ||
		a.PodAntiAffinity != nil && slices.ContainsFunc(a.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution, selects))
}

// slimNode is what the scheduler's plugins read of a node. One that is not Ready, or on its way out, takes no pods; for
// one that is, the taints that say otherwise are about to be taken off.
func slimNode(node *corev1.Node) *corev1.Node {
	slim := &corev1.Node{}
	slim.Name, slim.Labels = node.Name, node.Labels
	slim.Spec.Unschedulable = node.Spec.Unschedulable
	slim.Status.Allocatable = node.Status.Allocatable
	ready := slices.ContainsFunc(node.Status.Conditions, func(c corev1.NodeCondition) bool {
		return c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
	})
	if !ready || node.DeletionTimestamp != nil {
		slim.Spec.Unschedulable = true
	}
	for _, taint := range node.Spec.Taints {
		switch taint.Key {
		case corev1.TaintNodeNotReady, corev1.TaintNodeUnreachable:
			if ready {
				continue
			}
		case corev1.TaintNodeUnschedulable:
			if !node.Spec.Unschedulable {
				continue
			}
		}
		slim.Spec.Taints = append(slim.Spec.Taints, taint)
	}
	return slim
}
