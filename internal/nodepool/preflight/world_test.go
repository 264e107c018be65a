package preflight

import (
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/fleetwright/fleetwright/drain"
)

// noon is the fixed time of every judgement in these tests.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// report is what Look says about node old-1 of a cluster with the objects.
func report(t *testing.T, policy drain.Policy, objects ...runtime.Object) Report {
	t.Helper()
	client := fake.NewClientset(append(objects, node("old-1"))...)
	snapshot, err := Observe(t.Context(), client, []drain.NodeRef{{Name: "old-1"}}, policy)
	if err != nil {
		t.Fatalf("Observe() = %v", err)
	}
	return Look(snapshot, policy, noon)
}

func node(name string) *corev1.Node {
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID("uid-" + name)},
		Status:     corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: "Ready", Status: "True"}}},
	}
}

type podOption func(*corev1.Pod)

// newPod returns ready pod shop/<name> on old-1 of the owner, "Deployment/cart" or "" for none, labelled app=cart.
func newPod(name, owner string, options ...podOption) *corev1.Pod {
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "shop", Name: name, UID: types.UID("uid-" + name), CreationTimestamp: metav1.NewTime(noon.Add(-time.Hour)),
		},
		Spec:   corev1.PodSpec{NodeName: "old-1"},
		Status: corev1.PodStatus{Phase: "Running", Conditions: []corev1.PodCondition{{Type: "Ready", Status: "True"}}},
	}
	if kind, app, owned := strings.Cut(owner, "/"); owned {
		p.Labels = map[string]string{"app": app}
		ref := metav1.OwnerReference{APIVersion: "apps/v1", Kind: kind, Name: app, UID: types.UID("uid-" + app), Controller: new(true)}
		if kind == "Deployment" {
			p.Labels["pod-template-hash"] = "5d4f"
			ref.Kind, ref.Name = "ReplicaSet", app+"-5d4f"
		}
		p.OwnerReferences = []metav1.OwnerReference{ref}
	}
	for _, option := range options {
		option(p)
	}
	return p
}

func label(key, value string) podOption { return func(p *corev1.Pod) { p.Labels[key] = value } }

func notReady(p *corev1.Pod) { p.Status.Conditions = nil }

func on(node string) podOption { return func(p *corev1.Pod) { p.Spec.NodeName = node } }

func grace(seconds int64) podOption {
	return func(p *corev1.Pod) { p.Spec.TerminationGracePeriodSeconds = &seconds }
}

func claim(name string) podOption {
	return func(p *corev1.Pod) {
		p.Spec.Volumes = append(p.Spec.Volumes, corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{
			PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: name},
		}})
	}
}

func selects(label, value string) podOption {
	return func(p *corev1.Pod) { p.Spec.NodeSelector = map[string]string{label: value} }
}

func affinity(change func(*corev1.Affinity)) podOption {
	return func(p *corev1.Pod) {
		p.Spec.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{}, PodAffinity: &corev1.PodAffinity{}, PodAntiAffinity: &corev1.PodAntiAffinity{}}
		change(p.Spec.Affinity)
	}
}

func require(terms ...corev1.NodeSelectorTerm) podOption {
	return affinity(func(a *corev1.Affinity) {
		a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution = &corev1.NodeSelector{NodeSelectorTerms: terms}
	})
}

func term(key string, operator corev1.NodeSelectorOperator, values ...string) corev1.NodeSelectorTerm {
	return corev1.NodeSelectorTerm{MatchExpressions: []corev1.NodeSelectorRequirement{{Key: key, Operator: operator, Values: values}}}
}

// deployment returns the ReplicaSet of Deployment shop/<app> that newPod's pods belong to, and the Deployment, each with
// its own size.
func deployment(app string, replicaSet, desired int32) []runtime.Object {
	return []runtime.Object{
		&appsv1.ReplicaSet{
			ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: app + "-5d4f", UID: types.UID("uid-" + app)},
			Spec:       appsv1.ReplicaSetSpec{Replicas: &replicaSet},
		},
		&appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: app}, Spec: appsv1.DeploymentSpec{Replicas: &desired}},
	}
}

func statefulSet(app string, replicas int32) *appsv1.StatefulSet {
	return &appsv1.StatefulSet{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: app, UID: types.UID("uid-" + app)},
		Spec:       appsv1.StatefulSetSpec{Replicas: &replicas},
	}
}

func daemonSet(app string) *appsv1.DaemonSet {
	return &appsv1.DaemonSet{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: app, UID: types.UID("uid-" + app)}}
}

// budget returns PodDisruptionBudget shop/<name> over app=<app>.
func budget(name, app string, allowed, healthy, desired, expected int32) *policyv1.PodDisruptionBudget {
	return &policyv1.PodDisruptionBudget{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name},
		Spec:       policyv1.PodDisruptionBudgetSpec{Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": app}}},
		Status: policyv1.PodDisruptionBudgetStatus{
			DisruptionsAllowed: allowed, CurrentHealthy: healthy, DesiredHealthy: desired, ExpectedPods: expected,
		},
	}
}

// boundClaim returns claim shop/<name> bound to volume pv-<name> whose node affinity has the terms.
func boundClaim(name string, mode corev1.PersistentVolumeAccessMode, terms ...corev1.NodeSelectorTerm) []runtime.Object {
	volume := &corev1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: "pv-" + name}}
	if len(terms) > 0 {
		volume.Spec.NodeAffinity = &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{NodeSelectorTerms: terms}}
	}
	return []runtime.Object{volume, &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name},
		Spec:       corev1.PersistentVolumeClaimSpec{VolumeName: "pv-" + name, AccessModes: []corev1.PersistentVolumeAccessMode{mode}},
	}}
}

// objects joins single objects and lists of them.
func objects(parts ...any) []runtime.Object {
	var all []runtime.Object
	for _, part := range parts {
		switch part := part.(type) {
		case []runtime.Object:
			all = append(all, part...)
		case runtime.Object:
			all = append(all, part)
		}
	}
	return all
}
