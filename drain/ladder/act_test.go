package ladder

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fleetwright/fleetwright/drain"
)

// TestScaleUpAndPutBackOnAServer is the whole way, with each write refused once something has changed.
func TestScaleUpAndPutBackOnAServer(t *testing.T) {
	s := open(t, server, 2)
	policy := climbing(drain.RungScaleUpBudget)
	steps := s.look(s.plan(), policy)
	if diff := cmp.Diff([]string{strings.ReplaceAll(scales, "shop/", s.namespace+"/")}, only(steps)); diff != "" {
		t.Fatalf("steps (-want +got):\n%s", diff)
	}

	s.set(func(d *appsv1.Deployment) { d.Spec.MinReadySeconds = 5 })
	if err := s.act(steps[0]); !apierrors.IsConflict(err) {
		t.Errorf("Act() on a changed Deployment = %v, want a conflict", err)
	}
	if got := s.size(); got != `2 "" ""` {
		t.Errorf("after a conflict the Deployment is %s", got)
	}

	s.rolledOut()
	steps = s.look(s.plan(), policy)
	if err := s.act(steps[0]); err != nil {
		t.Fatal(err)
	}
	if got := s.size(); !strings.HasPrefix(got, fmt.Sprintf(`3 %q "prod/`, NewScaledUp(s.id(), 2, 3, noon.Add(24*time.Hour)).Label())) {
		t.Errorf("the Deployment is %s", got)
	}
	if err := s.act(steps[0]); !apierrors.IsConflict(err) || !strings.HasPrefix(s.size(), "3 ") {
		t.Errorf("the same step again = %v and %s, want a conflict and nothing else", err, s.size())
	}
	if got := only(s.look(s.plan(), policy)); len(got) != 1 || !strings.HasPrefix(got[0], "Standing: ") {
		t.Errorf("while the pod is there: %q", got)
	}

	made(t)(nil, server.CoreV1().Pods(s.namespace).Delete(t.Context(), s.pod.Name, metav1.DeleteOptions{GracePeriodSeconds: new(int64)}))
	steps = s.look(s.plan(), policy)
	if len(steps) != 1 || steps[0].Action != ActionPutBack || len(Outstanding(steps)) != 1 {
		t.Fatalf("when the pod is gone: %q", only(steps))
	}
	if err := s.act(steps[0]); err != nil {
		t.Fatal(err)
	}
	if got := s.size(); got != `2 "" ""` {
		t.Errorf("put back, the Deployment is %s", got)
	}
	if err := s.act(steps[0]); !apierrors.IsConflict(err) {
		t.Errorf("putting back again = %v, want a conflict", err)
	}
	if got := only(s.look(s.plan(), policy)); len(got) > 0 {
		t.Errorf("in the end: %q", got)
	}
}

func TestRestartOnAServer(t *testing.T) {
	s := open(t, server, 1)
	policy := climbing(drain.RungRestartSingleton)
	steps := s.look(s.plan(), policy)
	if got := only(steps); len(got) != 1 || !strings.HasPrefix(got[0], "RestartSingleton: ") {
		t.Fatalf("steps %q", got)
	}
	s.set(func(d *appsv1.Deployment) { d.Spec.Paused = true })
	if err := s.act(steps[0]); !apierrors.IsConflict(err) || s.now().Spec.Template.Annotations != nil {
		t.Errorf("Act() on a changed Deployment = %v with %v", err, s.now().Spec.Template.Annotations)
	}
	s.set(func(d *appsv1.Deployment) { d.Spec.Paused = false })
	s.rolledOut()
	before := s.now().Generation
	steps = s.look(s.plan(), policy)
	if err := s.act(steps[0]); err != nil {
		t.Fatal(err)
	}
	d := s.now()
	if d.Spec.Template.Annotations[AnnotationRestarted] != "2026-11-23T07:00:00Z" || d.Generation != before+1 {
		t.Errorf("template %v, generation %d after %d", d.Spec.Template.Annotations, d.Generation, before)
	}
	facts, err := Observe(t.Context(), server, s.id(), s.plan(), policy, noon)
	if err != nil {
		t.Fatal(err)
	}
	if got := facts.Deployments[d.UID]; !got.RollingOut || got.Restarted == "" || !got.RestartRuns.IsZero() {
		t.Errorf("facts %+v", got)
	}
	if got := only(Decide(s.plan(), facts, policy, noon)); len(got) > 0 {
		t.Errorf("while it rolls out: %q", got)
	}
}

