package controlplane_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/fleetwright/fleetwright/localstack/controlplane"
	"github.com/fleetwright/fleetwright/localstack/kubelet"
)

const replicas = 4

// TestDrainUnderABudget is the whole control plane at work: pods of a Deployment are evicted from the old node within the budget, refused beyond
// it, placed on the new node, and the namespace goes when it is deleted.
func TestDrainUnderABudget(t *testing.T) {
	t.Parallel()
	audit := filepath.Join(t.TempDir(), "audit.log")
	s, _ := startServer(t, controlplane.Options{Name: "workload", Etcd: startEtcd(t, t.TempDir()), AuditLog: audit})
	ctx, c := t.Context(), clientOf(t, s)
	startCluster(t, s)

	for _, name := range []string{"old", "new"} {
		ensureNode(t, c, name)
	}
	setUnschedulable(t, c, "new", true)
	createShop(t, c)
	waitReadyOn(t, c, "old")
	setUnschedulable(t, c, "new", false)
	setUnschedulable(t, c, "old", true)

	pods := podsOn(ctx, t, c, "old")
	if err := evict(ctx, c, pods[0]); err != nil {
		t.Fatalf("eviction within the budget: %v", err)
	}
	if err := evict(ctx, c, pods[1]); !apierrors.IsTooManyRequests(err) {
		t.Fatalf("eviction beyond the budget: %v, want 429", err)
	} else if !apierrors.HasStatusCause(err, policyv1.DisruptionBudgetCause) {
		t.Errorf("refusal %v does not name the budget as its cause", err)
	}
	eventually(t, 40*time.Second, "old node drained", func(ctx context.Context) (bool, string) {
		left := podsOn(ctx, t, c, "old")
		for _, p := range left {
			if err := evict(ctx, c, p); err != nil && !apierrors.IsTooManyRequests(err) && !apierrors.IsNotFound(err) {
				return false, err.Error()
			}
		}
		return len(left) == 0, fmt.Sprintf("%d pods left", len(left))
	})
	waitReadyOn(t, c, "new")
	checkEvictionsAudited(t, audit)

	if err := c.CoreV1().Namespaces().Delete(ctx, "shop", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, 20*time.Second, "namespace gone", func(ctx context.Context) (bool, string) {
		ns, err := c.CoreV1().Namespaces().Get(ctx, "shop", metav1.GetOptions{})
		return apierrors.IsNotFound(err), fmt.Sprintf("%v %+v", err, ns.Status)
	})
}

// startCluster runs all that a workload cluster is made of besides its API server, until the test ends.
func startCluster(t *testing.T, s *controlplane.Server) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	if err := controlplane.StartControllers(ctx, s.Config()); err != nil {
		t.Fatal(err)
	}
	if err := controlplane.StartScheduler(ctx, s.Config()); err != nil {
		t.Fatal(err)
	}
	settings := kubelet.Settings{PodStart: kubelet.Range{Min: 300 * time.Millisecond, Max: 500 * time.Millisecond}}
	if err := kubelet.Start(ctx, s.Config(), settings); err != nil {
		t.Fatal(err)
	}
}

func ensureNode(t *testing.T, c kubernetes.Interface, name string) {
	t.Helper()
	if err := kubelet.EnsureNode(t.Context(), c, kubelet.Node{Name: name, ProviderID: "azure:///" + name, Version: "v1.34.2"}); err != nil {
		t.Fatal(err)
	}
	eventually(t, 10*time.Second, name+" ready", func(ctx context.Context) (bool, string) {
		n, err := c.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return false, err.Error()
		}
		return n.Status.Conditions[0].Status == corev1.ConditionTrue && len(n.Spec.Taints) == 0, fmt.Sprintf("%v %v", n.Spec.Taints, n.Status.Conditions)
	})
}

func setUnschedulable(t *testing.T, c kubernetes.Interface, node string, cordon bool) {
	t.Helper()
	patch := fmt.Sprintf(`{"spec":{"unschedulable":%t}}`, cordon)
	if _, err := c.CoreV1().Nodes().Patch(t.Context(), node, types.MergePatchType, []byte(patch), metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
}

func createShop(t *testing.T, c kubernetes.Interface) {
	t.Helper()
	ctx, labels, count := t.Context(), map[string]string{"app": "shop"}, int32(replicas)
	if _, err := c.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop"}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	one := intstr.FromInt32(1)
	if _, err := c.PolicyV1().PodDisruptionBudgets("shop").Create(ctx, &policyv1.PodDisruptionBudget{
		ObjectMeta: metav1.ObjectMeta{Name: "shop"},
		Spec:       policyv1.PodDisruptionBudgetSpec{MaxUnavailable: &one, Selector: &metav1.LabelSelector{MatchLabels: labels}},
	}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.AppsV1().Deployments("shop").Create(ctx, &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "shop"},
		Spec: appsv1.DeploymentSpec{
			Replicas: &count,
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "shop", Image: "shop"}}},
			},
		},
	}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

func podsOn(ctx context.Context, t *testing.T, c kubernetes.Interface, node string) []corev1.Pod {
	t.Helper()
	list, err := c.CoreV1().Pods("shop").List(ctx, metav1.ListOptions{FieldSelector: "spec.nodeName=" + node})
	if err != nil {
		t.Fatal(err)
	}
	return list.Items
}

// waitReadyOn waits until all replicas are ready on the node and the budget has noticed, which it does a moment later.
func waitReadyOn(t *testing.T, c kubernetes.Interface, node string) {
	t.Helper()
	eventually(t, 20*time.Second, "all replicas ready on "+node, func(ctx context.Context) (bool, string) {
		ready := 0
		for _, p := range podsOn(ctx, t, c, node) {
			for _, cond := range p.Status.Conditions {
				if cond.Type == corev1.PodReady && cond.Status == corev1.ConditionTrue {
					ready++
				}
			}
		}
		pdb, err := c.PolicyV1().PodDisruptionBudgets("shop").Get(ctx, "shop", metav1.GetOptions{})
		if err != nil {
			return false, err.Error()
		}
		return ready == replicas && pdb.Status.CurrentHealthy == replicas && pdb.Status.DisruptionsAllowed == 1, fmt.Sprintf("%d ready, budget %+v", ready, pdb.Status)
	})
}

func evict(ctx context.Context, c kubernetes.Interface, p corev1.Pod) error {
	return c.PolicyV1().Evictions(p.Namespace).Evict(ctx, &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Namespace: p.Namespace, Name: p.Name}})
}

func checkEvictionsAudited(t *testing.T, file string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	codes := map[int32]int{}
	for line := range strings.Lines(string(b)) {
		var e auditv1.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		if e.ObjectRef != nil && e.ObjectRef.Resource == "pods" && e.ObjectRef.Subresource == "eviction" {
			codes[e.ResponseStatus.Code]++
		}
	}
	if codes[201] != replicas || codes[429] == 0 {
		t.Errorf("audited evictions by response code: %v, want %d times 201 and at least one 429", codes, replicas)
	}
}
