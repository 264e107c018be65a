package cluster

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/fleetwright/fleetwright/drain"
	"github.com/fleetwright/fleetwright/localstack/kubelet"
)

const (
	writers  = 16
	poolName = "pool"
	// nodeCPU is high because the scheduler takes pods without requests for 100 m each.
	nodeCPU = 64
)

// AddPool registers n nodes, cordoned, and returns their names. They get Ready once Run was called.
func (c *Cluster) AddPool(ctx context.Context, pool string, n int) ([]string, error) {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("%s-%04d", pool, i)
	}
	err := each(ctx, names, func(ctx context.Context, name string) error {
		node := kubelet.Node{Name: name, ProviderID: "bench:///" + name, Version: "v1.36.3", Labels: map[string]string{poolName: pool}, CPU: nodeCPU}
		if err := kubelet.EnsureNode(ctx, c.Client, node); err != nil {
			return err
		}
		return c.cordon(ctx, name, true)
	})
	if err != nil {
		return nil, fmt.Errorf("add pool %s: %w", pool, err)
	}
	nodes, err := c.Client.CoreV1().Nodes().List(ctx, metav1.ListOptions{LabelSelector: poolName + "=" + pool})
	if err != nil {
		return nil, fmt.Errorf("list nodes of pool %s: %w", pool, err)
	}
	for _, node := range nodes.Items {
		c.uids[node.Name] = node.UID
	}
	return names, nil
}

// WaitNodes waits until all nodes are Ready.
func (c *Cluster) WaitNodes(ctx context.Context) error {
	return wait.PollUntilContextTimeout(ctx, 200*time.Millisecond, 2*time.Minute, true, func(ctx context.Context) (bool, error) {
		nodes, err := c.Client.CoreV1().Nodes().List(ctx, metav1.ListOptions{ResourceVersion: "0"})
		if err != nil {
			return false, err
		}
		for _, node := range nodes.Items {
			if len(node.Status.Conditions) == 0 || node.Status.Conditions[0].Status != corev1.ConditionTrue || !onlyCordoned(node.Spec) {
				return false, nil
			}
		}
		return len(nodes.Items) == len(c.uids), nil
	})
}

func onlyCordoned(spec corev1.NodeSpec) bool {
	for _, t := range spec.Taints {
		if t.Key != corev1.TaintNodeUnschedulable {
			return false
		}
	}
	return true
}

// Refs names nodes for a drainer.
func (c *Cluster) Refs(names []string) []drain.NodeRef {
	refs := make([]drain.NodeRef, len(names))
	for i, name := range names {
		refs[i] = drain.NodeRef{Name: name, UID: c.uids[name]}
	}
	return refs
}

// Cordon closes or opens nodes.
func (c *Cluster) Cordon(ctx context.Context, names []string, closed bool) error {
	return each(ctx, names, func(ctx context.Context, name string) error { return c.cordon(ctx, name, closed) })
}

func (c *Cluster) cordon(ctx context.Context, name string, closed bool) error {
	patch := fmt.Appendf(nil, `{"spec":{"unschedulable":%t}}`, closed)
	_, err := c.Client.CoreV1().Nodes().Patch(ctx, name, types.StrategicMergePatchType, patch, metav1.PatchOptions{})
	return err
}
