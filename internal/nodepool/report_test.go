package nodepool

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// Status is only a report: wiped before each look, it changes nothing of what is
// written, nor the order.
func TestStatusIsOnlyAReport(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"autoscaled", "autoscaled-aso", "shifted-in-stages", "soaks-and-is-taken-back", "retained-halfway"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play := func(wipe bool) []string {
				a := tales[name].begin(t)
				a.before = func(np *fleetwrightv1.Nodepool) {
					if !wipe {
						return
					}
					np.Status = fleetwrightv1.NodepoolStatus{}
					if err := server.Status().Update(t.Context(), np); err != nil {
						t.Fatal(err)
					}
				}
				tales[name].play(a)
				return slices.DeleteFunc(a.op.written(""), func(line string) bool { return strings.HasPrefix(line, "patch status") })
			}
			if diff := cmp.Diff(play(false), play(true)); diff != "" {
				t.Errorf("with its status wiped, the operator wrote something else: %s", diff)
			}
		})
	}
}

// What the drain would meet is told before the first eviction, and within the
// API's bounds however much it is. Pods that select the old pool by its name hold
// it up, too.
func TestForecastComesFirst(t *testing.T) {
	t.Parallel()
	a := newAzure(t)
	a.pods, a.budget = 4, 1
	a.running("D4")
	for n := range 12 {
		a.startTrouble(n, agentPoolLabel)
	}
	a.change(machine("D8"))
	a.converge(func(*fleetwrightv1.Nodepool) bool {
		said := a.get("general").Status.Replacement.Forecast
		if a.condition(fleetwrightv1.ConditionRollingOut).Reason != "PodsDoNotFit" {
			return false
		}
		if said.Nodes == nil || *said.Nodes != 2 || said.PeakNodes == nil || *said.PeakNodes != 4 || said.Pods == nil || *said.Pods < 4 {
			t.Errorf("before the first eviction, the forecast is %+v", said)
		}
		if n := len(said.Warnings); n != 10 {
			t.Errorf("%d warnings, want the worst 10:\n%s", n, strings.Join(said.Warnings, "\n"))
		}
		return true
	})
	if written := append(a.op.written("evict"), a.op.written("cordoned")...); len(written) > 0 {
		t.Errorf("pods have no place, and it wrote %v", written)
	}
	a.turns(6)
	np := a.get("general")
	if c := a.condition(fleetwrightv1.ConditionDrainBlocked); c.Status != metav1.ConditionFalse || len(np.Status.DrainDebt.Workloads) > 0 || len(a.said("DrainBlocked")) > 0 {
		t.Errorf("nothing is closed yet, and it calls a drain blocked: %+v, debt %v, events %v", c, brief(np.Status.DrainDebt), a.said("DrainBlocked"))
	}
	if len(np.Status.Replacement.Blockers) == 0 {
		t.Error("what will be in the way is not listed")
	}
}

// startTrouble starts a pod on the old pool, to which the labels that it selects
// may bind it, and which has either no controller or a budget that never yields.
func (a *azure) startTrouble(n int, selects ...string) {
	a.t.Helper()
	node := a.nodes()[0]
	selector := map[string]string{}
	for _, label := range selects {
		selector[label] = node.Labels[label]
	}
	meta := metav1.ObjectMeta{Name: fmt.Sprintf("%s-%d", strings.Repeat("x", 200), n), Namespace: a.namespace, Labels: map[string]string{"app": fmt.Sprintf("trouble%d", n)}}
	pod := &corev1.Pod{ObjectMeta: meta, Spec: corev1.PodSpec{
		NodeName: node.Name, NodeSelector: selector,
		Containers: []corev1.Container{{Name: "c", Image: "c"}},
	}}
	if n%2 == 0 {
		pod.OwnerReferences = []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: pod.Labels["app"], UID: "rs", Controller: new(true)}}
		budget := &policyv1.PodDisruptionBudget{ObjectMeta: meta, Spec: policyv1.PodDisruptionBudgetSpec{
			Selector: &metav1.LabelSelector{MatchLabels: meta.Labels}, MaxUnavailable: new(intstr.FromInt32(0)),
		}}
		create(a.t, budget)
		budget.Status = policyv1.PodDisruptionBudgetStatus{ObservedGeneration: 1, ExpectedPods: 1, CurrentHealthy: 1, DesiredHealthy: 1}
		if err := server.Status().Update(a.t.Context(), budget); err != nil {
			a.t.Fatal(err)
		}
	}
	create(a.t, pod)
	pod.Status.Phase = corev1.PodRunning
	pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
	if err := server.Status().Update(a.t.Context(), pod); err != nil {
		a.t.Fatal(err)
	}
}

// While the old pool soaks, the new one is ready and as the spec says.
func TestConditionsWhileSoaking(t *testing.T) {
	t.Parallel()
	a := soaking(t)
	a.change(machine("D8"))
	a.converge(func(np *fleetwrightv1.Nodepool) bool { return soaksEmpty(a, np) })
	got := map[string]string{}
	for _, c := range a.get("general").Status.Conditions {
		got[c.Type] = string(c.Status) + " " + c.Reason
	}
	want := map[string]string{
		"Ready": "True Ready", "Available": "True Available", "UpToDate": "True UpToDate", "RollingOut": "True Soaking",
		"DrainBlocked": "False NotBlocked", "Deleting": "False NotDeleting", "Paused": "False NotPaused",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
