package drain

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
)

// NodeRef names a node to empty. With a UID, Observe insists on exactly that node.
type NodeRef struct {
	Name string
	UID  types.UID
}

// ErrNodeReplaced is wrapped by Observe's and Cordon's errors when a node of that name exists with another UID.
var ErrNodeReplaced = errors.New("another node has taken the name")

// ErrNoNodes is returned by Observe when no node is named.
var ErrNoNodes = errors.New("no node to empty was named")

const (
	// fewNodes is up to how many nodes are read one by one, with their pods selected by node; more are read in one
	// paged list of all.
	fewNodes = 20
	// fewNamespaces is the same for namespaces whose controllers have pods elsewhere.
	fewNamespaces = 10
)

// Observe reads the nodes, then their pods, then the budgets, all live. The order matters: a pod that is missing was
// missing after the node was seen cordoned, and a budget's status is never older than the pods it is applied to.
// Any list that could not be read to its end is an error; an error means that nothing is known.
func Observe(ctx context.Context, client kubernetes.Interface, nodes []NodeRef, policy Policy, options ...ObserveOption) (Snapshot, error) {
	if len(nodes) == 0 {
		return Snapshot{}, ErrNoNodes
	}
	o := observer{client: client, policy: policy.withDefaults()}
	for _, option := range options {
		option(&o)
	}
	var s Snapshot
	var err error
	if s.Nodes, err = o.nodes(ctx, nodes); err != nil {
		return Snapshot{}, fmt.Errorf("read nodes to empty: %w", err)
	}
	if s.Pods, err = o.pods(ctx, s.Nodes); err != nil {
		return Snapshot{}, fmt.Errorf("list pods of nodes to empty: %w", err)
	}
	if err = o.daemonSets(ctx, s.Pods); err != nil {
		return Snapshot{}, fmt.Errorf("list daemon sets: %w", err)
	}
	if err = o.namespaces(ctx, s.Pods); err != nil {
		return Snapshot{}, fmt.Errorf("read the labels of namespaces: %w", err)
	}
	if s.Budgets, err = o.budgets(ctx, s.Pods); err != nil {
		return Snapshot{}, fmt.Errorf("list pod disruption budgets: %w", err)
	}
	if o.policy.WaitFor == WaitForReplacementReady {
		if err = o.crews(ctx, &s); err != nil {
			return Snapshot{}, fmt.Errorf("read controllers of pods without budget: %w", err)
		}
	}
	return s, nil
}

type observer struct {
	client kubernetes.Interface
	policy Policy
	// everything holds all slim pods of the cluster when one list of all was cheaper than many lists.
	everything []Pod
	// eachPod is set by the option EachPod.
	eachPod func() (visit func(*corev1.Pod))
}

func (o *observer) nodes(ctx context.Context, refs []NodeRef) ([]Node, error) {
	live, err := o.liveNodes(ctx, refs)
	if err != nil {
		return nil, err
	}
	nodes := make([]Node, 0, len(refs))
	for _, ref := range refs {
		node, ok := live[ref.Name]
		if !ok {
			node = Node{Name: ref.Name, UID: ref.UID, Gone: true}
		}
		if ref.UID != "" && ref.UID != node.UID {
			return nil, fmt.Errorf("node %s has uid %s, not %s: %w", ref.Name, node.UID, ref.UID, ErrNodeReplaced)
		}
		nodes = append(nodes, node)
	}
	return nodes, nil
}

func (o *observer) liveNodes(ctx context.Context, refs []NodeRef) (map[string]Node, error) {
	live := map[string]Node{}
	if len(refs) > fewNodes {
		all, err := listAll(ctx, o.client.CoreV1().Nodes().List, metav1.ListOptions{}, func(page *corev1.NodeList) []Node {
			return slimmed(page.Items, slimNode)
		})
		for _, node := range all {
			live[node.Name] = node
		}
		return live, err
	}
	for _, ref := range refs {
		node, err := o.client.CoreV1().Nodes().Get(ctx, ref.Name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		live[ref.Name] = slimNode(node)
	}
	return live, nil
}

func (o *observer) pods(ctx context.Context, nodes []Node) ([]Pod, error) {
	if len(nodes) > fewNodes || o.eachPod != nil {
		if err := o.readEverything(ctx); err != nil {
			return nil, err
		}
		wanted := map[string]bool{}
		for _, n := range nodes {
			wanted[n.Name] = true
		}
		return filter(o.everything, func(p Pod) bool { return p.Node != "" && wanted[p.Node] }), nil
	}
	var pods []Pod
	for _, n := range nodes {
		selector := fields.OneTermEqualSelector("spec.nodeName", n.Name).String()
		found, err := o.listPods(ctx, metav1.NamespaceAll, selector)
		if err != nil {
			return nil, err
		}
		pods = append(pods, found...)
	}
	return pods, nil
}

func (o *observer) readEverything(ctx context.Context) error {
	if o.everything != nil {
		return nil
	}
	list := o.visited(o.client.CoreV1().Pods(metav1.NamespaceAll).List)
	all, err := listAll(ctx, list, metav1.ListOptions{}, func(page *corev1.PodList) []Pod { return slimmed(page.Items, slimPod) })
	o.everything = all
	return err
}

func (o *observer) listPods(ctx context.Context, namespace, fieldSelector string) ([]Pod, error) {
	options := metav1.ListOptions{FieldSelector: fieldSelector}
	return listAll(ctx, o.client.CoreV1().Pods(namespace).List, options, func(page *corev1.PodList) []Pod {
		return slimmed(page.Items, slimPod)
	})
}

func filter[T any](items []T, keep func(T) bool) []T {
	var kept []T
	for _, item := range items {
		if keep(item) {
			kept = append(kept, item)
		}
	}
	return kept
}

// namespacesOf returns the namespaces of the pods that match, sorted.
func namespacesOf(pods []Pod, match func(Pod) bool) []string {
	found := map[string]bool{}
	for _, p := range pods {
		if match(p) {
			found[p.Namespace] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}
