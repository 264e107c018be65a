// Package cluster runs what a drain benchmark drains: a real control plane with simulated nodes in two pools.
package cluster

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/fleetwright/fleetwright/localstack/controlplane"
	"github.com/fleetwright/fleetwright/localstack/kubelet"
)

// kubeletWorkers is how many changes of pods are written at once: enough that the simulated nodes are not what limits a drain.
const kubeletWorkers = 32

// Cluster is a kube-apiserver with its own etcd, and once Run was called with controllers, scheduler and kubelets.
type Cluster struct {
	// Kubeconfig is the file a drainer's process reads.
	Kubeconfig string
	Client     kubernetes.Interface

	config *rest.Config
	etcd   *controlplane.Etcd
	server *controlplane.Server
	cancel context.CancelFunc
	uids   map[string]types.UID
}

// Start brings up the API server. Its files go to a folder that goes away with Close. Two must not be started at the same time,
// because Kubernetes' packages share registries while a server is built.
func Start(name, folder string) (*Cluster, error) {
	c := &Cluster{uids: map[string]types.UID{}}
	ctx, cancel := context.WithCancel(context.Background())
	c.cancel = cancel
	if err := c.start(ctx, name, filepath.Join(folder, name)); err != nil {
		c.Close()
		return nil, fmt.Errorf("start cluster %s: %w", name, err)
	}
	return c, nil
}

func (c *Cluster) start(ctx context.Context, name, folder string) (err error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	if c.etcd, err = controlplane.StartEtcd(ctx, filepath.Join(folder, "etcd")); err != nil {
		return err
	}
	if c.server, err = controlplane.Start(ctx, controlplane.Options{Name: name, Dir: filepath.Join(folder, "server"), Etcd: c.etcd}); err != nil {
		return err
	}
	c.Kubeconfig, c.config = c.server.KubeconfigFile(), c.server.Config()
	config := rest.CopyConfig(c.config)
	config.UserAgent = "bench-harness"
	c.Client, err = kubernetes.NewForConfig(config)
	return err
}

// Run starts the controllers, the scheduler and the kubelets of all nodes, until Close.
func (c *Cluster) Run() error {
	ctx, cancel := context.WithCancel(context.Background())
	before := c.cancel
	c.cancel = func() { cancel(); before() }
	if err := controlplane.StartControllers(ctx, c.config); err != nil {
		return err
	}
	if err := controlplane.StartScheduler(ctx, c.config); err != nil {
		return err
	}
	return kubelet.Start(ctx, c.config, kubelet.Settings{Seed: 1, Workers: kubeletWorkers})
}

// Close ends everything and waits for it.
func (c *Cluster) Close() {
	c.cancel()
	if c.server != nil {
		_ = c.server.Wait() // what it says at its end is about connections we have cut
	}
	if c.etcd != nil {
		c.etcd.Close()
	}
}
