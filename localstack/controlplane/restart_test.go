package controlplane_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/fleetwright/fleetwright/localstack/controlplane"
)

// childDir makes the test binary run a control plane in the directory it names until it is killed.
const childDir = "CONTROLPLANE_TEST_CHILD"

func child(dir string) int {
	if err := serveAndWrite(context.Background(), dir); err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("written")
	_, _ = os.Stdin.Read(make([]byte, 1)) // the parent kills, or ends, which closes this
	return 0
}

func options(dir string, e *controlplane.Etcd) controlplane.Options {
	return controlplane.Options{Name: "kept", Dir: filepath.Join(dir, "server"), Etcd: e}
}

func serveAndWrite(ctx context.Context, dir string) error {
	e, err := controlplane.StartEtcd(ctx, filepath.Join(dir, "etcd"))
	if err != nil {
		return err
	}
	s, err := controlplane.Start(ctx, options(dir, e))
	if err != nil {
		return err
	}
	c, err := kubernetes.NewForConfig(s.Config())
	if err != nil {
		return err
	}
	_, err = c.CoreV1().ConfigMaps("default").Create(ctx, configMap("kept"), metav1.CreateOptions{})
	return err
}

func TestKilledProcessLosesNeitherDataNorPortNorAccess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	killWhenWritten(t, dir)
	before, err := os.ReadFile(filepath.Join(dir, "server", "kubeconfig"))
	if err != nil {
		t.Fatal(err)
	}

	startServer(t, options(dir, startEtcd(t, filepath.Join(dir, "etcd"))))
	cfg, err := clientcmd.RESTConfigFromKubeConfig(before)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Insecure || len(cfg.CAData) == 0 {
		t.Errorf("kubeconfig does not carry the certificate authority: insecure=%t", cfg.Insecure)
	}
	old, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := old.CoreV1().ConfigMaps("default").Get(t.Context(), "kept", metav1.GetOptions{}); err != nil {
		t.Errorf("read with the kubeconfig from before: %v", err)
	}
	for _, secret := range []string{"kubeconfig", "admin.token", "tokens.csv", "serviceaccount.key", "serving.key", "ca.key"} {
		info, err := os.Stat(filepath.Join(dir, "server", secret))
		if err != nil {
			t.Error(err)
		} else if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, want 0600", secret, info.Mode().Perm())
		}
	}
}

// killWhenWritten runs a control plane in a process of its own and kills it as kill -9 does.
func killWhenWritten(t *testing.T, dir string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := cmd.StdinPipe() // held open until the end
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close() }()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if killErr := cmd.Process.Kill(); killErr != nil {
		t.Fatal(killErr)
	}
	_ = cmd.Wait() // reports the kill
	if strings.TrimSpace(line) != "written" {
		t.Fatalf("child said %q (%v)", line, err)
	}
}
