package ladder

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/utils/ptr"
	"pgregory.net/rapid"

	"github.com/fleetwright/fleetwright/drain"
)

// world is a cluster whose Deployments all run on one old node. It does, at each tick, what the controllers, the scheduler
// and a drain would have done by then: pods are made and taken away, budgets are counted, and a pod that a budget lets go
// moves to the new node. What the ladder reads and writes goes through a client.
type world struct {
	client kubernetes.Interface
	apps   []*app
	now    time.Time
	next   int
}

type app struct {
	name   string
	budget Budget
	pods   []*corev1.Pod
	// replicas is how many there were in the beginning.
	replicas int32
	// template is the restart that its pods were made after, and set the name of their ReplicaSet.
	template, set string
	// slow says that its new pods never become ready.
	slow bool
}

func (w *world) must(_ any, err error) {
	if err != nil {
		panic(err)
	}
}

func drawWorld(t *rapid.T) *world {
	w := &world{client: fake.NewClientset(), now: noon}
	ctx := context.Background()
	for _, node := range []string{"old", "new"} {
		w.must(w.client.CoreV1().Nodes().Create(ctx, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: node, UID: types.UID(node)}}, metav1.CreateOptions{}))
	}
	for i := range rapid.IntRange(1, 3).Draw(t, "apps") {
		w.open(t, fmt.Sprintf("app-%d", i))
	}
	w.tick()
	return w
}

func (w *world) open(t *rapid.T, name string) {
	ctx := context.Background()
	a := &app{name: name, slow: rapid.IntRange(0, 4).Draw(t, "slow") == 0}
	limit := drawLimit(t, "budget")
	if rapid.Bool().Draw(t, "maxUnavailable") {
		a.budget.MaxUnavailable = limit
	} else {
		a.budget.MinAvailable = limit
	}
	replicas := rapid.Int32Range(1, 4).Draw(t, "replicas")
	a.replicas = replicas
	d := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, UID: types.UID("d-" + name), Labels: map[string]string{"team": "x"}},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": name}},
			Strategy: appsv1.DeploymentStrategy{RollingUpdate: &appsv1.RollingUpdateDeployment{
				MaxSurge: drawLimit(t, "maxSurge"), MaxUnavailable: drawLimit(t, "maxUnavailable"),
			}},
		},
	}
	w.must(w.client.AppsV1().Deployments("shop").Create(ctx, d, metav1.CreateOptions{}))
	if rapid.IntRange(0, 4).Draw(t, "gitops") == 0 {
		applied := fmt.Sprintf(`{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":%q},"spec":{"replicas":%d}}`, name, replicas)
		w.must(w.client.AppsV1().Deployments("shop").Patch(ctx, name, types.ApplyPatchType, []byte(applied),
			metav1.PatchOptions{FieldManager: "flux", Force: ptr.To(true)}))
	}
	if rapid.IntRange(0, 4).Draw(t, "hpa") == 0 {
		w.must(w.client.AutoscalingV2().HorizontalPodAutoscalers("shop").Create(ctx, &autoscalingv2.HorizontalPodAutoscaler{
			ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name},
			Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
				ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{Kind: "Deployment", Name: name},
			},
		}, metav1.CreateOptions{}))
	}
	w.must(w.client.PolicyV1().PodDisruptionBudgets("shop").Create(ctx, &policyv1.PodDisruptionBudget{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name},
		Spec: policyv1.PodDisruptionBudgetSpec{
			MinAvailable: a.budget.MinAvailable, MaxUnavailable: a.budget.MaxUnavailable,
			Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": name}},
		},
	}, metav1.CreateOptions{}))
	w.apps = append(w.apps, a)
	w.replicaSet(a)
	for range replicas {
		w.start(a, "old", true)
	}
}

func drawLimit(t *rapid.T, label string) *intstr.IntOrString {
	if rapid.Bool().Draw(t, label+" in percent") {
		return percent(rapid.SampledFrom([]string{"0%", "25%", "50%", "90%", "100%"}).Draw(t, label))
	}
	return number(rapid.Int32Range(0, 4).Draw(t, label))
}

func (w *world) replicaSet(a *app) {
	name := fmt.Sprintf("%s-%d", a.name, w.next)
	a.set = name
	w.must(w.client.AppsV1().ReplicaSets("shop").Create(context.Background(), &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "shop", Name: name, UID: types.UID("rs-" + a.name + a.template), Labels: map[string]string{"app": a.name},
			CreationTimestamp: metav1.NewTime(w.now),
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: "apps/v1", Kind: "Deployment", Name: a.name, UID: types.UID("d-" + a.name), Controller: ptr.To(true),
			}},
		},
		Spec: appsv1.ReplicaSetSpec{Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{
			Annotations: map[string]string{AnnotationRestarted: a.template},
		}}},
	}, metav1.CreateOptions{}))
	w.next++
}

func (w *world) start(a *app, node string, ready bool) {
	w.next++
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "shop", Name: fmt.Sprintf("%s-%03d", a.name, w.next), UID: types.UID(fmt.Sprint("pod-", w.next)), ResourceVersion: "1",
			Labels: map[string]string{"app": a.name}, CreationTimestamp: metav1.NewTime(w.now),
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: "apps/v1", Kind: "ReplicaSet", Name: a.set, UID: types.UID("rs-" + a.name + a.template), Controller: ptr.To(true),
			}},
		},
		Spec: corev1.PodSpec{NodeName: node},
	}
	if ready {
		p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
	}
	w.must(w.client.CoreV1().Pods("shop").Create(context.Background(), p, metav1.CreateOptions{}))
	a.pods = append(a.pods, p)
}

