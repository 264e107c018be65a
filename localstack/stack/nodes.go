package stack

import (
	"context"
	"fmt"
	"maps"

	corev1 "k8s.io/api/core/v1"

	"github.com/fleetwright/fleetwright/internal/azure/sim"
	"github.com/fleetwright/fleetwright/localstack/kubelet"
)

// EnsureNode registers a machine as a node of its cluster, or brings the registered node up to date.
func (c *clusters) EnsureNode(ctx context.Context, clusterID string, n sim.Node) error {
	have := c.get(clusterID)
	if have == nil {
		return fmt.Errorf("cluster %s does not run", clusterID)
	}
	node := kubelet.Node{
		Name: n.Name, ProviderID: n.ProviderID, Labels: n.Labels, Version: n.Version,
		VMSize: n.VMSize, Zone: n.Zone, OSImage: n.OSImage,
		CPU: n.CPU, MemoryBytes: n.MemoryBytes, Pods: n.Pods,
	}
	if c.shared != nil {
		node.Labels = maps.Clone(n.Labels)
		if node.Labels == nil {
			node.Labels = map[string]string{}
		}
		node.Labels[clusterLabel] = serverName(clusterID)
	}
	for _, t := range n.Taints {
		node.Taints = append(node.Taints, corev1.Taint{Key: t.Key, Value: t.Value, Effect: corev1.TaintEffect(t.Effect)})
	}
	return kubelet.EnsureNode(ctx, have.client, node)
}

// DeleteNode removes a node whose machine is gone, and its pods with it: nobody asks them to leave.
func (c *clusters) DeleteNode(ctx context.Context, clusterID, name string) error {
	have := c.get(clusterID)
	if have == nil {
		return nil // it goes with its cluster
	}
	return kubelet.DeleteNode(ctx, have.client, name)
}
