package fit

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/kubernetes/pkg/scheduler/framework"
)

// growing is a pool that may get more nodes, with an example of a node for each zone.
type growing struct {
	Growth
	examples []example
	made     int
}

// example is a node that the pool has, and what every node of the pool runs.
type example struct {
	node    *corev1.Node
	daemons []*framework.PodInfo
}

func growths(w *World, nodes *nodeList, daemons map[string][]*framework.PodInfo) []*growing {
	pools := make([]*growing, 0, len(w.Growth))
	for _, g := range w.Growth {
		pool := &growing{Growth: g}
		zones := map[string]bool{}
		for _, name := range slices.Sorted(slices.Values(g.Like)) {
			node := nodes.byName[name]
			if node == nil || zones[node.Node().Labels[corev1.LabelTopologyZone]] {
				continue
			}
			zones[node.Node().Labels[corev1.LabelTopologyZone]] = true
			pool.examples = append(pool.examples, example{node.Node(), daemons[name]})
		}
		pools = append(pools, pool)
	}
	return pools
}

// maxShort bounds Report.Short, and with it how long it takes to find out.
const maxShort = 1000

// grow adds a node that takes the pod, as the autoscaler would. Nil means that no pool has such a node to give.
func (s *simulation) grow(t *attempt) *framework.NodeInfo {
	if t.only != nil {
		return nil // it names the nodes it wants
	}
	for i, pool := range s.pools {
		if pool.made >= pool.More && !(s.beyond && i == 0 && pool.made < pool.More+maxShort) {
			continue
		}
		for _, like := range pool.examples {
			node := like.another(fmt.Sprintf("%s-new-%d", pool.Pool, pool.made+1))
			if !s.scheduler.RunFilterPlugins(s.context, t.state, t.class.info.Pod, node).IsSuccess() {
				continue
			}
			pool.made++
			s.grown++
			s.nodes.like[node.Node().Name] = like.node.Name
			s.nodes.add(node)
			return node
		}
	}
	return nil
}

// another is a new node like the example: open, without what was said about the example alone, and with the pods that
// every node has.
func (e example) another(name string) *framework.NodeInfo {
	node := &corev1.Node{}
	node.Name = name
	node.Labels = maps.Clone(e.node.Labels)
	if node.Labels == nil {
		node.Labels = map[string]string{}
	}
	node.Labels[corev1.LabelHostname] = name
	node.Status.Allocatable = e.node.Status.Allocatable
	for _, taint := range e.node.Spec.Taints {
		if !strings.HasPrefix(taint.Key, "node.kubernetes.io/") && !strings.HasPrefix(taint.Key, "node.cloudprovider.kubernetes.io/") {
			node.Spec.Taints = append(node.Spec.Taints, taint)
		}
	}
	info := framework.NewNodeInfo()
	info.SetNode(node)
	for _, pod := range e.daemons {
		info.AddPodInfo(pod)
	}
	return info
}

// closed is the node as it will be while it is emptied: with the taint, too, that spreading may look at.
func closed(node *corev1.Node) *corev1.Node {
	copied := *node
	copied.Spec.Unschedulable = true
	taint := corev1.Taint{Key: corev1.TaintNodeUnschedulable, Effect: corev1.TaintEffectNoSchedule}
	if !slices.ContainsFunc(node.Spec.Taints, func(t corev1.Taint) bool { return t.MatchTaint(&taint) }) {
		copied.Spec.Taints = append(slices.Clone(node.Spec.Taints), taint)
	}
	return &copied
}

// short is how many nodes more than it may have the first pool would need.
func (s *simulation) short(unfit []*class) (int, error) {
	if len(s.pools) == 0 || len(unfit) == 0 {
		return 0, nil
	}
	s.beyond = true
	before := s.pools[0].made
	if err := s.placeAll(unfit); err != nil {
		return 0, err
	}
	return s.pools[0].made - before, nil
}
