package kubelet_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/fleetwright/fleetwright/localstack/kubelet"
)

const (
	runningReady = "Running+Ready"
	limit        = 10 * time.Second
)

// TestPods shares one API server, since each costs seconds.
func TestPods(t *testing.T) {
	shared := newCluster(t)
	shared.startKubelet(kubelet.Settings{Heartbeat: time.Second, Pull: registry.pull, PullBackoff: kubelet.Range{Min: 100 * time.Millisecond, Max: 400 * time.Millisecond}})
	for name, test := range map[string]func(*testing.T, cluster){
		"a short grace period cuts a long termination": testGraceCuts,
		"a pod that ends by itself is not kept":        testEndsByItself,
		"a finalizer keeps the ended pod":              testFinalizer,
		"starting takes its time":                      testStart,
		"never ready until the annotation goes":        testNeverReady,
		"a pod with a run time succeeds":               testRunTime,
		"a pod waits for its image":                    testImage,
		"pods wait for their node":                     testPodsWaitForNode,
		"a deleted node takes its pods":                testDeleteNode,
		"nodes without the label are left alone":       testUnlabelledNode,
		"heartbeats":                                   testHeartbeat,
		"registration keeps what others set":           testEnsureNode,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, shared.in(t))
		})
	}
}

func testGraceCuts(t *testing.T, c cluster) {
	c.ensureNode(kubelet.Node{Name: "grace"})
	c.create("grace", "grace", map[string]string{kubelet.AnnotationTerminationSeconds: "3600"}, nil)
	c.wait("grace", runningReady, limit)
	began := time.Now()
	c.delete("grace", 2)
	c.wait("grace", "Running+Terminating", time.Second)
	c.wait("grace", gone, limit)
	if took := time.Since(began); took < 2*time.Second || took > 5*time.Second {
		t.Errorf("pod with a grace period of 2 s was gone after %s", took)
	}
}

func testEndsByItself(t *testing.T, c cluster) {
	c.ensureNode(kubelet.Node{Name: "itself"})
	c.create("itself", "itself", map[string]string{kubelet.AnnotationTerminationSeconds: "0.7"}, nil)
	c.wait("itself", runningReady, limit)
	began := time.Now()
	c.delete("itself", 3600)
	c.wait("itself", gone, limit)
	if took := time.Since(began); took < 700*time.Millisecond || took > 4*time.Second {
		t.Errorf("pod that takes 0.7 s to end was gone after %s", took)
	}
}

func testFinalizer(t *testing.T, c cluster) {
	c.ensureNode(kubelet.Node{Name: "finalizer"})
	keep := func(p *corev1.Pod) { p.Finalizers = []string{"example.com/keep"} }
	c.create("finalizer", "kept", nil, keep)
	c.create("finalizer", "killed", map[string]string{kubelet.AnnotationTerminationSeconds: "60"}, keep)
	c.create("finalizer", "forced", nil, keep)
	for name, end := range map[string]struct {
		grace int64
		state string
	}{
		"kept":   {30, "Succeeded+Terminating"},
		"killed": {1, "Failed+Terminating"},
		"forced": {0, "Failed+Terminating"},
	} {
		c.wait(name, runningReady, limit)
		c.delete(name, end.grace)
		c.wait(name, end.state, limit)
		if _, err := c.client.CoreV1().Pods("default").Patch(t.Context(), name, types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{}); err != nil {
			t.Fatal(err)
		}
		c.wait(name, gone, limit)
	}
}

func testStart(t *testing.T, c cluster) {
	c.ensureNode(kubelet.Node{Name: "start"})
	c.create("start", "quick", nil, nil)
	c.wait("quick", runningReady, limit)
	began := time.Now()
	c.create("start", "slow", map[string]string{kubelet.AnnotationStartSeconds: "1.2"}, nil)
	c.wait("slow", runningReady, limit)
	if took := time.Since(began); took < 1200*time.Millisecond {
		t.Errorf("pod that takes 1.2 s to start was ready after %s", took)
	}
}

