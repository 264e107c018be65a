package drain

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// Plan is one round of a drain: what to evict now, what is in the way, how far it is, and when to look again.
type Plan struct {
	// Evict are the evictions of this round, the longest chain first. Send them with Evict.
	Evict []Eviction
	// Blockers are pods that cannot go now, the worst first. Pods behind the same budget or the same controller are
	// one entry. Not every blocker is trouble: see Blocker.Stuck.
	Blockers []Blocker
	// Consented are running pods that stay by their own label or a rule and do not keep their node from being empty. Whoever
	// deletes the node ends them.
	Consented []types.NamespacedName
	// Nodes is the progress node by node, sorted by name.
	Nodes []NodeProgress
	// Remaining is the number of pods that must go and are still there, Leaving how many of them are terminating.
	Remaining int
	Leaving   int
	// Empty says that every node is cordoned and holds nothing but daemon, mirror, finished and consenting pods.
	Empty bool
	// Summary is one sentence for people, without a full stop.
	Summary string
	// CheckAgain is how long to wait before the next look, unless something moves earlier. Zero when Empty.
	CheckAgain time.Duration
}

// Eviction is one pod to evict now.
type Eviction struct {
	Pod types.NamespacedName
	// UID is sent as precondition, so that a pod that was replaced under the same name is left alone.
	UID  types.UID
	Node string
	// Budget is the PodDisruptionBudget (namespace/name) that covers the pod, empty if none does. Evict never has two
	// requests with the same budget under way.
	Budget string
	// Owner is the controller as people know it, "Deployment/cart"; empty if there is none.
	Owner string
	// Why is a short reason for logs and events.
	Why string
	// chain is the number of rounds the pod's lane needs at best; the longest goes first.
	chain int
	// free says that the eviction asks nothing of its budget.
	free bool
	// known is what a blocker says of the pod if the eviction is refused.
	known Blocker
}

// NodeProgress is how far one node is.
type NodeProgress struct {
	Name      string
	Cordoned  bool
	Remaining int
	Leaving   int
	// Empty says that the node is cordoned and Remaining is zero.
	Empty bool
	// Quarantined says that the node was given up and keeps its pods until they leave by themselves.
	Quarantined bool
}

// NodesEmpty counts the empty nodes.
func (p Plan) NodesEmpty() int {
	n := 0
	for _, node := range p.Nodes {
		if node.Empty {
			n++
		}
	}
	return n
}

// quarantined counts the nodes that were given up and are not empty.
func (p Plan) quarantined() int {
	n := 0
	for _, node := range p.Nodes {
		if node.Quarantined && !node.Empty {
			n++
		}
	}
	return n
}

// Cordoned says that every node was cordoned, or gone, when it was read.
func (p Plan) Cordoned() bool {
	return !slices.ContainsFunc(p.Nodes, func(n NodeProgress) bool { return !n.Cordoned })
}

// Staying names the pods of Consented for a sentence about the end of their node, with a leading space: " but for 2
// pods ...". It is empty when there are none.
func (p Plan) Staying() string {
	const named = 3
	if len(p.Consented) == 0 {
		return ""
	}
	names := make([]string, 0, named+1)
	for _, pod := range p.Consented[:min(len(p.Consented), named)] {
		names = append(names, pod.String())
	}
	if more := len(p.Consented) - named; more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	return fmt.Sprintf(" but for %s that their label or rule leaves to end with it: %s", count(len(p.Consented), "pod", "pods"), strings.Join(names, ", "))
}

// String returns the plan in one line, stable for one snapshot.
func (p Plan) String() string {
	return fmt.Sprintf("evict %d, remaining %d, leaving %d: %s", len(p.Evict), p.Remaining, p.Leaving, p.Summary)
}
