package preflight

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/fleetwright/fleetwright/drain"
)

func TestLongestChain(t *testing.T) {
	tests := map[string]struct {
		objects []runtime.Object
		policy  drain.Policy
		want    Chain
		noEnd   []string
	}{
		"a budget's width is what it allows when all are healthy": {
			objects: objects(
				budget("cart", "cart", 1, 5, 4, 6), newPod("cart-1", "Deployment/cart", grace(20)), newPod("cart-2", "Deployment/cart", grace(30)),
				newPod("cart-3", "Deployment/cart"), newPod("cart-4", "Deployment/cart", notReady),
			),
			want: Chain{Budget: "shop/cart", Workload: cart, Pods: 3, AtOnce: 2, Grace: 30 * time.Second},
		},
		"budgets are not asked about a pending pod": {
			objects: objects(budget("cart", "cart", 0, 1, 1, 1), newPod("cart-1", "Deployment/cart", notReady, func(p *corev1.Pod) { p.Status.Phase = "Pending" })),
			want:    Chain{Workload: cart, Pods: 1, AtOnce: 1},
		},
		"without a budget, one at a time": {
			objects: objects(deployment("cart", 3, 3), newPod("cart-1", "Deployment/cart"), newPod("cart-2", "Deployment/cart"), newPod("cart-3", "Deployment/cart")),
			want:    Chain{Workload: cart, Pods: 3, AtOnce: 1},
		},
		"or all at once, if policy says so": {
			objects: objects(deployment("cart", 3, 3), newPod("cart-1", "Deployment/cart"), newPod("cart-2", "Deployment/cart"), newPod("cart-3", "Deployment/cart")),
			policy:  drain.Policy{WaitFor: drain.WaitForEviction},
			want:    Chain{Workload: cart, Pods: 3, AtOnce: 3},
		},
		"a StatefulSet goes in order": {
			objects: objects(statefulSet("db", 2), newPod("db-0", "StatefulSet/db", grace(60)), newPod("db-1", "StatefulSet/db")),
			want:    Chain{Workload: db, Pods: 2, AtOnce: 1, Ordered: true, Grace: time.Minute},
		},
		"so does a Deployment with a disk": {
			objects: objects(boundClaim("data", corev1.ReadWriteOnce), newPod("cart-1", "Deployment/cart", claim("data"))),
			want:    Chain{Workload: cart, Pods: 1, AtOnce: 1, Ordered: true},
		},
		"but not with a share": {
			objects: objects(boundClaim("data", corev1.ReadWriteMany), newPod("cart-1", "Deployment/cart", claim("data"))),
			want:    Chain{Workload: cart, Pods: 1, AtOnce: 1},
		},
		"the second of two that cannot start elsewhere never goes": {
			objects: objects(newPod("cart-1", "Deployment/cart", selects("agentpool", "blue")), newPod("cart-2", "Deployment/cart", selects("agentpool", "blue"))),
			noEnd:   []string{"Deployment shop/cart"},
		},
		"nor that of a workload with a local disk": {
			objects: objects(
				boundClaim("data", corev1.ReadWriteOnce, term("kubernetes.io/hostname", "In", "old-1")),
				newPod("db-0", "StatefulSet/db", claim("data")), newPod("db-1", "StatefulSet/db"),
			),
			noEnd: []string{"StatefulSet shop/db"},
		},
		"a selector that names two pools may leave one": {
			objects: objects(
				newPod("cart-1", "Deployment/cart", require(term("agentpool", "In", "blue", "red"))),
				newPod("cart-2", "Deployment/cart", require(term("agentpool", "In", "blue", "red"))),
			),
			want: Chain{Workload: cart, Pods: 2, AtOnce: 1},
		},
		"a budget whose status cannot be computed": {
			objects: objects(newPod("cart-1", "Deployment/cart"), func() runtime.Object {
				b := budget("cart", "cart", 0, 0, 0, 0)
				b.Status.Conditions = []metav1.Condition{{Type: "DisruptionAllowed", Status: "False", Reason: "SyncFailed", Message: "no scale"}}
				return b
			}()),
			noEnd: []string{"PodDisruptionBudget shop/cart of Deployment shop/cart"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := report(t, test.policy, test.objects...)
			check(t, test.want, got.Longest)
			check(t, test.noEnd, got.Estimate.Unbounded)
		})
	}
}
