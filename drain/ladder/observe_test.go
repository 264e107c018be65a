package ladder

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/fleetwright/fleetwright/drain"
)

func TestWhoOwnsTheNumber(t *testing.T) {
	const applied = `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"cart"},"spec":{"replicas":2}}`
	const appliedElse = `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"cart"},"spec":{"minReadySeconds":2}}`
	patch := func(s *shop, manager string, kind types.PatchType, body string) {
		options := metav1.PatchOptions{FieldManager: manager}
		if kind == types.ApplyPatchType {
			force := true
			options.Force = &force
		}
		made(s.t)(server.AppsV1().Deployments(s.namespace).Patch(s.t.Context(), "cart", kind, []byte(body), options))
	}
	tests := map[string]struct {
		write func(*shop)
		want  string
	}{
		"created by hand":    {func(*shop) {}, ""},
		"scaled by hand":     {func(s *shop) { patch(s, "kubectl", types.MergePatchType, `{"spec":{"replicas":4}}`) }, ""},
		"applied with it":    {func(s *shop) { patch(s, "somebody", types.ApplyPatchType, applied) }, "somebody"},
		"applied without it": {func(s *shop) { patch(s, "somebody", types.ApplyPatchType, appliedElse) }, ""},
		"written by Argo":    {func(s *shop) { patch(s, "argocd-controller", types.MergePatchType, `{"spec":{"replicas":4}}`) }, "argocd-controller"},
		"written by Helm":    {func(s *shop) { patch(s, "helm-controller", types.MergePatchType, `{"spec":{"replicas":4}}`) }, "helm-controller"},
		"Argo, something else": {func(s *shop) {
			patch(s, "argocd-controller", types.MergePatchType, `{"spec":{"minReadySeconds":4}}`)
		}, ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			s := open(t, server, 2)
			tc.write(s)
			facts, err := Observe(t.Context(), server, s.id(), s.plan(), climbing(drain.RungScaleUpBudget), noon)
			if err != nil {
				t.Fatal(err)
			}
			if got := facts.Deployments[s.deployment.UID].Manager; got != tc.want {
				t.Errorf("manager %q, want %q", got, tc.want)
			}
		})
	}
}

func TestObserveFindsWhatIsBehindAPod(t *testing.T) {
	s := open(t, server, 2)
	made(t)(server.AutoscalingV2().HorizontalPodAutoscalers(s.namespace).Create(t.Context(), &autoscalingv2.HorizontalPodAutoscaler{
		ObjectMeta: metav1.ObjectMeta{Name: "by-load"},
		Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
			MaxReplicas: 9, ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "cart"},
		},
	}, metav1.CreateOptions{}))
	facts, err := Observe(t.Context(), server, s.id(), s.plan(), climbing(drain.RungScaleUpBudget), noon)
	if err != nil {
		t.Fatal(err)
	}
	d := s.now()
	want := Deployment{
		Object:          Object{APIVersion: "apps/v1", Kind: "Deployment", Namespace: s.namespace, Name: "cart", UID: d.UID},
		ResourceVersion: d.ResourceVersion, Replicas: 2, Surge: 1, Scaler: "by-load", Holding: []types.UID{s.pod.UID},
	}
	if diff := cmp.Diff(want, facts.Deployments[d.UID]); diff != "" {
		t.Errorf("deployment (-want +got):\n%s", diff)
	}
	wantBudget := Budget{MinAvailable: number(2), Healthy: 2, Expected: 2}
	if diff := cmp.Diff(wantBudget, facts.Budgets[s.namespace+"/cart"]); diff != "" {
		t.Errorf("budget (-want +got):\n%s", diff)
	}
}

