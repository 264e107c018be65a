package realcapz

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/fleetwright/fleetwright/localstack/realcapz/sandbox"
	"github.com/fleetwright/fleetwright/localstack/stack"
)

// Names of what `make capz-managers` builds, all in one folder.
const (
	capzProgram = "capz-manager"
	asoProgram  = "aso-controller"
	definitions = "capz-definitions"
)

// Ports inside the sandbox, where nobody else is.
const (
	capzHooks  = 9443
	capzHealth = 9440
	asoHooks   = 9543
	asoHealth  = 9540
	capzStatus = 9441
)

// managerNamespace is where the managers believe to run.
const managerNamespace = "capz-system"

// Find returns the folder with the managers and their definitions: the one given, else that of this program.
func Find(folder string) (string, error) {
	if folder == "" {
		self, err := os.Executable()
		if err != nil {
			return "", fmt.Errorf("find this program: %w", err)
		}
		folder = filepath.Dir(self)
	}
	folder, err := filepath.Abs(folder)
	if err != nil {
		return "", fmt.Errorf("find the real managers: %w", err)
	}
	for _, name := range []string{capzProgram, asoProgram, definitions} {
		if _, err := os.Stat(filepath.Join(folder, name)); err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return "", fmt.Errorf("there is no %s in %s: build it with `make capz-managers`", name, folder)
			}
			return "", fmt.Errorf("find the real managers: %w", err)
		}
	}
	return folder, nil
}

// home is where the provider keeps its files.
type home struct{ dir string }

func (h home) kubeconfig() string   { return filepath.Join(h.dir, "kubeconfig") }
func (h home) certificates() string { return filepath.Join(h.dir, "webhooks") }

// writeKubeconfig gives the managers the stack's own rights. On a real management cluster they have roles of their own; they
// are not what is tried here.
func (h home) writeKubeconfig(cfg *rest.Config) error {
	const name = "management"
	content := api.NewConfig()
	content.Clusters[name] = &api.Cluster{Server: cfg.Host, CertificateAuthority: cfg.CAFile, CertificateAuthorityData: cfg.CAData}
	content.AuthInfos[name] = &api.AuthInfo{
		ClientCertificate: cfg.CertFile, ClientCertificateData: cfg.CertData,
		ClientKey: cfg.KeyFile, ClientKeyData: cfg.KeyData,
		Token: cfg.BearerToken, TokenFile: cfg.BearerTokenFile,
	}
	content.Contexts[name] = &api.Context{Cluster: name, AuthInfo: name}
	content.CurrentContext = name
	if err := os.MkdirAll(h.dir, 0o700); err != nil {
		return fmt.Errorf("make the provider's folder: %w", err)
	}
	if err := clientcmd.WriteToFile(*content, h.kubeconfig()); err != nil {
		return fmt.Errorf("write the managers' kubeconfig: %w", err)
	}
	return nil
}

// programs are the two managers with the flags they need.
func programs(folder string, h home, s stack.Surroundings) []sandbox.Program {
	env := []string{
		"KUBECONFIG=" + h.kubeconfig(),
		"POD_NAMESPACE=" + managerNamespace,
		"HTTPS_PROXY=" + s.Proxy,
		"NO_PROXY=127.0.0.1,localhost",
		"SSL_CERT_FILE=" + s.CAFile,
		"SSL_CERT_DIR=" + h.dir, // no certificate there: the system's authorities are not trusted
	}
	return []sandbox.Program{{
		Name: "the CAPZ manager",
		Args: []string{
			filepath.Join(folder, capzProgram),
			fmt.Sprintf("--webhook-port=%d", capzHooks),
			"--webhook-cert-dir=" + h.certificates(),
			fmt.Sprintf("--health-addr=127.0.0.1:%d", capzHealth),
			fmt.Sprintf("--diagnostics-address=127.0.0.1:%d", capzStatus),
			"--insecure-diagnostics",
			// Its default of 10 s between two looks at an object is meant to spare Azure. It has to be longer than the Azure
			// Service Operator needs for its first look, or CAPZ looks too early and then waits for 20 s.
			"--debouncing-timer=3s",
		},
		Env: env,
		Log: filepath.Join(s.Logs, capzProgram+".log"),
	}, {
		Name: "the Azure Service Operator",
		Args: []string{
			filepath.Join(folder, asoProgram),
			fmt.Sprintf("--webhook-port=%d", asoHooks),
			"--webhook-cert-dir=" + h.certificates(),
			fmt.Sprintf("--health-addr=127.0.0.1:%d", asoHealth),
			"--crd-management=none",
		},
		Env: env,
		Log: filepath.Join(s.Logs, asoProgram+".log"),
	}}
}
