package drain

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestDecidePodsThatComeBack: a pod that the scheduler puts on a cordoned node is not evicted for ever.
func TestDecidePodsThatComeBack(t *testing.T) {
	begun := Policy{Started: ago(time.Minute)}
	young := func(p *Pod) { p.Created = ago(time.Second) }
	const message = "it tolerates cordoned nodes and was put on one after the drain began: " +
		"take its toleration of node.kubernetes.io/unschedulable off, or let its node selector fit other nodes"
	returns := []string{"ReturnsToNode: pod shop/cart-1 (" + message + ")"}
	runDecide(t, map[string]decideCase{
		"the first eviction is right": {
			snapshot: Snapshot{Pods: []Pod{pod("cart-1", "cart", tolerant)}, Owners: []Owner{wants("cart", 1)}}, policy: begun, evict: []string{"shop/cart-1"},
		},
		"came back and has not started": {
			snapshot: Snapshot{Pods: []Pod{pod("cart-1", "cart", tolerant, phase(corev1.PodPending), young)}}, policy: begun, blockers: returns,
		},
		"came back and is ready": {
			snapshot: Snapshot{Pods: []Pod{pod("cart-1", "cart", tolerant, young)}, Budgets: []Budget{budget("cart")}}, policy: begun, blockers: returns,
		},
		"was on its way when the node was closed": {
			snapshot: Snapshot{Pods: []Pod{pod("cart-1", "cart", phase(corev1.PodPending), young)}}, policy: begun, evict: []string{"shop/cart-1"},
		},
		"a pod that nobody brings back": {
			snapshot: Snapshot{Pods: []Pod{pod("cart-1", "cart", tolerant, bare, young)}},
			policy:   Policy{Started: begun.Started, Unmanaged: UnmanagedEvict}, evict: []string{"shop/cart-1"},
		},
		"the beginning is not known": {
			snapshot: Snapshot{Pods: []Pod{pod("cart-1", "cart", tolerant, phase(corev1.PodPending), young)}}, evict: []string{"shop/cart-1"},
		},
		"its time has not come": {
			snapshot: Snapshot{Pods: []Pod{
				pod("cart-1", "cart", tolerant, young), pod("batch-1", "batch", kind("batch", "Job"), label(LabelDrain, "wait-completed")),
			}},
			policy:   Policy{Started: begun.Started, Rules: []Rule{{Pods: app("cart"), Order: 5}}},
			blockers: []string{"WaitCompleted: pod shop/batch-1 (it carries the label cluster.x-k8s.io/drain: wait-completed and has not finished)"},
		},
	})
}

// TestSlimPodToleratesCordon follows the scheduler.
func TestSlimPodToleratesCordon(t *testing.T) {
	const taint = "node.kubernetes.io/unschedulable"
	tests := map[string]struct {
		toleration corev1.Toleration
		want       bool
	}{
		"everything":             {corev1.Toleration{Operator: "Exists"}, true},
		"every NoSchedule":       {corev1.Toleration{Operator: "Exists", Effect: "NoSchedule"}, true},
		"every NoExecute":        {corev1.Toleration{Operator: "Exists", Effect: "NoExecute"}, false},
		"the taint":              {corev1.Toleration{Key: taint, Operator: "Exists", Effect: "NoSchedule"}, true},
		"the taint by its value": {corev1.Toleration{Key: taint}, true},
		"another value":          {corev1.Toleration{Key: taint, Operator: "Equal", Value: "x"}, false},
		"another taint":          {corev1.Toleration{Key: "dedicated", Operator: "Exists"}, false},
		"an empty key is none":   {corev1.Toleration{Operator: "Equal"}, false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "cart-1"}, Spec: corev1.PodSpec{Tolerations: []corev1.Toleration{tc.toleration}}}
			if got := slimPod(p).ToleratesCordon; got != tc.want {
				t.Errorf("ToleratesCordon = %v, want %v", got, tc.want)
			}
		})
	}
}
