package realcapz

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/fleetwright/fleetwright/localstack/stack"
)

func TestFindNamesWhatIsMissingAndHowToBuildIt(t *testing.T) {
	folder := t.TempDir()
	for _, name := range []string{capzProgram, asoProgram, definitions} {
		_, err := Find(folder)
		if err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "make capz-managers") {
			t.Errorf("without %s: %v", name, err)
		}
		if err := os.WriteFile(filepath.Join(folder, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := Find(folder); err != nil || got != folder {
		t.Errorf("Find(%s) = %s, %v", folder, got, err)
	}
}

func TestOnlyClustersOfThisMachineAreBroughtIn(t *testing.T) {
	kubeconfig := func(server string) []byte {
		return []byte("apiVersion: v1\nkind: Config\nclusters:\n- name: x\n  cluster: {server: \"" + server + "\"}\n")
	}
	for name, test := range map[string]struct {
		data map[string][]byte
		want []int
	}{
		"a cluster of the stack": {map[string][]byte{"value": kubeconfig("https://127.0.0.1:41234")}, []int{41234}},
		"a cluster elsewhere":    {map[string][]byte{"value": kubeconfig("https://api.example.com:443")}, nil},
		"no port":                {map[string][]byte{"value": kubeconfig("https://127.0.0.1")}, nil},
		"something else":         {map[string][]byte{"value": []byte("{")}, nil},
		"nothing":                {nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, portsIn(&corev1.Secret{Data: test.data})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestManagersAreToldTheirSurroundings(t *testing.T) {
	h := home{dir: filepath.Join(t.TempDir(), "provider")}
	if err := h.writeKubeconfig(&rest.Config{Host: "https://127.0.0.1:1", TLSClientConfig: rest.TLSClientConfig{CAData: []byte("ca")}}); err != nil {
		t.Fatal(err)
	}
	cfg, err := clientcmd.BuildConfigFromFlags("", h.kubeconfig())
	if err != nil || cfg.Host != "https://127.0.0.1:1" || string(cfg.CAData) != "ca" {
		t.Errorf("the kubeconfig leads to %+v (%v)", cfg, err)
	}
	for _, program := range programs("/built", h, stack.Surroundings{Proxy: "http://127.0.0.1:2", CAFile: "/azure/ca.pem", Logs: "/logs"}) {
		env := strings.Join(program.Env, "\n")
		for _, want := range []string{"KUBECONFIG=" + h.kubeconfig(), "HTTPS_PROXY=http://127.0.0.1:2", "SSL_CERT_FILE=/azure/ca.pem"} {
			if !strings.Contains(env, want) {
				t.Errorf("%s has no %s in its environment", program.Name, want)
			}
		}
		for _, arg := range program.Args {
			if strings.Contains(arg, "-addr=") || strings.Contains(arg, "-address=") {
				if !strings.Contains(arg, "=127.0.0.1:") {
					t.Errorf("%s listens where it need not: %s", program.Name, arg)
				}
			}
		}
	}
}
