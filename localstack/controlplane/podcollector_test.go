package controlplane_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"

	"github.com/fleetwright/fleetwright/localstack/controlplane"
)

// TestPodsWithoutAKubeletAreRemoved runs the collector alone, without any kubelet.
func TestPodsWithoutAKubeletAreRemoved(t *testing.T) {
	t.Parallel()
	s, _ := startServer(t, controlplane.Options{Name: "collect", Etcd: startEtcd(t, t.TempDir())})
	ctx, c := t.Context(), clientOf(t, s)
	if err := controlplane.StartControllers(ctx, s.Config(), controlplane.PodGCController); err != nil {
		t.Fatal(err)
	}
	if _, err := c.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "collect"}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	createNode(t, c, "there")
	createNode(t, c, "broken", corev1.Taint{Key: corev1.TaintNodeOutOfService, Effect: corev1.TaintEffectNoExecute})
	seen, err := c.CoreV1().Pods("collect").Watch(ctx, metav1.ListOptions{FieldSelector: "metadata.name=orphan"})
	if err != nil {
		t.Fatal(err)
	}
	defer seen.Stop()

	createPod(t, c, "stays", "there")
	createPod(t, c, "leaving-there", "there")
	createPod(t, c, "leaving-broken", "broken")
	createPod(t, c, "stays-broken", "broken")
	createPod(t, c, "waits", "") // for a scheduler
	createPod(t, c, "late", "late")
	createPod(t, c, "orphan", "gone")
	createNode(t, c, "late") // its pod was seen before it
	for _, name := range []string{"leaving-there", "leaving-broken"} {
		if err := c.CoreV1().Pods("collect").Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
	}

	for _, name := range []string{"orphan", "leaving-broken"} {
		eventually(t, 20*time.Second, name+" gone", func(ctx context.Context) (bool, string) {
			pod, err := c.CoreV1().Pods("collect").Get(ctx, name, metav1.GetOptions{})
			return apierrors.IsNotFound(err), fmt.Sprintf("%v %+v", err, pod.Status)
		})
	}
	for _, name := range []string{"stays", "leaving-there", "stays-broken", "waits", "late"} {
		pod, err := c.CoreV1().Pods("collect").Get(ctx, name, metav1.GetOptions{})
		if err != nil || pod.Status.Phase == corev1.PodFailed {
			t.Errorf("pod %s should be left alone: %v, phase %s", name, err, pod.Status.Phase)
		}
	}
	if !markedBeforeDeletion(seen) {
		t.Error("the orphan was deleted without being marked as failed and disrupted")
	}
}

// An orphan is left alone as long as its node may only be late in the cache.
func TestOrphansHaveAQuarantine(t *testing.T) {
	t.Parallel()
	s, _ := startServer(t, controlplane.Options{Name: "quarantine", Etcd: startEtcd(t, t.TempDir())})
	ctx, c := t.Context(), clientOf(t, s)
	if _, err := c.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "collect"}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	createPod(t, c, "orphan", "gone")
	began := time.Now()
	if err := controlplane.StartControllers(ctx, s.Config(), controlplane.PodGCController); err != nil {
		t.Fatal(err)
	}
	eventually(t, 20*time.Second, "orphan gone", func(ctx context.Context) (bool, string) {
		_, err := c.CoreV1().Pods("collect").Get(ctx, "orphan", metav1.GetOptions{})
		return apierrors.IsNotFound(err), fmt.Sprint(err)
	})
	if lived := time.Since(began); lived < 3*time.Second {
		t.Errorf("the orphan was removed after %s", lived)
	}
}

func markedBeforeDeletion(events watch.Interface) bool {
	marked := false
	for event := range events.ResultChan() {
		pod, ok := event.Object.(*corev1.Pod)
		if !ok {
			return false
		}
		if event.Type == watch.Deleted {
			return marked
		}
		for _, condition := range pod.Status.Conditions {
			marked = marked || (pod.Status.Phase == corev1.PodFailed && condition.Type == corev1.DisruptionTarget && condition.Reason == "DeletionByPodGC")
		}
	}
	return false
}

func createNode(t *testing.T, c kubernetes.Interface, name string, taints ...corev1.Taint) {
	t.Helper()
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: corev1.NodeSpec{Taints: taints}}
	if _, err := c.CoreV1().Nodes().Create(t.Context(), node, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

func createPod(t *testing.T, c kubernetes.Interface, name, node string) {
	t.Helper()
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "collect"},
		Spec:       corev1.PodSpec{NodeName: node, Containers: []corev1.Container{{Name: "one", Image: "one"}}},
	}
	if _, err := c.CoreV1().Pods("collect").Create(t.Context(), pod, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	running := []byte(`{"status":{"phase":"Running"}}`)
	if node == "" {
		return
	}
	if _, err := c.CoreV1().Pods("collect").Patch(t.Context(), name, types.StrategicMergePatchType, running, metav1.PatchOptions{}, "status"); err != nil {
		t.Fatal(err)
	}
}
