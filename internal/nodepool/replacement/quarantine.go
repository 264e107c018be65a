package replacement

import (
	"fmt"
	"strings"
	"time"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// whileQuarantined is how often nodes that were given up are looked at: people
// free them, or their pods end by themselves.
const whileQuarantined = time.Minute

// quarantined is the wait for nodes that were given up and hold the last pods of
// the pool; nil while there are pods to evict elsewhere. Nothing is evicted from
// them, and the pool is not deleted.
func (l *look) quarantined(p Pool) *Plan {
	if d := p.Drain; !d.Closed || d.Elsewhere > 0 || len(d.Quarantined) == 0 {
		return nil
	}
	return &Plan{
		Verdict: Waiting, Reason: fleetwrightv1.ReasonDrainQuarantined, CheckAgain: whileQuarantined,
		Step:    string(fleetwrightv1.ReplacementStepDrainingBlue),
		Message: fmt.Sprintf("pool %s stays until the pods on %s have left, where nothing is evicted any more: %s", p.Name, quarantinedNodes(p.Drain.Quarantined), p.Drain.Summary),
	}
}

// quarantinedNodes names the nodes for a sentence; more than a few are counted.
func quarantinedNodes(nodes []string) string {
	const named = 3
	if len(nodes) == 1 {
		return "quarantined node " + nodes[0]
	}
	names := strings.Join(nodes[:min(len(nodes), named)], ", ")
	if more := len(nodes) - named; more > 0 {
		names += fmt.Sprintf(" and %d more", more)
	}
	return "quarantined nodes " + names
}

// isQuarantined is true for a plan that waits for nodes that were given up:
// whatever else can be done goes first.
func isQuarantined(p *Plan) bool { return p != nil && p.Reason == fleetwrightv1.ReasonDrainQuarantined }

// givenUp counts the nodes of a pool that were given up. They take no pods and do
// not leave, so a shift neither chooses them nor has them among the nodes that
// maxSurge bounds.
func (p Pool) givenUp() (n int) {
	for _, node := range p.Nodes {
		if node.Quarantined {
			n++
		}
	}
	return n
}
