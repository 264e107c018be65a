package stack

import (
	"context"
	"errors"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/fleetwright/fleetwright/localstack/kubelet"
)

// TestKilledStackComesBack is the promise to whoever closes the lid of a laptop: kill -9, start again, everything is there
// under the same addresses, and nothing of the old run is left.
func TestKilledStackComesBack(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "resumed")
	layout := Layout{Dir: dir}
	killed := startHelper(t, dir)
	applyCluster(t, layout)
	eventually(t, "two ready nodes", func(ctx context.Context) bool { return readyNodes(ctx, layout) == 2 })
	management, workload := connect(t, layout.Kubeconfig()), connect(t, layout.ClusterKubeconfig("handmade"))
	createMark(t, workload)
	operator, alive := leftover(layout.operatorPID())
	if !alive {
		t.Fatalf("no operator runs: %v", operator)
	}
	if _, err := Start(t.Context(), quickOptions(dir)); !errors.Is(err, ErrInUse) {
		t.Fatalf("a second stack on the same directory: got %v, want ErrInUse", err)
	}
	before, _, err := layout.Read()
	if err != nil {
		t.Fatal(err)
	}

	if err := killed.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = killed.Wait() // "signal: killed"
	eventually(t, "the operator's end", func(context.Context) bool { return syscall.Kill(operator.PID, 0) != nil })

	s, err := Start(t.Context(), quickOptions(dir))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Stop() })
	eventually(t, "the old clients' answers", func(ctx context.Context) bool {
		return hasMark(ctx, workload) && readyNodes(ctx, layout) == 2 && answers(ctx, management)
	})
	after := s.Record()
	if after.Management != before.Management || after.Azure != before.Azure || after.OperatorMetrics != before.OperatorMetrics {
		t.Errorf("addresses changed over the restart: %+v, then %+v", before, after)
	}

	addresses := []string{hostOf(t, after.Management), hostOf(t, after.Azure), after.OperatorHealth, hostOf(t, configOf(t, layout.ClusterKubeconfig("handmade")).Host)}
	began := time.Now()
	if err := s.Stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("stopping took %s", took)
	}
	for _, address := range addresses {
		if conn, err := net.Dial("tcp", address); err == nil {
			_ = conn.Close()
			t.Errorf("something still listens on %s after Stop", address)
		}
	}
	if _, running, _ := layout.Read(); running {
		t.Error("the directory is still locked after Stop")
	}
	if err := layout.Remove(); err != nil {
		t.Errorf("remove: %v", err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the directory is still there: %v", err)
	}
}

func TestTwoStacksSideBySide(t *testing.T) {
	root := t.TempDir()
	var stacks []*Stack
	for _, name := range []string{"one", "two"} {
		options := quickOptions(filepath.Join(root, name))
		options.Operator = ""
		s, err := Start(t.Context(), options)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Stop() })
		stacks = append(stacks, s)
	}
	createMark(t, connect(t, stacks[0].Layout().Kubeconfig()))
	if hasMark(t.Context(), connect(t, stacks[1].Layout().Kubeconfig())) {
		t.Error("what was written to one stack shows in the other")
	}
	if err := stacks[0].Stop(); err != nil {
		t.Error(err)
	}
	if !answers(t.Context(), connect(t, stacks[1].Layout().Kubeconfig())) {
		t.Error("the end of one stack ended the other")
	}
	if err := stacks[1].Failure(); err != nil {
		t.Errorf("the other stack failed: %v", err)
	}
}

// An interrupted start must leave nothing behind: the next one would find the directory locked.
func TestInterruptedStartLeavesNothing(t *testing.T) {
	options := quickOptions(filepath.Join(t.TempDir(), "short"))
	ctx, cancel := context.WithCancel(t.Context())
	options.OnStep = func(step Step) {
		if step.Name == "Start Cluster API" {
			cancel()
		}
	}
	if _, err := Start(ctx, options); err == nil {
		t.Fatal("the start went on after its context had ended")
	}
	if inUse(options.Layout.lock()) {
		t.Error("the directory is still locked")
	}
	if _, alive := leftover(options.Layout.operatorPID()); alive {
		t.Error("the operator still runs")
	}
}

// startHelper runs a stack in a process of its own, which can be killed.
func startHelper(t *testing.T, dir string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, dir)
	cmd.Env = append(os.Environ(), roleVariable+"="+roleStack)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	eventually(t, "the helper's stack", func(context.Context) bool {
		record, running, err := (Layout{Dir: dir}).Read()
		return err == nil && running && !record.Ready.IsZero()
	})
	return cmd
}

func applyCluster(t *testing.T, layout Layout) {
	t.Helper()
	objects, err := ReadManifests(os.DirFS("testdata"), ".")
	if err != nil {
		t.Fatal(err)
	}
	if err := Apply(t.Context(), configOf(t, layout.Kubeconfig()), "test", objects); err != nil {
		t.Fatal(err)
	}
}

func configOf(t *testing.T, kubeconfig string) *rest.Config {
	t.Helper()
	cfg, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Timeout = 5 * time.Second
	return cfg
}

func connect(t *testing.T, kubeconfig string) *kubernetes.Clientset {
	t.Helper()
	client, err := kubernetes.NewForConfig(configOf(t, kubeconfig))
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func hostOf(t *testing.T, address string) string {
	t.Helper()
	parsed, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return parsed.Host
}

func createMark(t *testing.T, client *kubernetes.Clientset) {
	t.Helper()
	mark := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "mark"}}
	if _, err := client.CoreV1().ConfigMaps("default").Create(t.Context(), mark, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

func hasMark(ctx context.Context, client *kubernetes.Clientset) bool {
	_, err := client.CoreV1().ConfigMaps("default").Get(ctx, "mark", metav1.GetOptions{})
	return err == nil
}

func answers(ctx context.Context, client *kubernetes.Clientset) bool {
	_, err := client.CoreV1().Namespaces().Get(ctx, "default", metav1.GetOptions{})
	return err == nil
}

func readyNodes(ctx context.Context, layout Layout) int {
	cfg, err := clientcmd.BuildConfigFromFlags("", layout.ClusterKubeconfig("handmade"))
	if err != nil {
		return 0
	}
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return 0
	}
	nodes, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{LabelSelector: kubelet.Label + "=true"})
	if err != nil {
		return 0
	}
	ready := 0
	for _, node := range nodes.Items {
		for _, condition := range node.Status.Conditions {
			if condition.Type == corev1.NodeReady && condition.Status == corev1.ConditionTrue {
				ready++
			}
		}
	}
	return ready
}

func eventually(t *testing.T, what string, holds func(context.Context) bool) {
	t.Helper()
	err := wait.PollUntilContextTimeout(t.Context(), 100*time.Millisecond, 2*time.Minute, true, func(ctx context.Context) (bool, error) {
		return holds(ctx), nil
	})
	if err != nil {
		t.Fatalf("wait for %s: %v", what, err)
	}
}
