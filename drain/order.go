package drain

import (
	"cmp"
	"math"
	"strconv"
	"strings"
)

// candidate is a pod that must go, with what Classify says about it.
type candidate struct {
	Pod
	verdict Verdict
	// givenUp says that the pod's node is in quarantine: nobody evicts it any more.
	givenUp bool
}

// lowestOrders returns, for each node, the lowest order among the pods that must still leave it. Only pods of that order
// are evicted, so the next one begins when the last of them is gone. This is Cluster API's order, node by node: terminating
// pods and those that are waited for hold the next order back as well, the latter with order 0.
func lowestOrders(pods []candidate) map[string]int32 {
	lowest := map[string]int32{}
	for _, c := range pods {
		if order, ok := lowest[c.Node]; !ok || c.verdict.Order < order {
			lowest[c.Node] = c.verdict.Order
		}
	}
	return lowest
}

// compareTurns puts the pod first that should leave its lane first, given how many pods are left on each node.
//
// The lane of n pods, of which b may be away at once, takes about (ceil(n/b)-1)*slot + g. A slot is the time until the
// replacement is ready, and g the termination of the last pod. What the drain chooses is which pod is last:
//
//   - Pods that are not ready go first: nobody misses them, and they need no slot.
//   - Pods of a StatefulSet go from the highest ordinal down, as their controller itself takes them away. Their order costs
//     nothing, since the replacement starts after the old pod is gone: each slot holds one whole termination.
//   - Otherwise the pod that takes longest to end goes first, so that it ends while others wait for their slot, and
//     the chain closes with a short termination.
//   - Then the pod on the node with the fewest pods left, so that nodes become empty, and can be given back, early.
//
// What is the same in all of this goes by name.
func compareTurns(a, b *Pod, left func(node string) int) int {
	aSet, aOrdinal := ordinalOf(a)
	bSet, bOrdinal := ordinalOf(b)
	return cmp.Or(
		-compareBools(!a.Ready, !b.Ready),
		-compareBools(aSet != "", bSet != ""), strings.Compare(aSet, bSet), cmp.Compare(bOrdinal, aOrdinal),
		cmp.Compare(b.Grace, a.Grace),
		cmp.Compare(left(a.Node), left(b.Node)),
		comparePods(*a, *b),
	)
}

func compareBools(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	default:
		return -1
	}
}

// labelPodIndex is set by the StatefulSet controller since Kubernetes 1.28.
const labelPodIndex = "apps.kubernetes.io/pod-index"

// ordinalOf returns the StatefulSet of the pod and its place in it, and "" for other pods. A pod whose ordinal cannot be
// read goes last.
func ordinalOf(p *Pod) (string, int) {
	if p.Controller.Kind != "StatefulSet" {
		return "", 0
	}
	set := p.Namespace + "/" + p.Controller.Name + " " + string(p.Controller.UID)
	digits, labelled := p.Labels[labelPodIndex]
	if !labelled {
		digits = p.Name[strings.LastIndexByte(p.Name, '-')+1:]
	}
	ordinal, err := strconv.Atoi(digits)
	if err != nil {
		return set, math.MinInt
	}
	return set, ordinal
}
