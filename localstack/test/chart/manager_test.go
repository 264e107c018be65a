package chart_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/utils/ptr"
)

// manager is the operator's program, run as the kubelet would run the Deployment's container.
type manager struct {
	log  string
	ends chan error
}

// startManager runs bin/fleetwright with the arguments and the ServiceAccount of the installed Deployment. Nothing else about the
// management cluster is handed to it than the address and a token.
func startManager(t *testing.T, admin *rest.Config, d *deployment) *manager {
	t.Helper()
	program, err := filepath.Abs(root + "/bin/fleetwright")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(program); err != nil {
		t.Fatalf("there is no operator at bin/fleetwright: run `make build` once and then `go test`")
	}
	m := &manager{log: filepath.Join(t.TempDir(), "manager.log"), ends: make(chan error, 1)}
	file, err := os.Create(m.log)
	if err != nil {
		t.Fatal(err)
	}
	container := d.Spec.Template.Spec.Containers[0]
	args := append(arguments(t, container, d.Namespace), "--kubeconfig="+accountKubeconfig(t, admin, d))
	command := exec.Command(program, args...)
	command.Stdout, command.Stderr = file, file
	command.Env = []string{} // a container has no settings of the person who runs the test
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { m.ends <- command.Wait() }()
	t.Cleanup(func() {
		if err := command.Process.Signal(syscall.SIGTERM); err != nil {
			t.Errorf("the manager has ended by itself: %v", err)
		}
		select {
		case err := <-m.ends:
			if err != nil {
				t.Errorf("the manager ended with %v", err)
			}
		case <-time.After(30 * time.Second):
			t.Error("the manager does not end within its grace period")
			_ = command.Process.Kill()
		}
		_ = file.Close()
		if t.Failed() {
			t.Logf("the end of the manager's log:\n%s", tail(m.read(t), 4000))
		}
	})
	return m
}

func (m *manager) read(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile(m.log)
	if err != nil {
		t.Error(err)
	}
	return string(content)
}

// refused is an error with what the manager's log says of missing rights, or nil.
func (m *manager) refused() error {
	content, err := os.ReadFile(m.log)
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(content)) {
		if strings.Contains(line, "forbidden") {
			return fmt.Errorf("the manager was refused something: %s", line)
		}
	}
	return nil
}

func tail(s string, most int) string { return s[max(0, len(s)-most):] }

// arguments are the container's, with its variables filled in, and on loopback instead of all addresses of a pod.
func arguments(t *testing.T, container corev1.Container, namespace string) []string {
	t.Helper()
	var out []string
	for _, arg := range container.Args {
		for _, variable := range container.Env {
			value := variable.Value
			if variable.ValueFrom != nil && variable.ValueFrom.FieldRef != nil && variable.ValueFrom.FieldRef.FieldPath == "metadata.namespace" {
				value = namespace
			}
			arg = strings.ReplaceAll(arg, "$("+variable.Name+")", value)
		}
		if strings.Contains(arg, "$(") {
			t.Fatalf("argument %s names a variable that the container does not have", arg)
		}
		out = append(out, strings.Replace(arg, "address=:", "address=127.0.0.1:", 1))
	}
	return out
}

// accountKubeconfig has a token of the Deployment's ServiceAccount and no other right.
func accountKubeconfig(t *testing.T, admin *rest.Config, d *deployment) string {
	t.Helper()
	cluster, err := kubernetes.NewForConfig(admin)
	if err != nil {
		t.Fatal(err)
	}
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: ptr.To(int64(3600))}}
	name := d.Spec.Template.Spec.ServiceAccountName
	granted, err := cluster.CoreV1().ServiceAccounts(d.Namespace).CreateToken(t.Context(), name, request, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	config := clientcmdapi.NewConfig()
	config.Clusters["management"] = &clientcmdapi.Cluster{Server: admin.Host, CertificateAuthorityData: admin.CAData, CertificateAuthority: admin.CAFile}
	config.AuthInfos["manager"] = &clientcmdapi.AuthInfo{Token: granted.Status.Token}
	config.Contexts["manager"] = &clientcmdapi.Context{Cluster: "management", AuthInfo: "manager"}
	config.CurrentContext = "manager"
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// awaitAnswer polls an address of the manager until it answers 200, and returns the body.
func awaitAnswer(t *testing.T, m *manager, url string) string {
	t.Helper()
	var body []byte
	last := "nothing asked yet"
	err := wait.PollUntilContextTimeout(t.Context(), 100*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
		select {
		case err := <-m.ends:
			m.ends <- err
			return false, fmt.Errorf("the manager has ended: %w", err)
		default:
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			return false, err
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			last = err.Error()
			return false, nil
		}
		defer func() { _ = answer.Body.Close() }()
		last = answer.Status
		body, err = io.ReadAll(answer.Body)
		return answer.StatusCode == http.StatusOK, err
	})
	if err != nil {
		t.Fatalf("%s: %v (last: %s)", url, err, last)
	}
	return string(body)
}

func freePort(t *testing.T) int {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().(*net.TCPAddr).Port
}
