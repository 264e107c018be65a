package fit

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// cluster is a World under construction, from full objects, which become slim as in Observe.
type cluster struct {
	nodes  []*corev1.Node
	pods   []*corev1.Pod
	growth []Growth
	claims []*corev1.PersistentVolumeClaim
	disks  []*corev1.PersistentVolume
	csi    []*storagev1.CSINode
	// emptied nodes' pods move, but for those of DaemonSets.
	emptied []string
}

func (c cluster) world() World {
	var pods Pods
	moves := Moves{Emptied: c.emptied, Moving: map[types.UID]bool{}}
	for _, p := range c.pods {
		pods.Add(p)
		for _, n := range c.emptied {
			if p.Spec.NodeName == n && len(p.OwnerReferences) == 0 {
				moves.Moving[p.UID] = true
			}
		}
	}
	w := World{Emptied: c.emptied, Pods: pods.away(moves), Growth: c.growth, Claims: c.claims, Volumes: c.disks, CSINodes: c.csi}
	for _, n := range c.nodes {
		w.Nodes = append(w.Nodes, slimNode(n))
	}
	return w
}

func (c cluster) check(t *testing.T) Report {
	t.Helper()
	report, err := Check(t.Context(), c.world())
	if err != nil {
		t.Fatalf("Check() = %v", err)
	}
	return report
}

type nodeOption func(*corev1.Node)

// node is a Ready node of two cores and 8 GiB in zone eu-1.
func node(name string, options ...nodeOption) *corev1.Node {
	n := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{corev1.LabelHostname: name, corev1.LabelTopologyZone: "eu-1"}},
		Status: corev1.NodeStatus{
			Allocatable: corev1.ResourceList{"cpu": resource.MustParse("2"), "memory": resource.MustParse("8Gi"), "pods": resource.MustParse("110")},
			Conditions:  []corev1.NodeCondition{{Type: "Ready", Status: "True"}},
		},
	}
	for _, option := range options {
		option(n)
	}
	return n
}

func zone(z string) nodeOption {
	return func(n *corev1.Node) { n.Labels[corev1.LabelTopologyZone] = z }
}

func labelled(key, value string) nodeOption { return func(n *corev1.Node) { n.Labels[key] = value } }

func tainted(key string) nodeOption {
	return func(n *corev1.Node) {
		n.Spec.Taints = append(n.Spec.Taints, corev1.Taint{Key: key, Effect: "NoSchedule"})
	}
}

func cordoned(n *corev1.Node) { n.Spec.Unschedulable = true }

func notReady(n *corev1.Node) { n.Status.Conditions = nil }

type podOption func(*corev1.Pod)

// pod is pod shop/<app>-<i> on a node, labelled app=<app>, which asks for some CPU.
func pod(app string, i int, on, cpu string, options ...podOption) *corev1.Pod {
	name := fmt.Sprintf("%s-%d", app, i)
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, UID: types.UID(name), Labels: map[string]string{"app": app}},
		Spec: corev1.PodSpec{NodeName: on, Containers: []corev1.Container{{
			Name: "main", Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{"cpu": resource.MustParse(cpu)}},
		}}},
		Status: corev1.PodStatus{Phase: "Running"},
	}
	for _, option := range options {
		option(p)
	}
	return p
}

func pods(app string, n int, on, cpu string, options ...podOption) []*corev1.Pod {
	var all []*corev1.Pod
	for i := range n {
		all = append(all, pod(app, i, on, cpu, options...))
	}
	return all
}

func daemon(p *corev1.Pod) {
	p.OwnerReferences = []metav1.OwnerReference{{Kind: "DaemonSet", Name: "logs", Controller: new(true)}}
}

func selects(key, value string) podOption {
	return func(p *corev1.Pod) { p.Spec.NodeSelector = map[string]string{key: value} }
}

func priority(p int32) podOption { return func(pod *corev1.Pod) { pod.Spec.Priority = &p } }

func device(p *corev1.Pod) { p.Spec.ResourceClaims = []corev1.PodResourceClaim{{Name: "gpu"}} }

func scheduledBy(name string) podOption { return func(p *corev1.Pod) { p.Spec.SchedulerName = name } }

// scratch is a generic ephemeral volume; its claim is named for the pod and it.
func scratch(name string) podOption {
	return func(p *corev1.Pod) {
		p.Spec.Volumes = append(p.Spec.Volumes, corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{Ephemeral: &corev1.EphemeralVolumeSource{}}})
	}
}

func claims(name string) podOption {
	return func(p *corev1.Pod) {
		p.Spec.Volumes = append(p.Spec.Volumes, corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{
			PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: name},
		}})
	}
}

func spread(key string, change ...func(*corev1.TopologySpreadConstraint)) podOption {
	return func(p *corev1.Pod) {
		c := corev1.TopologySpreadConstraint{MaxSkew: 1, TopologyKey: key, WhenUnsatisfiable: "DoNotSchedule", LabelSelector: &metav1.LabelSelector{MatchLabels: p.Labels}}
		for _, f := range change {
			f(&c)
		}
		p.Spec.TopologySpreadConstraints = append(p.Spec.TopologySpreadConstraints, c)
	}
}

func apart(key string) podOption {
	return func(p *corev1.Pod) {
		p.Spec.Affinity = &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{
			{TopologyKey: key, LabelSelector: &metav1.LabelSelector{MatchLabels: p.Labels}},
		}}}
	}
}

func beside(app string) podOption {
	return func(p *corev1.Pod) {
		p.Spec.Affinity = &corev1.Affinity{PodAffinity: &corev1.PodAffinity{RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{
			{TopologyKey: corev1.LabelHostname, LabelSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": app}}},
		}}}
	}
}

// disk is a claim bound to a disk of Azure in a zone.
func disk(name, in string) (*corev1.PersistentVolumeClaim, *corev1.PersistentVolume) {
	volume := &corev1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: "pv-" + name}}
	volume.Spec.CSI = &corev1.CSIPersistentVolumeSource{Driver: "disk.csi.azure.com", VolumeHandle: name}
	volume.Spec.NodeAffinity = &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
		MatchExpressions: []corev1.NodeSelectorRequirement{{Key: corev1.LabelTopologyZone, Operator: "In", Values: []string{in}}},
	}}}}
	claim := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name}}
	claim.Spec.VolumeName = volume.Name
	return claim, volume
}

func csiNode(name string, disks int32) *storagev1.CSINode {
	return &storagev1.CSINode{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: storagev1.CSINodeSpec{Drivers: []storagev1.CSINodeDriver{
		{Name: "disk.csi.azure.com", NodeID: name, Allocatable: &storagev1.VolumeNodeResources{Count: &disks}},
	}}}
}

func check[T any](t *testing.T, want, got T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
