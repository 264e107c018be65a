package stack

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"

	"github.com/go-logr/logr"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/fleetwright/fleetwright/internal/azure/sim"
	"github.com/fleetwright/fleetwright/localstack/controlplane"
	"github.com/fleetwright/fleetwright/localstack/kubelet"
)

// clusters are the API servers behind the simulated AKS clusters: it is the Kubernetes world of the Azure simulator.
type clusters struct {
	layout  Layout
	etcd    *controlplane.Etcd
	ca      *controlplane.CA
	kubelet kubelet.Settings
	log     logr.Logger
	// ctx is the life of the API servers; the contexts of the simulator's calls end with the calls.
	ctx context.Context

	mu      sync.Mutex
	running map[string]*cluster // by lower-case ARM id
}

var _ sim.Kubernetes = &clusters{}

// cluster is one running simulated AKS cluster.
type cluster struct {
	name   string // of its files
	server *controlplane.Server
	client kubernetes.Interface
	stop   context.CancelFunc
}

func newClusters(ctx context.Context, layout Layout, etcd *controlplane.Etcd, ca *controlplane.CA, settings kubelet.Settings, log logr.Logger) *clusters {
	return &clusters{layout: layout, etcd: etcd, ca: ca, kubelet: settings, log: log, ctx: ctx, running: map[string]*cluster{}}
}

// EnsureCluster starts the API server of a managed cluster with everything that belongs to it.
func (c *clusters) EnsureCluster(ctx context.Context, wanted sim.Cluster) ([]byte, error) {
	if have := c.get(wanted.ID); have != nil {
		return have.server.Kubeconfig()
	}
	started, err := c.start(ctx, wanted)
	if err != nil {
		return nil, err
	}
	kubeconfig, err := started.server.Kubeconfig()
	if err == nil {
		err = replaceFile(c.layout.ClusterKubeconfig(started.name), kubeconfig)
	}
	if err != nil {
		started.end()
		return nil, err
	}
	c.mu.Lock()
	c.running[strings.ToLower(wanted.ID)] = started
	c.mu.Unlock()
	c.log.Info("Cluster runs", "cluster", started.name, "id", wanted.ID, "kubeconfig", c.layout.ClusterKubeconfig(started.name))
	return kubeconfig, nil
}

// start does not bind the server to ctx, which is the call's, except that it gives up when the call does.
func (c *clusters) start(ctx context.Context, wanted sim.Cluster) (*cluster, error) {
	name := c.fileName(wanted)
	life, stop := context.WithCancel(c.ctx)
	defer context.AfterFunc(ctx, stop)() // until start returns
	server, err := controlplane.Start(life, controlplane.Options{
		Name:     serverName(wanted.ID),
		Dir:      c.layout.workload(serverName(wanted.ID)),
		Etcd:     c.etcd,
		CA:       c.ca,
		AuditLog: c.layout.ClusterAudit(name),
		Log:      c.log.WithValues("cluster", name),
	})
	if err != nil {
		stop()
		return nil, err
	}
	started := &cluster{name: name, server: server, stop: stop}
	if err := c.populate(life, started); err != nil {
		started.end()
		return nil, err
	}
	return started, nil
}

// populate starts what turns an API server into a cluster.
func (c *clusters) populate(ctx context.Context, started *cluster) error {
	cfg := started.server.Config()
	client, err := kubernetes.NewForConfig(named(cfg, "azure"))
	if err != nil {
		return fmt.Errorf("make client for cluster %s: %w", started.name, err)
	}
	started.client = client
	return errors.Join(
		controlplane.StartControllers(ctx, cfg),
		controlplane.StartScheduler(ctx, cfg),
		kubelet.Start(ctx, cfg, c.kubelet),
	)
}

// named is cfg with a user agent by which the audit logs tell the stack's parts apart.
func named(cfg *rest.Config, part string) *rest.Config {
	cfg = rest.CopyConfig(cfg)
	cfg.UserAgent = "fleetwright-localstack/" + part
	return cfg
}

// DeleteCluster ends the API server of a managed cluster and forgets its data, files and logs.
func (c *clusters) DeleteCluster(ctx context.Context, id string) error {
	name := ""
	if have := c.get(id); have != nil {
		have.end()
		name = have.name
		c.mu.Lock()
		delete(c.running, strings.ToLower(id))
		c.mu.Unlock()
	}
	server := serverName(id)
	if err := c.etcd.Forget(ctx, server); err != nil {
		return err
	}
	if err := os.RemoveAll(c.layout.workload(server)); err != nil {
		return fmt.Errorf("remove the files of cluster %s: %w", server, err)
	}
	if name == "" {
		return nil
	}
	if err := os.Remove(c.layout.ClusterKubeconfig(name)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove the kubeconfig of cluster %s: %w", name, err)
	}
	c.log.Info("Cluster deleted", "cluster", name, "id", id)
	return nil
}

// wait returns when all API servers have stopped; their context must have ended.
func (c *clusters) wait() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, each := range c.running {
		_ = each.server.Wait() // why it ended does not matter any more
	}
}

func (c *clusters) get(id string) *cluster {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.running[strings.ToLower(id)]
}

func (c *cluster) end() {
	c.stop()
	_ = c.server.Wait() // why it ended does not matter any more
}

var unsafeInFileName = regexp.MustCompile(`[^a-z0-9-]+`)

// fileName is what people call the cluster: its name, unless a cluster of the same name in another resource group runs.
func (c *clusters) fileName(wanted sim.Cluster) string {
	name := strings.Trim(unsafeInFileName.ReplaceAllString(strings.ToLower(wanted.Name), "-"), "-")
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, other := range c.running {
		if other.name == name && !strings.EqualFold(id, wanted.ID) {
			return name + "-" + shortHash(wanted.ID)
		}
	}
	return name
}

// serverName is where the cluster's data is, in etcd and in the stack's directory. It depends on the ARM id alone.
func serverName(id string) string {
	name := unsafeInFileName.ReplaceAllString(strings.ToLower(id[strings.LastIndexByte(id, '/')+1:]), "-")
	return strings.Trim(name[:min(len(name), 48)], "-") + "-" + shortHash(id)
}

func shortHash(id string) string {
	sum := sha256.Sum256([]byte(strings.ToLower(id)))
	return hex.EncodeToString(sum[:4])
}