func testNeverReady(t *testing.T, c cluster) {
	c.ensureNode(kubelet.Node{Name: "never"})
	c.create("never", "never", map[string]string{kubelet.AnnotationNeverReady: "true"}, nil)
	c.wait("never", "Running", limit)
	patch := fmt.Sprintf(`{"metadata":{"annotations":{%q:null}}}`, kubelet.AnnotationNeverReady)
	if _, err := c.client.CoreV1().Pods("default").Patch(t.Context(), "never", types.MergePatchType, []byte(patch), metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	c.wait("never", runningReady, limit)
}

func testRunTime(t *testing.T, c cluster) {
	c.ensureNode(kubelet.Node{Name: "job"})
	began := time.Now()
	c.create("job", "job", map[string]string{kubelet.AnnotationRunSeconds: "1"}, func(p *corev1.Pod) { p.Spec.RestartPolicy = corev1.RestartPolicyNever })
	c.wait("job", "Succeeded", limit)
	if took := time.Since(began); took < time.Second {
		t.Errorf("pod that runs for 1 s ended after %s", took)
	}
}

func testPodsWaitForNode(t *testing.T, c cluster) {
	c.ensureNode(kubelet.Node{Name: "late", Annotations: map[string]string{kubelet.AnnotationNeverReady: "true"}})
	c.create("late", "early", nil, nil)
	c.ensureNode(kubelet.Node{Name: "punctual"})
	c.create("punctual", "later", nil, nil)
	c.wait("later", runningReady, limit)
	if got := c.state(t.Context(), "early"); got != "Pending" {
		t.Errorf("pod on a node that is not ready: %s, want Pending", got)
	}
	if n := c.node("late"); len(n.Spec.Taints) != 1 || n.Spec.Taints[0].Key != corev1.TaintNodeNotReady {
		t.Errorf("taints of a node that is not ready: %v", n.Spec.Taints)
	}
	patch := fmt.Sprintf(`{"metadata":{"annotations":{%q:null}}}`, kubelet.AnnotationNeverReady)
	if _, err := c.client.CoreV1().Nodes().Patch(t.Context(), "late", types.MergePatchType, []byte(patch), metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	c.wait("early", runningReady, limit)
	c.eventually(limit, "taint removed", func(context.Context) (bool, string) {
		taints := c.node("late").Spec.Taints
		return len(taints) == 0, fmt.Sprint(taints)
	})
}

func testDeleteNode(t *testing.T, c cluster) {
	c.ensureNode(kubelet.Node{Name: "doomed"})
	c.create("doomed", "passenger", map[string]string{kubelet.AnnotationTerminationSeconds: "3600"}, nil)
	c.wait("passenger", runningReady, limit)
	for range 2 { // the second call finds nothing and says so by doing nothing
		if err := kubelet.DeleteNode(t.Context(), c.client, "doomed"); err != nil {
			t.Fatal(err)
		}
	}
	if got := c.state(t.Context(), "passenger"); got != gone {
		t.Errorf("pod of a deleted node: %s", got)
	}
}

func testUnlabelledNode(t *testing.T, c cluster) {
	if _, err := c.client.CoreV1().Nodes().Create(t.Context(), &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "real"}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	c.create("real", "theirs", nil, nil)
	c.ensureNode(kubelet.Node{Name: "simulated"})
	c.create("simulated", "ours", nil, nil)
	c.wait("ours", runningReady, limit)
	if got := c.state(t.Context(), "theirs"); got != "Pending" {
		t.Errorf("pod on a node without the label: %s, want Pending", got)
	}
}

func testHeartbeat(t *testing.T, c cluster) {
	c.ensureNode(kubelet.Node{Name: "beat"})
	var first, changed metav1.Time
	c.eventually(limit, "ready, then a later heartbeat", func(context.Context) (bool, string) {
		cond := c.node("beat").Status.Conditions[0]
		if cond.Status != corev1.ConditionTrue {
			return false, cond.Message
		}
		if first.IsZero() {
			first, changed = cond.LastHeartbeatTime, cond.LastTransitionTime
		}
		if !cond.LastTransitionTime.Equal(&changed) {
			t.Fatalf("a heartbeat moved the transition time from %s to %s", changed, cond.LastTransitionTime)
		}
		return first.Before(&cond.LastHeartbeatTime), cond.LastHeartbeatTime.String()
	})
}

func testEnsureNode(t *testing.T, c cluster) {
	n := kubelet.Node{
		Name: "reg", ProviderID: "azure:///1", Version: "v1.33.5", CPU: 4, Labels: map[string]string{"pool": "a", "tier": "gold"},
		Taints: []corev1.Taint{{Key: "dedicated", Value: "a", Effect: corev1.TaintEffectNoSchedule}},
	}
	c.ensureNode(n)
	c.eventually(limit, "ready", func(context.Context) (bool, string) {
		return len(c.node("reg").Spec.Taints) == 1, fmt.Sprint(c.node("reg").Spec.Taints)
	})
	patch := `{"metadata":{"labels":{"theirs":"x"}},"spec":{"taints":[{"key":"theirs","effect":"NoSchedule"},{"key":"dedicated","value":"a","effect":"NoSchedule"}]}}`
	if _, err := c.client.CoreV1().Nodes().Patch(t.Context(), "reg", types.MergePatchType, []byte(patch), metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}

	n.Version, n.Labels, n.Taints = "v1.34.2", map[string]string{"pool": "b"}, nil
	c.ensureNode(n)
	got := c.node("reg")
	if _, stale := got.Labels["tier"]; stale || got.Labels["pool"] != "b" || got.Labels["theirs"] != "x" || got.Labels[kubelet.Label] != "true" {
		t.Errorf("labels = %v", got.Labels)
	}
	if len(got.Spec.Taints) != 1 || got.Spec.Taints[0].Key != "theirs" {
		t.Errorf("taints = %v, want only the one set by somebody else", got.Spec.Taints)
	}
	if v, cpu := got.Status.NodeInfo.KubeletVersion, got.Status.Allocatable.Cpu().Value(); v != "v1.34.2" || cpu != 4 {
		t.Errorf("kubelet version %s with %d cores, want v1.34.2 with 4", v, cpu)
	}
	n.ProviderID = "azure:///2"
	if err := kubelet.EnsureNode(t.Context(), c.client, n); err == nil {
		t.Error("a node of the same name on another machine was accepted")
	}
}

func TestRestartedKubeletGoesOn(t *testing.T) {
	c := newCluster(t)
	stop := c.startKubelet(kubelet.Settings{})
	c.ensureNode(kubelet.Node{Name: "node"})
	for _, name := range []string{"stays", "leaves"} {
		c.create("node", name, map[string]string{kubelet.AnnotationTerminationSeconds: "1"}, nil)
		c.wait(name, runningReady, limit)
	}
	before, err := c.client.CoreV1().Pods("default").Get(t.Context(), "stays", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	stop()
	c.delete("leaves", 30)
	c.create("node", "new", nil, nil)

	c.startKubelet(kubelet.Settings{})
	c.wait("leaves", gone, limit)
	c.wait("new", runningReady, limit)
	after, err := c.client.CoreV1().Pods("default").Get(t.Context(), "stays", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if after.ResourceVersion != before.ResourceVersion {
		t.Errorf("a running pod was written again by the restarted kubelet: %+v", after.Status)
	}
}
