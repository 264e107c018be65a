package ladder

import (
	"fmt"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/ptr"

	"github.com/fleetwright/fleetwright/drain"
)

// shop is one Deployment with its ReplicaSet, a pod on a node to empty, and a budget that allows nothing, on an API server.
type shop struct {
	t          *testing.T
	client     kubernetes.Interface
	namespace  string
	deployment *appsv1.Deployment
	pod        *corev1.Pod
	node       *corev1.Node
}

// open makes a shop in a namespace and on a node of its own.
func open(t *testing.T, client kubernetes.Interface, replicas int32) *shop {
	t.Helper()
	name := strings.ToLower(strings.NewReplacer("/", "-", "_", "-", " ", "-", ",", "").Replace(t.Name()))
	name = strings.Trim(name[:min(len(name), 50)], "-")
	s := &shop{t: t, client: client, namespace: name}
	ctx := t.Context()
	labels := map[string]string{"app": "cart"}
	template := corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: labels},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "a", Image: "a"}}},
	}
	made(t)(client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{}))
	s.node = made(t)(client.CoreV1().Nodes().Create(ctx, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})).(*corev1.Node)
	s.deployment = made(t)(client.AppsV1().Deployments(name).Create(ctx, &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "cart"},
		Spec:       appsv1.DeploymentSpec{Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: labels}, Template: template},
	}, metav1.CreateOptions{FieldManager: "kubectl"})).(*appsv1.Deployment)
	rs := made(t)(client.AppsV1().ReplicaSets(name).Create(ctx, &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{Name: "cart-5d4f", Labels: labels, OwnerReferences: []metav1.OwnerReference{
			{APIVersion: "apps/v1", Kind: "Deployment", Name: "cart", UID: s.deployment.UID, Controller: ptr.To(true)},
		}},
		Spec: appsv1.ReplicaSetSpec{Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: labels}, Template: template},
	}, metav1.CreateOptions{})).(*appsv1.ReplicaSet)
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "cart-5d4f-1", Labels: labels, OwnerReferences: []metav1.OwnerReference{
		{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: rs.Name, UID: rs.UID, Controller: ptr.To(true)},
	}}, Spec: template.Spec}
	pod.Spec.NodeName, pod.Spec.AutomountServiceAccountToken, pod.Spec.ServiceAccountName = name, ptr.To(false), "default"
	made(t)(client.CoreV1().ServiceAccounts(name).Create(ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "default"}}, metav1.CreateOptions{}))
	s.pod = made(t)(client.CoreV1().Pods(name).Create(ctx, pod, metav1.CreateOptions{})).(*corev1.Pod)
	budget := made(t)(client.PolicyV1().PodDisruptionBudgets(name).Create(ctx, &policyv1.PodDisruptionBudget{
		ObjectMeta: metav1.ObjectMeta{Name: "cart"},
		Spec:       policyv1.PodDisruptionBudgetSpec{MinAvailable: number(replicas), Selector: &metav1.LabelSelector{MatchLabels: labels}},
	}, metav1.CreateOptions{})).(*policyv1.PodDisruptionBudget)
	budget.Status = policyv1.PodDisruptionBudgetStatus{
		ObservedGeneration: budget.Generation, CurrentHealthy: replicas, DesiredHealthy: replicas, ExpectedPods: replicas,
	}
	made(t)(client.PolicyV1().PodDisruptionBudgets(name).UpdateStatus(ctx, budget, metav1.UpdateOptions{}))
	s.rolledOut()
	return s
}

// made fails the test if an object could not be written.
func made(t *testing.T) func(object any, err error) any {
	return func(object any, err error) any {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return object
	}
}

// rolledOut writes the status that the Deployment's controller would write in the end.
func (s *shop) rolledOut() {
	s.t.Helper()
	d := s.now()
	n := *d.Spec.Replicas
	d.Status = appsv1.DeploymentStatus{ObservedGeneration: d.Generation, Replicas: n, UpdatedReplicas: n, ReadyReplicas: n, AvailableReplicas: n}
	s.deployment = made(s.t)(s.client.AppsV1().Deployments(s.namespace).UpdateStatus(s.t.Context(), d, metav1.UpdateOptions{})).(*appsv1.Deployment)
}

func (s *shop) now() *appsv1.Deployment {
	s.t.Helper()
	return made(s.t)(s.client.AppsV1().Deployments(s.namespace).Get(s.t.Context(), "cart", metav1.GetOptions{})).(*appsv1.Deployment)
}

// set changes the Deployment as a person would.
func (s *shop) set(change func(*appsv1.Deployment)) {
	s.t.Helper()
	d := s.now()
	change(d)
	made(s.t)(s.client.AppsV1().Deployments(s.namespace).Update(s.t.Context(), d, metav1.UpdateOptions{FieldManager: "kubectl"}))
}

// plan is what package drain would say of the shop.
func (s *shop) plan(change ...func(*drain.Blocker)) drain.Plan {
	b := drain.Blocker{
		Pod: keyOf(s.pod), UID: s.pod.UID, Node: s.namespace, Nodes: []string{s.namespace}, Pods: 1,
		Reason: drain.ReasonPodDisruptionBudget, Budget: s.namespace + "/cart", Message: "the budget says no", Owner: "Deployment/cart",
		Controller: drain.Controller{Group: "apps", Kind: "ReplicaSet", Name: "cart-5d4f", UID: s.pod.OwnerReferences[0].UID},
		Since:      ago(time.Hour),
	}
	for _, c := range change {
		c(&b)
	}
	return drain.Plan{Blockers: []drain.Blocker{b}, Nodes: []drain.NodeProgress{{Name: s.namespace, Cordoned: true, Remaining: 1}}}
}

// look observes and decides for a drain of this shop alone.
func (s *shop) look(plan drain.Plan, policy drain.Policy) []Step {
	s.t.Helper()
	facts, err := Observe(s.t.Context(), s.client, s.id(), plan, policy, noon)
	if err != nil {
		s.t.Fatal(err)
	}
	return Decide(plan, facts, policy, noon)
}

func (s *shop) id() string { return "prod/" + s.namespace }

func (s *shop) act(step Step) error { return Act(s.t.Context(), s.client, step, nil) }

func (s *shop) size() string {
	d := s.now()
	return fmt.Sprintf("%d %q %q", *d.Spec.Replicas, d.Labels[LabelScaledUp], d.Annotations[AnnotationScaledUp])
}

func keyOf(p *corev1.Pod) types.NamespacedName {
	return types.NamespacedName{Namespace: p.Namespace, Name: p.Name}
}