// TestOnlyPodsThatRunKeepAScaleUp says which pods a Deployment is still scaled up for.
func TestOnlyPodsThatRunKeepAScaleUp(t *testing.T) {
	tests := map[string]struct {
		change  func(*shop)
		holding bool
	}{
		"running": {func(*shop) {}, true},
		"ending": {func(s *shop) {
			made(s.t)(nil, server.CoreV1().Pods(s.namespace).Delete(s.t.Context(), s.pod.Name, metav1.DeleteOptions{}))
		}, false},
		"finished": {func(s *shop) {
			s.pod.Status.Phase = corev1.PodFailed
			made(s.t)(server.CoreV1().Pods(s.namespace).UpdateStatus(s.t.Context(), s.pod, metav1.UpdateOptions{}))
		}, false},
		"of another node": {func(s *shop) { s.node.Name = "elsewhere" }, false},
		"of somebody else": {func(s *shop) {
			s.pod.OwnerReferences[0].UID = "other"
			made(s.t)(server.CoreV1().Pods(s.namespace).Update(s.t.Context(), s.pod, metav1.UpdateOptions{}))
		}, false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			s := open(t, server, 2)
			plan := s.plan()
			tc.change(s)
			plan.Nodes[0].Name = s.node.Name
			facts, err := Observe(t.Context(), server, s.id(), plan, climbing(drain.RungScaleUpBudget), noon)
			if err != nil {
				t.Fatal(err)
			}
			if got := facts.Deployments[s.deployment.UID].Holding; len(got) > 0 != tc.holding {
				t.Errorf("held by %q, want some: %v", got, tc.holding)
			}
		})
	}
}

func TestUnreadableMarks(t *testing.T) {
	good := NewScaledUp(us, 2, 3, noon.Add(time.Hour))
	for label, readable := range map[string]bool{
		good.Label(): true, "": false, "true": false, "2-3-1795438800": false, "2-3-1795438800-": false, "3-2-1795438800-x": false,
		"2-3-soon-x": false, "-2-3-1795438800-x": false, "2-99999999999-1795438800-x": false, "2-3-1795438800-x-y": false,
	} {
		d := slimDeployment(&appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{
			Labels: map[string]string{LabelScaledUp: label}, Annotations: map[string]string{AnnotationScaledUp: us},
		}})
		if d.Unreadable == readable || d.ScaledUp.yes() != readable {
			t.Errorf("label %q: %+v", label, d.ScaledUp)
		}
		if readable && d.ScaledUp != good {
			t.Errorf("label %q: %+v, want %+v", label, d.ScaledUp, good)
		}
	}
	if d := slimDeployment(&appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{AnnotationScaledUp: us}}}); d.ScaledUp.yes() {
		t.Error("an annotation without its label counts")
	}
	if s, ok := readScaledUp(good.Label(), "prod/other"); !ok || s.By != "" || !s.is(us) || s.is("prod/other") {
		t.Errorf("with another's annotation: %+v", s)
	}
	if errs := validation.IsValidLabelValue(NewScaledUp(us, many, many+1, noon).Label()); len(errs) > 0 {
		t.Error(errs)
	}
}