func (w *world) stop(a *app, i int) {
	w.must(nil, w.client.CoreV1().Pods("shop").Delete(context.Background(), a.pods[i].Name, metav1.DeleteOptions{}))
	a.pods = append(a.pods[:i:i], a.pods[i+1:]...)
}

func (w *world) deployment(a *app) *appsv1.Deployment {
	d, err := w.client.AppsV1().Deployments("shop").Get(context.Background(), a.name, metav1.GetOptions{})
	w.must(nil, err)
	return d
}

// tick lets everybody else do their work.
func (w *world) tick() {
	w.now = w.now.Add(time.Minute)
	ctx := context.Background()
	for _, a := range w.apps {
		w.sync(a)
		d := w.deployment(a)
		if n := int32(len(a.pods)); d.Status.Replicas != n {
			d.Status.Replicas, d.Status.UpdatedReplicas = n, n
			w.must(w.client.AppsV1().Deployments("shop").UpdateStatus(ctx, d, metav1.UpdateOptions{}))
		}
		w.count(a)
		b, err := w.client.PolicyV1().PodDisruptionBudgets("shop").Get(ctx, a.name, metav1.GetOptions{})
		w.must(nil, err)
		before := b.Status
		b.Status.DisruptionsAllowed, b.Status.CurrentHealthy, b.Status.ExpectedPods = a.budget.Allowed, a.budget.Healthy, a.budget.Expected
		if !equality.Semantic.DeepEqual(before, b.Status) { // each write costs a fake client milliseconds
			w.must(w.client.PolicyV1().PodDisruptionBudgets("shop").UpdateStatus(ctx, b, metav1.UpdateOptions{}))
		}
	}
}

// sync is what the controllers of Deployments and ReplicaSets do: all pods anew after a restart, as many as wanted, and the
// pods that are not ready, or else the youngest, go first. Pods that were deleted through the client are gone.
func (w *world) sync(a *app) {
	d := w.deployment(a)
	kept := a.pods[:0:0]
	for _, p := range a.pods {
		if _, err := w.client.CoreV1().Pods("shop").Get(context.Background(), p.Name, metav1.GetOptions{}); err == nil {
			kept = append(kept, p)
		}
	}
	a.pods = kept
	if restarted := d.Spec.Template.Annotations[AnnotationRestarted]; restarted != a.template {
		a.template = restarted
		w.replicaSet(a)
		for len(a.pods) > 0 {
			w.stop(a, 0)
		}
	}
	for len(a.pods) < int(*d.Spec.Replicas) {
		w.start(a, "new", !a.slow)
	}
	for len(a.pods) > int(*d.Spec.Replicas) {
		w.stop(a, len(a.pods)-1)
	}
}

func (w *world) count(a *app) {
	a.budget.Expected, a.budget.Healthy = int32(len(a.pods)), 0
	for _, p := range a.pods {
		if len(p.Status.Conditions) > 0 {
			a.budget.Healthy++
		}
	}
	needed, _ := a.budget.needed(int(a.budget.Expected))
	a.budget.Allowed = max(0, a.budget.Healthy-int32(needed))
}

// plan evicts what budgets let go, one pod each, and names what stays.
func (w *world) plan(policy drain.Policy) drain.Plan {
	plan := drain.Plan{Nodes: []drain.NodeProgress{{Name: "old", Cordoned: true}}}
	for _, a := range w.apps {
		for i, p := range a.pods {
			if p.Spec.NodeName != "old" {
				continue
			}
			if a.budget.Allowed > 0 {
				w.stop(a, i)
				break
			}
			plan.Nodes[0].Remaining++
			plan.Blockers = append(plan.Blockers, drain.Blocker{
				Pod: keyOf(p), UID: p.UID, Node: "old", Nodes: []string{"old"}, Pods: 1, Reason: drain.ReasonPodDisruptionBudget,
				Budget: "shop/" + a.name, Owner: "Deployment/" + a.name, Message: "no", Since: started, Deadline: policy.Deadline,
				Controller: drain.Controller{Group: "apps", Kind: "ReplicaSet", Name: a.set, UID: p.OwnerReferences[0].UID},
			})
			break
		}
	}
	plan.Nodes[0].Empty = len(plan.Blockers) == 0
	return plan
}

// snapshot is what a drain must leave as it found it: everything of the Deployments but the marks of a restart, and the nodes' marks.
func (w *world) snapshot() string {
	ctx := context.Background()
	var seen []any
	for _, a := range w.apps {
		d := w.deployment(a)
		delete(d.Spec.Template.Annotations, AnnotationRestarted)
		if len(d.Spec.Template.Annotations) == 0 {
			d.Spec.Template.Annotations = nil
		}
		delete(d.Labels, LabelRestarted)
		if len(d.Annotations) == 0 {
			d.Annotations = nil
		}
		seen = append(seen, d.Labels, d.Annotations, d.Spec)
	}
	n, err := w.client.CoreV1().Nodes().Get(ctx, "old", metav1.GetOptions{})
	w.must(nil, err)
	raw, err := json.Marshal(append(seen, len(n.Labels), len(n.Annotations)))
	w.must(nil, err)
	return string(raw)
}
