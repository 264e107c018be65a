package kubelet_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/fleetwright/fleetwright/localstack/controlplane"
	"github.com/fleetwright/fleetwright/localstack/kubelet"
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "kubelet-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if _, err := controlplane.LogToFile(filepath.Join(dir, "klog.log")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// cluster is a bare API server; tests bind pods to nodes themselves.
type cluster struct {
	t      *testing.T
	server *controlplane.Server
	client kubernetes.Interface
}

func newCluster(t *testing.T) cluster {
	t.Helper()
	e, err := controlplane.StartEtcd(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	ctx, cancel := context.WithCancel(context.Background())
	s, err := controlplane.Start(ctx, controlplane.Options{Name: "workload", Dir: t.TempDir(), Etcd: e})
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		if err := s.Wait(); err != nil {
			t.Error(err)
		}
	})
	client, err := kubernetes.NewForConfig(s.Config())
	if err != nil {
		t.Fatal(err)
	}
	return cluster{t, s, client}
}

// startKubelet returns the function that stops it; it also ends with the test.
func (c cluster) startKubelet(settings kubelet.Settings) context.CancelFunc {
	c.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	c.t.Cleanup(cancel)
	if err := kubelet.Start(ctx, c.server.Config(), settings); err != nil {
		c.t.Fatal(err)
	}
	return cancel
}

// in is the same cluster seen by a subtest.
func (c cluster) in(t *testing.T) cluster { c.t = t; return c }

func (c cluster) ensureNode(n kubelet.Node) {
	c.t.Helper()
	if n.ProviderID == "" {
		n.ProviderID = "azure:///" + n.Name
	}
	if err := kubelet.EnsureNode(c.t.Context(), c.client, n); err != nil {
		c.t.Fatal(err)
	}
}

func (c cluster) node(name string) *corev1.Node {
	c.t.Helper()
	n, err := c.client.CoreV1().Nodes().Get(c.t.Context(), name, metav1.GetOptions{})
	if err != nil {
		c.t.Fatal(err)
	}
	return n
}

// create makes a pod on the node; change, if given, edits it first.
func (c cluster) create(node, name string, annotations map[string]string, change func(*corev1.Pod)) *corev1.Pod {
	c.t.Helper()
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: annotations},
		Spec:       corev1.PodSpec{NodeName: node, Containers: []corev1.Container{{Name: "app", Image: "app"}}},
	}
	if change != nil {
		change(p)
	}
	p, err := c.client.CoreV1().Pods("default").Create(c.t.Context(), p, metav1.CreateOptions{})
	if err != nil {
		c.t.Fatal(err)
	}
	return p
}

func (c cluster) delete(name string, grace int64) {
	c.t.Helper()
	if err := c.client.CoreV1().Pods("default").Delete(c.t.Context(), name, metav1.DeleteOptions{GracePeriodSeconds: &grace}); err != nil {
		c.t.Fatal(err)
	}
}

// state is a pod in one word; gone if there is none.
func (c cluster) state(ctx context.Context, name string) string {
	p, err := c.client.CoreV1().Pods("default").Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return string(metav1.StatusReasonNotFound)
	}
	s := string(p.Status.Phase)
	if ready(p.Status.Conditions) {
		s += "+Ready"
	}
	if p.DeletionTimestamp != nil {
		s += "+Terminating"
	}
	return s
}

const gone = string(metav1.StatusReasonNotFound)

func ready(conditions []corev1.PodCondition) bool {
	for _, c := range conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// wait polls until the pod is in the state and returns how long that took.
func (c cluster) wait(name, want string, limit time.Duration) time.Duration {
	c.t.Helper()
	began := time.Now()
	c.eventually(limit, "pod "+name+" "+want, func(ctx context.Context) (bool, string) {
		s := c.state(ctx, name)
		return s == want, s
	})
	return time.Since(began)
}

func (c cluster) eventually(limit time.Duration, what string, done func(context.Context) (bool, string)) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), limit)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, last := done(ctx)
		if ok {
			return
		}
		select {
		case <-ctx.Done():
			c.t.Fatalf("%s: not within %s, last seen: %s", what, limit, last)
		case <-tick.C:
		}
	}
}
