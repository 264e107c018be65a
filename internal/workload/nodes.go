package workload

import (
	"context"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/drain"
)

// PoolLabel is AKS' own label of a node's pool.
const PoolLabel = "kubernetes.azure.com/agentpool"

const (
	// pageSize keeps one answer small: a Node of AKS is 11 KB on the wire and 60 KB
	// in memory until its page is slimmed, and twenty clusters may be read at once.
	pageSize = 100
	// maxNodes is twice what AKS allows, so that a list without end does not fill
	// our memory.
	maxNodes = 10_000
	// pagePatience is how long a page of Nodes may take, which a server that lives
	// answers within a second. Evictions have requestTimeout.
	pagePatience = 10 * time.Second
	// listPatience is how long all pages may take together.
	listPatience = time.Minute
)

var errTooManyNodes = fmt.Errorf("there are more than %d", maxNodes)

// Node is what matters of a Node of a workload cluster: a hundredth of it.
type Node struct {
	Name       string
	UID        types.UID
	ProviderID string
	// Labels are only those that say to which pool and which zone it belongs.
	Labels map[string]string
	// Unschedulable is true when it is cordoned, CordonedByUs when it has our mark.
	Unschedulable, CordonedByUs bool
	// Quarantined is true for one that was given up, and keeps its pods until they
	// leave by themselves.
	Quarantined bool
	// Ready is the condition, and ReadySince when it last changed.
	Ready      bool
	ReadySince time.Time
	// Deleting is true once its Node object is being deleted.
	Deleting       bool
	KubeletVersion string
}

func slim(n *corev1.Node) Node {
	_, ours := n.Annotations[fleetwrightv1.AnnotationCordoned]
	_, quarantined := n.Labels[drain.LabelQuarantined]
	out := Node{
		Name: n.Name, UID: n.UID, ProviderID: n.Spec.ProviderID, Labels: map[string]string{},
		Unschedulable: n.Spec.Unschedulable, CordonedByUs: ours, Quarantined: quarantined,
		Deleting: !n.DeletionTimestamp.IsZero(), KubeletVersion: n.Status.NodeInfo.KubeletVersion,
	}
	for key, value := range n.Labels {
		if key == PoolLabel || strings.HasSuffix(key, "/zone") {
			out.Labels[key] = value
		}
	}
	for _, c := range n.Status.Conditions {
		if c.Type == corev1.NodeReady {
			out.Ready, out.ReadySince = c.Status == corev1.ConditionTrue, c.LastTransitionTime.Time
		}
	}
	return out
}

// listNodes reads all Nodes, page by page, and slims each page at once. A list
// that could not be read to its end is an error, never a shorter list.
func (c *Clusters) listNodes(ctx context.Context, api kubernetes.Interface) ([]Node, error) {
	ctx, cancel := context.WithTimeout(ctx, listPatience)
	defer cancel()
	var out []Node
	options := metav1.ListOptions{Limit: pageSize}
	for {
		page, err := c.page(ctx, api, options)
		if err != nil {
			return nil, fmt.Errorf("list nodes: %w", err)
		}
		for i := range page.Items {
			out = append(out, slim(&page.Items[i]))
		}
		if len(out) > maxNodes {
			return nil, fmt.Errorf("list nodes: %w", errTooManyNodes)
		}
		if page.Continue == "" {
			return out, nil
		}
		options.Continue = page.Continue
	}
}

func (c *Clusters) page(ctx context.Context, api kubernetes.Interface, options metav1.ListOptions) (*corev1.NodeList, error) {
	ctx, cancel := context.WithTimeout(ctx, c.patience)
	defer cancel()
	return api.CoreV1().Nodes().List(ctx, options)
}
