package stack

import (
	"context"
	"errors"
	"fmt"
	"os"
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

	naming sync.Mutex // held while a name is chosen, see reserveName

	// shared serves all clusters; nil when each has an API server of its own.
	shared *sharedServer

	registries registries
}

var _ sim.Kubernetes = &clusters{}

// cluster is one running simulated AKS cluster.
type cluster struct {
	name   string // of its files
	server apiServer
	client kubernetes.Interface
	stop   context.CancelFunc
}

func newClusters(ctx context.Context, layout Layout, etcd *controlplane.Etcd, ca *controlplane.CA, settings kubelet.Settings, log logr.Logger) *clusters {
	return &clusters{layout: layout, etcd: etcd, ca: ca, kubelet: settings, log: log, ctx: ctx, running: map[string]*cluster{}, registries: newRegistries()}
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
	name, err := c.reserveName(wanted)
	if err != nil {
		return nil, err
	}
	life, stop := context.WithCancel(c.ctx)
	defer context.AfterFunc(ctx, stop)() // until start returns
	server, err := c.serve(life, name, wanted.ID)
	if err != nil {
		stop()
		return nil, err
	}
	started := &cluster{name: name, server: server, stop: stop}
	if err := c.populate(life, started, wanted.ID); err != nil {
		started.end()
		return nil, err
	}
	return started, nil
}

// serve starts the cluster's API server, or gives it its part of the shared one.
func (c *clusters) serve(life context.Context, name, id string) (apiServer, error) {
	if c.shared != nil {
		return c.shared.part(serverName(id)), nil
	}
	server, err := controlplane.Start(life, controlplane.Options{
		Name:     serverName(id),
		Dir:      c.layout.workload(serverName(id)),
		Etcd:     c.etcd,
		CA:       c.ca,
		AuditLog: c.layout.ClusterAudit(name),
		Log:      c.log.WithValues("cluster", name),
	})
	if err != nil {
		return nil, err // and not a nil *Server in an interface
	}
	return server, nil
}

// populate starts what turns an API server into a cluster. A shared one has its controllers and its scheduler, and only nodes
// are each cluster's own: who may pull what depends on the cluster.
func (c *clusters) populate(ctx context.Context, started *cluster, id string) error {
	cfg := started.server.Config()
	client, err := kubernetes.NewForConfig(named(cfg, "azure"))
	if err != nil {
		return fmt.Errorf("make client for cluster %s: %w", started.name, err)
	}
	started.client = client
	nodes := c.kubelet
	nodes.Pull = c.registries.puller(id)
	if c.shared != nil {
		return kubelet.Start(ctx, cfg, nodes)
	}
	return errors.Join(
		controlplane.StartControllers(ctx, cfg),
		controlplane.StartScheduler(ctx, cfg),
		kubelet.Start(ctx, cfg, nodes),
	)
}

// named is cfg with a user agent by which the audit logs tell the stack's parts apart.
func named(cfg *rest.Config, part string) *rest.Config {
	cfg = rest.CopyConfig(cfg)
	cfg.UserAgent = "fleetwright-localstack/" + part
	return cfg
}

// DeleteCluster ends the API server of a managed cluster and forgets its data, files and logs. Its directory goes last: it
// holds the name of the others, for the next try when this one is interrupted.
func (c *clusters) DeleteCluster(ctx context.Context, id string) error {
	if have := c.get(id); have != nil {
		have.end()
		c.mu.Lock()
		delete(c.running, strings.ToLower(id))
		c.mu.Unlock()
	}
	server := serverName(id)
	if err := c.forget(ctx, server); err != nil {
		return err
	}
	name, err := c.nameOf(server)
	if err != nil {
		return err
	}
	if name != "" {
		for _, file := range []string{c.layout.ClusterKubeconfig(name), c.layout.ClusterAudit(name)} {
			if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
				return fmt.Errorf("remove a file of cluster %s: %w", name, err)
			}
		}
	}
	if err := os.RemoveAll(c.layout.workload(server)); err != nil {
		return fmt.Errorf("remove the files of cluster %s: %w", server, err)
	}
	c.log.Info("Cluster deleted", "cluster", name, "id", id)
	return nil
}

func (c *clusters) forget(ctx context.Context, server string) error {
	if c.shared != nil {
		return c.shared.forget(ctx, server)
	}
	return c.etcd.Forget(ctx, server)
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
