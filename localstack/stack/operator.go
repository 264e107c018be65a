package stack

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/go-logr/logr"
	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/utils/ptr"

	"github.com/fleetwright/fleetwright/internal/azure/sim/simclient"
	"github.com/fleetwright/fleetwright/localstack/controlplane"
)

// The identity the operator runs as, the same as where it is installed for real.
const (
	operatorNamespace = "fleetwright-system"
	operatorAccount   = "fleetwright"
	// OperatorUser is the operator's name in the audit logs.
	OperatorUser = "system:serviceaccount:" + operatorNamespace + ":" + operatorAccount
)

const (
	// tokenLifetime is how long a token of the operator is good for; it is renewed after half of it.
	tokenLifetime = 24 * time.Hour
	// operatorReady bounds how long the operator may take until it says that it is ready.
	operatorReady = 60 * time.Second
	// driftInterval is short, so that one can watch drift being healed; here the requests cost nothing.
	driftInterval = 3 * time.Second
)

// operatorIdentity is a service principal that only the simulated Azure knows. Empty variables keep a developer's own
// identity from it.
var operatorIdentity = []string{
	"AZURE_TENANT_ID=33333333-3333-3333-3333-333333333333",
	"AZURE_CLIENT_ID=55555555-5555-5555-5555-555555555555",
	"AZURE_CLIENT_SECRET=not-a-secret",
	"AZURE_CLIENT_CERTIFICATE_PATH=",
	"AZURE_FEDERATED_TOKEN_FILE=",
}

// operator is the operator's manager as a child process, with exactly the rights of config/rbac.
type operator struct {
	layout  Layout
	server  *controlplane.Server
	client  kubernetes.Interface
	log     logr.Logger
	child   *child
	metrics string
	health  string
}

// startOperator runs the program at path until ctx ends, with the simulated Azure at azure. before is the record of the stack's last run, whose addresses it takes again.
func startOperator(ctx context.Context, path, azure string, layout Layout, server *controlplane.Server, before Record, log logr.Logger) (*operator, error) {
	client, err := kubernetes.NewForConfig(named(server.Config(), "stack"))
	if err != nil {
		return nil, fmt.Errorf("make client for the operator's token: %w", err)
	}
	o := &operator{layout: layout, server: server, client: client, log: log}
	if o.metrics, err = freePort(ctx, before.OperatorMetrics); err != nil {
		return nil, err
	}
	if o.health, err = freePort(ctx, before.OperatorHealth); err != nil {
		return nil, err
	}
	if err := o.access(ctx); err != nil {
		return nil, err
	}
	args := []string{
		path,
		"--kubeconfig=" + layout.OperatorKubeconfig(),
		"--metrics-bind-address=" + o.metrics,
		"--health-probe-bind-address=" + o.health,
		"--leader-elect=false",
		"--azure-resource-manager-endpoint=" + azure,
		"--azure-resource-manager-audience=" + simclient.Audience,
		"--azure-authority-host=" + azure + "/",
		"--azure-ca-file=" + layout.AzureCA(),
		"--drift-sweep-interval=" + driftInterval.String(),
	}
	if o.child, err = startChild(ctx, args, operatorIdentity, layout.Log("fleetwright"), layout.operatorPID(), log); err != nil {
		return nil, err
	}
	go o.renew(ctx)
	if err := o.waitReady(ctx); err != nil {
		return o, fmt.Errorf("wait until the operator is ready: %w (its log is %s)", err, layout.Log("fleetwright"))
	}
	return o, nil
}

func (o *operator) tokenFile() string {
	return filepath.Join(filepath.Dir(o.layout.OperatorKubeconfig()), "token")
}

// access writes a fresh token and a kubeconfig that reads it from its file, so that a renewal needs no restart.
func (o *operator) access(ctx context.Context) error {
	if err := o.mint(ctx); err != nil {
		return err
	}
	content, err := o.server.KubeconfigFor("")
	if err != nil {
		return err
	}
	kubeconfig, err := clientcmd.Load(content)
	if err != nil {
		return fmt.Errorf("read kubeconfig: %w", err)
	}
	for _, user := range kubeconfig.AuthInfos {
		user.TokenFile = o.tokenFile()
	}
	if content, err = clientcmd.Write(*kubeconfig); err != nil {
		return fmt.Errorf("encode the operator's kubeconfig: %w", err)
	}
	return replaceFile(o.layout.OperatorKubeconfig(), content)
}

func (o *operator) mint(ctx context.Context) error {
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{
		ExpirationSeconds: ptr.To(int64(tokenLifetime.Seconds())),
	}}
	granted, err := o.client.CoreV1().ServiceAccounts(operatorNamespace).CreateToken(ctx, operatorAccount, request, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("ask for the operator's token: %w", err)
	}
	return replaceFile(o.tokenFile(), []byte(granted.Status.Token))
}

func (o *operator) renew(ctx context.Context) {
	wait := tokenLifetime / 2
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		wait = tokenLifetime / 2
		if err := o.mint(ctx); err != nil && ctx.Err() == nil {
			o.log.Error(err, "Operator's token is not renewed, will try again in a minute")
			wait = time.Minute
		}
	}
}

// waitReady asks the operator itself. It gives up early when the operator ends again and again.
func (o *operator) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, operatorReady)
	defer cancel()
	for {
		last := ready(ctx, "http://"+o.health+"/readyz")
		if last == nil {
			return nil
		}
		if err := o.child.failed(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ctx.Err(), last)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func ready(ctx context.Context, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, response.Status)
	}
	return nil
}

// FindOperator returns the operator's program: path if it is given, else the one next to this program.
func FindOperator(path string) (string, error) {
	if path == "" {
		self, err := os.Executable()
		if err != nil {
			return "", fmt.Errorf("find this program: %w", err)
		}
		path = filepath.Join(filepath.Dir(self), "fleetwright")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("find the operator's program: %w", err)
	}
	if info, err := os.Stat(path); err != nil || info.IsDir() {
		return "", fmt.Errorf("there is no operator at %s: build it with `make build`", path)
	}
	return path, nil
}
