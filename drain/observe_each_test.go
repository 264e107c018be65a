package drain

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
)

// TestEachPodSharesTheListOfPods reads all pods of a cluster once, for the drain and for the visitor.
func TestEachPodSharesTheListOfPods(t *testing.T) {
	on := func(name, node string) *corev1.Pod {
		return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name}, Spec: corev1.PodSpec{NodeName: node}}
	}
	client := fake.NewClientset(&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "old-1"}}, on("cart", "old-1"), on("web", "new-1"), on("waits", ""))
	lists := 0
	client.PrependReactor("list", "pods", func(clienttesting.Action) (bool, runtime.Object, error) {
		lists++
		return false, nil, nil
	})
	var seen []string
	snapshot, err := Observe(t.Context(), client, []NodeRef{{Name: "old-1"}}, Policy{}, EachPod(func() func(*corev1.Pod) {
		seen = nil
		return func(p *corev1.Pod) { seen = append(seen, p.Name) }
	}))
	if err != nil || len(snapshot.Pods) != 1 || snapshot.Pods[0].Name != "cart" {
		t.Fatalf("Observe() = %v, %v: want the pod of the node", snapshot.Pods, err)
	}
	if len(seen) != 3 || lists != 1 {
		t.Errorf("%v were visited in %d lists, want all three in one", seen, lists)
	}
}

// TestEachPodBeginsAnewWithTheList: of a list that expired half-way, nothing is kept.
func TestEachPodBeginsAnewWithTheList(t *testing.T) {
	o, begun := observer{}, 0
	EachPod(func() func(*corev1.Pod) { begun++; return func(*corev1.Pod) {} })(&o)
	list := o.visited(fake.NewClientset().CoreV1().Pods("").List)
	for _, at := range []string{"", "page 2", "", "page 2"} {
		if _, err := list(t.Context(), metav1.ListOptions{Continue: at}); err != nil {
			t.Fatal(err)
		}
	}
	if begun != 2 {
		t.Errorf("the visitor was asked for %d times, want once for each of two lists", begun)
	}
}
