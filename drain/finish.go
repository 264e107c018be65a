package drain

import (
	"fmt"
	"time"
)

// finish adds what follows from the round as a whole: order, emptiness, words and the next look.
func (d *decision) finish() Plan {
	plan := &d.plan
	for _, b := range d.blockers {
		plan.Blockers = append(plan.Blockers, *b)
	}
	for _, n := range d.Nodes {
		progress := *d.progress[n.Name]
		progress.Empty = progress.Cordoned && progress.Remaining == 0
		plan.Nodes = append(plan.Nodes, progress)
		if !progress.Cordoned {
			plan.Blockers = append(plan.Blockers, notCordoned(n.Name, d.policy))
		}
	}
	sortBlockers(plan.Blockers)
	plan.Empty = len(plan.Nodes) > 0 && plan.NodesEmpty() == len(plan.Nodes)
	plan.Summary = summary(*plan, "to evict now", len(plan.Evict))
	plan.CheckAgain = d.checkAgain()
	return *plan
}

func notCordoned(node string, policy Policy) Blocker {
	return Blocker{
		Node: node, Nodes: []string{node}, Since: policy.Started,
		Reason: ReasonNotCordoned, Message: "it still takes pods and must be cordoned first",
	}
}

// checkAgain looks soon while something moves or may move at any moment, and rarely while all wait for people.
func (d *decision) checkAgain() time.Duration {
	soon := d.policy.LookAgain
	switch {
	case d.plan.Empty:
		return 0
	case d.hold.left > soon:
		return d.hold.left
	case d.moving || len(d.plan.Evict) > 0:
		return soon
	}
	for _, b := range d.plan.Blockers {
		passing := b.Reason == ReasonPodDisruptionBudget || b.Reason == ReasonReplacementNotReady
		if passing && !b.Since.IsZero() && d.now.Sub(b.Since) < d.policy.ReplacementTimeout {
			return soon
		}
	}
	return max(soon, d.policy.LookAgainBlocked)
}

// summary ends with the worst blocker; what says what happened or happens to moved pods.
func summary(p Plan, what string, moved int) string {
	total, empty := len(p.Nodes), p.NodesEmpty()
	switch {
	case total == 0:
		return "no node was named, so nothing is drained"
	case p.Empty:
		return fmt.Sprintf("%s empty", count(total, "node is", "nodes are"))
	}
	s := fmt.Sprintf("%d of %s empty, %s left", empty, count(total, "node", "nodes"), count(p.Remaining, "pod", "pods"))
	if n := p.quarantined(); n > 0 {
		s += fmt.Sprintf(", %d given up", n)
	}
	if p.Leaving > 0 {
		s += fmt.Sprintf(", %d leaving", p.Leaving)
	}
	if moved > 0 {
		s += fmt.Sprintf(", %d %s", moved, what)
	}
	if len(p.Blockers) > 0 {
		s += "; waits for " + p.Blockers[0].String()
	}
	return s
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
