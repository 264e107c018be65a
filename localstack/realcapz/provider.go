package realcapz

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/fleetwright/fleetwright/localstack/crds"
	"github.com/fleetwright/fleetwright/localstack/loopback"
	"github.com/fleetwright/fleetwright/localstack/realcapz/sandbox"
	"github.com/fleetwright/fleetwright/localstack/stack"
)

// readyTimeout bounds how long the managers may take to start. Alone on two cores they need about 10 s.
const readyTimeout = 3 * time.Minute

// Provider returns the provider that runs the managers in folder, which Find checks.
func Provider(folder string) stack.Provider {
	return func(ctx context.Context, s stack.Surroundings) (func() error, error) {
		p := &provider{folder: folder, home: home{dir: s.Dir}, around: s, doors: map[int]*net.TCPListener{}}
		defer p.closeDoors()
		ctx, stop := context.WithCancel(ctx)
		box, err := p.start(ctx)
		if err != nil {
			stop()
			if box != nil {
				err = errors.Join(err, box.Wait())
			}
			return nil, err
		}
		return func() error {
			defer stop()
			return box.Wait()
		}, nil
	}
}

type provider struct {
	folder string
	home   home
	around stack.Surroundings
	// doors are where the API server and this process reach the managers, by the port inside.
	doors map[int]*net.TCPListener
	ca    []byte
}

// start returns the sandbox also with an error, once there is one.
func (p *provider) start(ctx context.Context) (*sandbox.Sandbox, error) {
	if err := p.prepare(ctx); err != nil {
		return nil, err
	}
	box, err := p.run(ctx)
	if err != nil {
		return nil, err
	}
	if err := followClusters(ctx, p.around.Management, box, p.around.Log); err != nil {
		return box, err
	}
	return box, p.awaitReady(ctx, box)
}

// prepare makes all that has to exist before the managers start: they end when a definition is missing.
func (p *provider) prepare(ctx context.Context) error {
	for _, port := range []int{capzHooks, capzHealth, asoHooks, asoHealth} {
		listener, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			return fmt.Errorf("open a port for the managers: %w", err)
		}
		p.doors[port] = listener
	}
	var err error
	if p.ca, err = loopback.WriteCertificate(p.home.certificates()); err != nil {
		return err
	}
	if err := p.home.writeKubeconfig(p.around.Management); err != nil {
		return err
	}
	if err := ensureNamespace(ctx, p.around.Management); err != nil {
		return err
	}
	files := os.DirFS(filepath.Join(p.folder, definitions))
	ports := map[string]int{"capz": capzHooks, "aso": asoHooks}
	for set, port := range ports {
		if err := crds.InstallFiles(ctx, p.around.Management, files, set, p.hooks(port)); err != nil {
			return fmt.Errorf("install the definitions of %s: %w", set, err)
		}
	}
	// After a restart they still name the last run's address. Until the managers answer, writes of their kinds are refused.
	for set, port := range ports {
		if err := crds.InstallWebhookFiles(ctx, p.around.Management, files, set, p.hooks(port)); err != nil {
			return fmt.Errorf("install the webhooks of %s: %w", set, err)
		}
	}
	return nil
}

func ensureNamespace(ctx context.Context, cfg *rest.Config) error {
	cluster, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return fmt.Errorf("connect to make the managers' namespace: %w", err)
	}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: managerNamespace}}
	if _, err := cluster.CoreV1().Namespaces().Create(ctx, namespace, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("make the managers' namespace: %w", err)
	}
	return nil
}

func (p *provider) hooks(port int) loopback.Endpoint {
	return loopback.Endpoint{URL: "https://" + p.address(port), CABundle: p.ca}
}

// address is where a port inside is reached from here.
func (p *provider) address(port int) string { return p.doors[port].Addr().String() }

func (p *provider) closeDoors() {
	for _, door := range p.doors {
		_ = door.Close() // the sandbox has its own copy
	}
}

func (p *provider) run(ctx context.Context) (*sandbox.Sandbox, error) {
	management, err := portOf(p.around.Management.Host)
	if err != nil {
		return nil, err
	}
	proxy, err := portOf(p.around.Proxy)
	if err != nil {
		return nil, err
	}
	o := sandbox.Options{Programs: programs(p.folder, p.home, p.around), Bring: []int{management, proxy}}
	for port, door := range p.doors {
		o.Expose = append(o.Expose, sandbox.Door{Listener: door, Port: port})
	}
	return sandbox.Start(ctx, o)
}

func portOf(address string) (int, error) {
	parsed, err := url.Parse(address)
	if err != nil {
		return 0, fmt.Errorf("read address %s: %w", address, err)
	}
	port, err := strconv.Atoi(parsed.Port())
	if err != nil {
		return 0, fmt.Errorf("read the port of %s: %w", address, err)
	}
	return port, nil
}

// awaitReady asks the managers' own readiness probes.
func (p *provider) awaitReady(ctx context.Context, box *sandbox.Sandbox) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	for name, port := range map[string]int{"CAPZ": capzHealth, "Azure Service Operator": asoHealth} {
		for {
			err := ready(ctx, "http://"+p.address(port)+"/readyz")
			if err == nil {
				break
			}
			select {
			case <-box.Done():
				return fmt.Errorf("wait until %s is ready", name) // why is the sandbox's to say
			case <-ctx.Done():
				return errors.Join(fmt.Errorf("wait until %s is ready: %w", name, ctx.Err()), err)
			case <-time.After(100 * time.Millisecond):
			}
		}
	}
	return nil
}

func ready(ctx context.Context, address string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", address, response.Status)
	}
	return nil
}
