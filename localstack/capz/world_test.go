package capz_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/fleetwright/fleetwright/internal/azure/sim"
	"github.com/fleetwright/fleetwright/localstack/controlplane"
	"github.com/fleetwright/fleetwright/localstack/kubelet"
)

// world runs a real API server with simulated nodes behind each managed cluster, and nothing else: no workloads here.
type world struct {
	ctx  context.Context
	dir  string
	etcd *controlplane.Etcd

	mu      sync.Mutex
	servers map[string]*running
}

type running struct {
	server *controlplane.Server
	client kubernetes.Interface
	stop   context.CancelFunc
}

var _ sim.Kubernetes = &world{}

func (w *world) EnsureCluster(_ context.Context, cluster sim.Cluster) ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	key := strings.ToLower(cluster.ID)
	if have := w.servers[key]; have != nil {
		return have.server.Kubeconfig()
	}
	ctx, stop := context.WithCancel(w.ctx)
	server, err := controlplane.Start(ctx, controlplane.Options{
		Name: "aks-" + cluster.Name, Dir: filepath.Join(w.dir, cluster.Name), Etcd: w.etcd,
	})
	if err != nil {
		stop()
		return nil, err
	}
	client, err := kubernetes.NewForConfig(server.Config())
	if err == nil {
		err = kubelet.Start(ctx, server.Config(), kubelet.Settings{})
	}
	if err != nil {
		stop()
		return nil, err
	}
	w.servers[key] = &running{server: server, client: client, stop: stop}
	return server.Kubeconfig()
}

func (w *world) DeleteCluster(_ context.Context, id string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	key := strings.ToLower(id)
	if have := w.servers[key]; have != nil {
		have.stop()
		delete(w.servers, key)
	}
	return nil
}

func (w *world) of(id string) *running {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.servers[strings.ToLower(id)]
}

func (w *world) EnsureNode(ctx context.Context, id string, node sim.Node) error {
	have := w.of(id)
	if have == nil {
		return fmt.Errorf("cluster %s does not run", id)
	}
	taints := make([]corev1.Taint, 0, len(node.Taints))
	for _, taint := range node.Taints {
		taints = append(taints, corev1.Taint{Key: taint.Key, Value: taint.Value, Effect: corev1.TaintEffect(taint.Effect)})
	}
	return kubelet.EnsureNode(ctx, have.client, kubelet.Node{
		Name: node.Name, ProviderID: node.ProviderID, Labels: node.Labels, Version: node.Version, Taints: taints,
		VMSize: node.VMSize, Zone: node.Zone, OSImage: node.OSImage, CPU: node.CPU, MemoryBytes: node.MemoryBytes, Pods: node.Pods,
	})
}

func (w *world) DeleteNode(ctx context.Context, id, name string) error {
	have := w.of(id)
	if have == nil {
		return nil
	}
	return kubelet.DeleteNode(ctx, have.client, name)
}

// stop ends all servers and waits for them.
func (w *world) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for key, have := range w.servers {
		have.stop()
		_ = have.server.Wait()
		delete(w.servers, key)
	}
}