func TestQuarantineOnAServer(t *testing.T) {
	s := open(t, server, 2)
	policy := drain.Policy{Started: started, Deadline: drain.Deadline{Action: drain.DeadlineQuarantine, After: time.Minute}}
	plan := s.plan(func(b *drain.Blocker) { b.Deadline = policy.Deadline })
	steps := s.look(plan, policy)
	if len(steps) != 1 || steps[0].Action != ActionQuarantine {
		t.Fatalf("steps %q", only(steps))
	}
	wrong := steps[0]
	wrong.Object.UID, wrong.Patch = "x", quarantinePatch(Node{UID: "x", ResourceVersion: s.nodeNow().ResourceVersion}, "y", us)
	if err := s.act(wrong); !errors.Is(err, drain.ErrNodeReplaced) {
		t.Errorf("Act() on another node = %v", err)
	}
	n := s.nodeNow()
	n.Labels = map[string]string{"mine": "yes"}
	made(t)(server.CoreV1().Nodes().Update(t.Context(), n, metav1.UpdateOptions{}))
	if err := s.act(steps[0]); !apierrors.IsConflict(err) || errors.Is(err, drain.ErrNodeReplaced) {
		t.Errorf("Act() on a changed node = %v, want a conflict", err)
	}
	n = s.nodeNow()
	n.Labels = nil
	made(t)(server.CoreV1().Nodes().Update(t.Context(), n, metav1.UpdateOptions{}))
	if err := s.act(s.look(plan, policy)[0]); err != nil {
		t.Fatal(err)
	}
	if n := s.nodeNow(); n.Labels[drain.LabelQuarantined] != "PodDisruptionBudget" || n.Annotations[AnnotationQuarantinedBy] != s.id() {
		t.Errorf("node has %v and %v", n.Labels, n.Annotations)
	}
	if got := s.look(plan, policy); len(got) > 0 {
		t.Errorf("steps for a node that was given up: %q", only(got))
	}
	plan.Blockers, plan.Nodes[0].Quarantined, plan.Nodes[0].Empty = nil, true, true
	steps = s.look(plan, policy)
	if len(steps) != 1 || steps[0].Action != ActionUnquarantine {
		t.Fatalf("steps for an empty node: %q", only(steps))
	}
	if err := s.act(steps[0]); err != nil {
		t.Fatal(err)
	}
	if n := s.nodeNow(); len(n.Labels)+len(n.Annotations) > 0 {
		t.Errorf("node has %v and %v", n.Labels, n.Annotations)
	}
}

func (s *shop) nodeNow() *corev1.Node {
	s.t.Helper()
	return made(s.t)(s.client.CoreV1().Nodes().Get(s.t.Context(), s.namespace, metav1.GetOptions{})).(*corev1.Node)
}

func TestForceOnAServer(t *testing.T) {
	s := open(t, server, 2)
	policy := drain.Policy{Started: started}
	steps := s.look(s.plan(ending(drain.DeadlineForce, time.Minute)), policy)
	if len(steps) != 1 || steps[0].Action != ActionForce {
		t.Fatalf("steps %q", only(steps))
	}
	another, nobody, anyhow := steps[0], steps[0], steps[0]
	another.Object.UID, nobody.Object.UID, anyhow.ResourceVersion = "x", "", ""
	if err := s.act(another); !apierrors.IsConflict(err) {
		t.Errorf("Act() for a pod that was replaced = %v, want a conflict", err)
	}
	if err := s.act(nobody); err == nil {
		t.Error("Act() without the pod's uid: no error")
	}
	if err := s.act(anyhow); err == nil {
		t.Error("Act() without the pod's version: no error")
	}
	p := made(t)(server.CoreV1().Pods(s.namespace).Get(t.Context(), s.pod.Name, metav1.GetOptions{})).(*corev1.Pod)
	p.Annotations = map[string]string{drain.AnnotationDoNotDisrupt: "true"}
	made(t)(server.CoreV1().Pods(s.namespace).Update(t.Context(), p, metav1.UpdateOptions{}))
	if err := s.act(steps[0]); !apierrors.IsConflict(err) {
		t.Errorf("Act() for a pod that has changed = %v, want a conflict", err)
	}
	if got := only(s.look(s.plan(ending(drain.DeadlineForce, time.Minute)), policy)); len(got) != 1 || !strings.Contains(got[0], "asks not to be disrupted") {
		t.Errorf("steps for a pod that asks not to be disrupted: %q", got)
	}
	p.Annotations = nil
	p.ResourceVersion = ""
	made(t)(server.CoreV1().Pods(s.namespace).Update(t.Context(), p, metav1.UpdateOptions{}))
	steps = s.look(s.plan(ending(drain.DeadlineForce, time.Minute)), policy)
	p = made(t)(server.CoreV1().Pods(s.namespace).Get(t.Context(), s.pod.Name, metav1.GetOptions{})).(*corev1.Pod)
	if p.DeletionTimestamp != nil {
		t.Fatal("another pod's step deleted it")
	}
	if err := s.act(steps[0]); err != nil {
		t.Fatal(err)
	}
	p = made(t)(server.CoreV1().Pods(s.namespace).Get(t.Context(), s.pod.Name, metav1.GetOptions{})).(*corev1.Pod)
	if p.DeletionTimestamp == nil || *p.DeletionGracePeriodSeconds != 30 {
		t.Errorf("deleted at %v with %v seconds, want the pod's own 30", p.DeletionTimestamp, p.DeletionGracePeriodSeconds)
	}
	if got := s.look(s.plan(ending(drain.DeadlineForce, time.Minute)), policy); len(got) > 0 {
		t.Errorf("steps for a pod that is ending: %q", only(got))
	}
}

