package record

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/fleetwright/fleetwright/localstack/bench/workload"
)

var start = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// history feeds a ledger one revision a second.
type history struct {
	*Ledger
	now time.Time
}

func newHistory() *history {
	return &history{Ledger: NewLedger([]workload.Service{{Namespace: "ns", Name: "web", Replicas: 3, Budget: workload.BudgetOne}}), now: start}
}

type state struct{ ready, leaving, gone bool }

func (h *history) pod(name, node string, s state) {
	h.now = h.now.Add(time.Second)
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name, UID: types.UID(name), Labels: map[string]string{"app": "web"}}}
	pod.Spec.NodeName = node
	if s.ready {
		pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
	}
	if s.leaving || s.gone {
		pod.DeletionTimestamp = &metav1.Time{Time: h.now}
	}
	h.Pod(h.now, pod, s.gone)
}

func (h *history) budget(allowed, healthy int32) {
	budget := &policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "web"}}
	budget.Status = policyv1.PodDisruptionBudgetStatus{DisruptionsAllowed: allowed, CurrentHealthy: healthy, DesiredHealthy: 2, ExpectedPods: 3}
	h.Budget(budget)
}

func (h *history) settled(t *testing.T) {
	t.Helper()
	for _, name := range []string{"a", "b", "c"} {
		h.pod(name, "old", state{ready: true})
	}
	if h.Unsettled() == "" {
		t.Error("settled before the budget has noticed")
	}
	h.budget(1, 3)
	if missing := h.Unsettled(); missing != "" {
		t.Fatalf("not settled: %s", missing)
	}
	h.Begin([]string{"old"})
}

// move replaces a pod as a budget of one wants it.
func (h *history) move(from, to string) {
	h.pod(from, "old", state{ready: true, leaving: true})
	h.budget(0, 2)
	h.pod(to, "", state{})
	h.pod(to, "new", state{})
	h.pod(to, "new", state{ready: true})
	h.budget(1, 3)
	h.pod(from, "old", state{gone: true})
}

func TestGoodDrain(t *testing.T) {
	h := newHistory()
	h.settled(t)
	h.move("a", "d")
	h.move("b", "e")
	if h.Left() != 1 || !h.Run().Empty.IsZero() {
		t.Errorf("%d pods left, empty at %s", h.Left(), h.Run().Empty)
	}
	h.move("c", "f")
	run := h.Run()
	if run.Pods != 3 || len(run.Violations) > 0 || run.BudgetsBelow > 0 || !run.Empty.Equal(h.now) || !run.LastAsked.Equal(h.now.Add(-4*time.Second)) {
		t.Errorf("run = %+v, now %s", run, h.now)
	}
	if missing := h.Unsettled(); missing != "" {
		t.Errorf("not settled: %s", missing)
	}
}

func TestViolations(t *testing.T) {
	h := newHistory()
	h.settled(t)
	h.pod("a", "old", state{ready: true, leaving: true})
	h.pod("b", "old", state{ready: true, leaving: true})
	h.budget(0, 1)
	// Not ready any more, and then gone: neither takes a healthy pod.
	h.pod("b", "old", state{leaving: true})
	h.pod("b", "old", state{gone: true})
	// Neither does a change of a pod that stays healthy.
	h.pod("c", "old", state{ready: true})
	if run := h.Run(); len(run.Violations) != 1 || run.BudgetsBelow != 1 {
		t.Errorf("run = %+v, want one violation", run)
	}
	// One more below is one more; a replacement that comes is none, even while they are too few.
	h.pod("c", "old", state{ready: true, leaving: true})
	h.pod("d", "new", state{ready: true})
	if run := h.Run(); len(run.Violations) != 2 {
		t.Errorf("violations = %v, want two", run.Violations)
	}
	h.Begin([]string{"old"})
	if run := h.Run(); len(run.Violations) != 0 || run.Pods != 2 {
		t.Errorf("a new run begins with %+v", run)
	}
}

func TestGap(t *testing.T) {
	h := newHistory()
	h.settled(t)
	h.pod("d", "new", state{ready: true})
	h.Keep(h.now.Add(time.Minute), map[types.UID]bool{"d": true})
	if run := h.Run(); h.Left() != 0 || h.Pods() != 1 || !run.Empty.Equal(h.now.Add(time.Minute)) {
		t.Errorf("after a list without the old pods: %d left, %d in all, %+v", h.Left(), h.Pods(), run)
	}
}