// TestObserveReadsOnlyWhatIsDue counts the requests of each ladder.
func TestObserveReadsOnlyWhatIsDue(t *testing.T) {
	const marked, event, rs, d = "list deployments", "get events", "get replicasets", "get deployments"
	behind := []string{"list replicasets", "list pods", "list horizontalpodautoscalers"}
	tests := map[string]struct {
		policy drain.Policy
		change func(*drain.Blocker)
		want   []string
	}{
		"nothing":   {policy: drain.Policy{Started: started}, want: []string{marked}},
		"notify":    {policy: climbing(drain.RungNotify), want: []string{marked, event, rs}},
		"restart":   {policy: climbing(drain.RungRestartSingleton), want: append([]string{marked, rs, d}, behind...)},
		"scale up":  {policy: climbing(drain.RungScaleUpBudget), want: append(append([]string{marked, rs, d}, behind...), "get poddisruptionbudgets")},
		"not a PDB": {policy: climbing(drain.RungScaleUpBudget), change: because(drain.ReasonFinalizer, "x"), want: []string{marked}},
		"too early": {
			policy: climbing(drain.RungNotify, drain.RungScaleUpBudget), change: func(b *drain.Blocker) { b.Since = ago(time.Second) },
			want: []string{marked},
		},
		"force":      {policy: drain.Policy{Started: started}, change: forceIn30, want: []string{marked, "list poddisruptionbudgets", "list pods"}},
		"quarantine": {policy: drain.Policy{Started: started}, change: ending(drain.DeadlineQuarantine, time.Minute), want: []string{marked, "get nodes"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			client := fake.NewClientset()
			s := open(t, client, 2)
			s.pod.UID, s.pod.OwnerReferences[0].UID = "uid-pod", ""
			plan := s.plan(func(b *drain.Blocker) { b.Controller.UID = "uid-rs" })
			if tc.change != nil {
				tc.change(&plan.Blockers[0])
			}
			giveUIDs(t, s)
			client.ClearActions()
			if _, err := Observe(t.Context(), client, us, plan, tc.policy, noon); err != nil {
				t.Fatal(err)
			}
			got := []string{}
			for _, a := range client.Actions() {
				got = append(got, a.GetVerb()+" "+a.GetResource().Resource)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}

// giveUIDs does what a fake client does not.
func giveUIDs(t *testing.T, s *shop) {
	t.Helper()
	ctx := t.Context()
	d := s.now()
	d.UID = "uid-d"
	made(t)(s.client.AppsV1().Deployments(s.namespace).Update(ctx, d, metav1.UpdateOptions{}))
	rs := made(t)(s.client.AppsV1().ReplicaSets(s.namespace).Get(ctx, "cart-5d4f", metav1.GetOptions{})).(*appsv1.ReplicaSet)
	rs.UID, rs.OwnerReferences[0].UID = "uid-rs", "uid-d"
	made(t)(s.client.AppsV1().ReplicaSets(s.namespace).Update(ctx, rs, metav1.UpdateOptions{}))
}

func TestObserveKnowsNothingAfterAnError(t *testing.T) {
	policy := climbing(drain.RungNotify, drain.RungScaleUpBudget)
	policy.Deadline = drain.Deadline{Action: drain.DeadlineForce}
	for _, resource := range []string{"deployments", "events", "replicasets", "pods", "horizontalpodautoscalers", "poddisruptionbudgets"} {
		client := fake.NewClientset()
		s := open(t, client, 2)
		giveUIDs(t, s)
		client.PrependReactor("*", resource, func(clienttesting.Action) (bool, runtime.Object, error) {
			return true, nil, errors.New("down")
		})
		plan := s.plan(func(b *drain.Blocker) { b.Controller.UID, b.UID, b.Deadline = "uid-rs", "uid-pod", policy.Deadline })
		facts, err := Observe(t.Context(), client, us, plan, policy, noon)
		if err == nil || facts.Drain != "" {
			t.Errorf("%s down: Observe() = %+v, %v", resource, facts, err)
		}
	}
	if _, err := Observe(t.Context(), fake.NewClientset(), us, drain.Plan{}, policy, noon); !errors.Is(err, drain.ErrNoNodes) {
		t.Errorf("Observe() of a plan without nodes = %v", err)
	}
	if _, err := Observe(t.Context(), fake.NewClientset(), "", planOf(), policy, noon); !errors.Is(err, ErrNoDrain) {
		t.Errorf("Observe() without an id = %v", err)
	}
}

func TestAListThatEndsEarlyIsAnError(t *testing.T) {
	client := fake.NewClientset()
	pages := 0
	client.PrependReactor("list", "deployments", func(clienttesting.Action) (bool, runtime.Object, error) {
		if pages++; pages > 1 {
			return true, nil, apierrors.NewResourceExpired("too old")
		}
		return true, &appsv1.DeploymentList{ListMeta: metav1.ListMeta{Continue: "more"}}, nil
	})
	if _, err := Observe(t.Context(), client, us, planOf(), climbing(), noon); !apierrors.IsResourceExpired(err) || pages != 2 {
		t.Errorf("Observe() = %v after %d pages", err, pages)
	}
	if err := PutBackAll(t.Context(), client, us); err == nil {
		t.Error("PutBackAll() with half a list: no error")
	}
}

func TestAutoscalersMayNotBeServed(t *testing.T) {
	client := fake.NewClientset()
	s := open(t, client, 2)
	giveUIDs(t, s)
	client.PrependReactor("list", "horizontalpodautoscalers", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewNotFound(schema.GroupResource{Group: "autoscaling", Resource: "horizontalpodautoscalers"}, "")
	})
	plan := s.plan(func(b *drain.Blocker) { b.Controller.UID = "uid-rs" })
	facts, err := Observe(t.Context(), client, us, plan, climbing(drain.RungScaleUpBudget), noon)
	if err != nil || facts.Deployments["uid-d"].Scaler != "" || len(facts.Deployments) != 1 {
		t.Errorf("Observe() = %+v, %v", facts.Deployments, err)
	}
}