// listener counts what it is told, and fails if it has an error.
type listener struct {
	told []Notice
	err  error
}

func (l *listener) Notify(_ context.Context, n Notice) error {
	l.told = append(l.told, n)
	return l.err
}

func TestNotifyOnAServer(t *testing.T) {
	s := open(t, server, 2)
	policy := climbing(drain.RungNotify)
	steps := s.look(s.plan(), policy)
	if len(steps) != 1 || steps[0].Action != ActionNotify {
		t.Fatalf("steps %q", only(steps))
	}
	l := &listener{err: errors.New("deaf")}
	if err := Act(t.Context(), server, steps[0], l); err == nil || !strings.Contains(err.Error(), "deaf") {
		t.Errorf("Act() = %v, want the notifier's error", err)
	}
	if err := Act(t.Context(), server, steps[0], l); err != nil || len(l.told) != 1 {
		t.Errorf("the same step again = %v, told %d times", err, len(l.told))
	}
	e := made(t)(server.CoreV1().Events(s.namespace).Get(t.Context(), steps[0].Event.Name, metav1.GetOptions{})).(*corev1.Event)
	if e.InvolvedObject.UID != s.deployment.UID || e.InvolvedObject.Kind != "Deployment" {
		t.Errorf("event about %+v", e.InvolvedObject)
	}
	if got := s.look(s.plan(), policy); len(got) > 0 {
		t.Errorf("told again: %q", only(got))
	}
	facts, err := Observe(t.Context(), server, s.id(), s.plan(), policy, noon.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if got := Decide(s.plan(), facts, policy, noon.Add(time.Hour)); len(got) != 1 || got[0].Notice.Count != 2 {
		t.Errorf("an hour later: %q", only(got))
	}
}

func TestPutBackAllTakesOnlyItsOwn(t *testing.T) {
	s := open(t, server, 2)
	put := func(by string) {
		s.set(func(d *appsv1.Deployment) {
			*d.Spec.Replicas = 3
			d.Labels = map[string]string{LabelScaledUp: NewScaledUp(by, 2, 3, noon.Add(time.Hour)).Label()}
		})
		n := s.nodeNow()
		n.Labels, n.Annotations = map[string]string{drain.LabelQuarantined: "x"}, map[string]string{AnnotationQuarantinedBy: by}
		made(t)(server.CoreV1().Nodes().Update(t.Context(), n, metav1.UpdateOptions{}))
	}
	put("prod/other")
	if err := PutBackAll(t.Context(), server, s.id()); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(s.size(), `3 "2-3-`) || s.nodeNow().Labels[drain.LabelQuarantined] != "x" {
		t.Errorf("another drain's was put back: %s, node %v", s.size(), s.nodeNow().Labels)
	}
	put(s.id())
	for range 2 {
		if err := PutBackAll(t.Context(), server, s.id()); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.size(); got != `2 "" ""` || len(s.nodeNow().Labels) > 0 {
		t.Errorf("not put back: %s, node %v", got, s.nodeNow().Labels)
	}
	if err := PutBackAll(t.Context(), server, ""); !errors.Is(err, ErrNoDrain) {
		t.Errorf("PutBackAll() without an id = %v", err)
	}
}

func TestActOnWhatIsGone(t *testing.T) {
	for _, step := range []Step{
		{Action: ActionRestart, Object: Object{Kind: "Deployment", Namespace: "nowhere", Name: "x"}, Patch: "{}"},
		{Action: ActionQuarantine, Object: Object{Kind: "Node", Name: "nowhere"}, Patch: "{}"},
		{Action: ActionForce, Object: Object{Kind: "Pod", Namespace: "nowhere", Name: "x", UID: "x"}, ResourceVersion: "1"},
		{Action: ActionNotify, Event: eventOf(Object{Kind: "Pod", Namespace: "nowhere", Name: "x"}, "x", "x", noon)},
		{Action: ActionSkipped}, {Action: ActionStanding},
	} {
		if err := Act(t.Context(), server, step, nil); err != nil {
			t.Errorf("%s of what is gone = %v", step.Action, err)
		}
	}
	if err := Act(t.Context(), server, Step{Action: "Dance"}, nil); err == nil {
		t.Error("an unknown action: no error")
	}
}
