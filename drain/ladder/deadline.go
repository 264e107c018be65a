package ladder

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/fleetwright/fleetwright/drain"
)

const (
	// helpTakes is how long a helping step may take before a deadline that is over no longer waits for it.
	helpTakes = 10 * time.Minute
	// endTakes is how much longer than its grace period a pod that was deleted is waited for.
	endTakes = time.Minute
)

// end does what the blocker's deadline says, once it is over.
func (t *turn) end(b drain.Blocker) {
	// The pods of a node that was given up are left until they leave by themselves.
	force, quarantine := forceDue(b, t.now) && !t.givenUp(b.Node), quarantineDue(b, t.now)
	if !force && !quarantine {
		return
	}
	if why := t.helpUnderWay(b); why != "" {
		t.skip(podOf(b), "does not act on the deadline of "+podOf(b).String(), why)
		return
	}
	if force {
		t.force(b)
		return
	}
	for _, name := range nodesOf(b) {
		t.quarantine(b, name)
	}
}

// helpUnderWay says which helping step of the last ten minutes may still make the deadline's action unnecessary.
func (t *turn) helpUnderWay(b drain.Blocker) string {
	d, ok := t.deploymentOf(b)
	if !ok || !heldByBudget(b) {
		return ""
	}
	young := func(since time.Time) bool { return t.now.Sub(since) < helpTakes }
	switch {
	case t.helped[d.UID]:
		return d.String() + " is being helped now"
	case d.ScaledUp.yes() && young(d.ScaledUp.since()):
		return d.String() + " was scaled up at " + d.ScaledUp.since().UTC().Format(time.RFC3339)
	case !t.restartedForThis(d):
		return ""
	case d.RestartRuns.IsZero() && young(d.RestartedAt):
		return d.String() + " was restarted and its controller has not begun"
	case young(d.RestartRuns):
		return d.String() + " was restarted at " + d.RestartRuns.UTC().Format(time.RFC3339)
	}
	return ""
}

func (t *turn) givenUp(node string) bool {
	return slices.ContainsFunc(t.plan.Nodes, func(n drain.NodeProgress) bool { return n.Name == node && n.Quarantined })
}

func (t *turn) quarantine(b drain.Blocker, name string) {
	node, known := t.facts.Nodes[name]
	if !known || node.Quarantined || t.ended["node "+name] {
		return
	}
	t.ended["node "+name] = true
	t.add(Step{
		Action: ActionQuarantine,
		Object: Object{APIVersion: "v1", Kind: "Node", Name: name, UID: node.UID},
		Does:   "gives node " + name + " up",
		Why:    fmt.Sprintf("%s is in the way since %s, and %s", b, b.Since.UTC().Format(time.RFC3339), deadlineOf(b)),
		Patch:  quarantinePatch(node, b.Reason, t.facts.Drain),
	})
}

// unquarantine takes the label off where this drain has set it and it means nothing any more.
func (t *turn) unquarantine() {
	empty := map[string]bool{}
	for _, n := range t.plan.Nodes {
		empty[n.Name] = n.Empty
	}
	for _, name := range slices.Sorted(maps.Keys(t.facts.Nodes)) {
		node := t.facts.Nodes[name]
		if !node.Quarantined || node.By != t.facts.Drain {
			continue
		}
		switch {
		case empty[name]:
			t.add(unquarantineStep(name, node, "it is empty"))
		case !quarantines(t.policy):
			t.add(unquarantineStep(name, node, "the drain's policy no longer has the deadline "+string(drain.DeadlineQuarantine)))
		}
	}
}

func unquarantineStep(name string, node Node, why string) Step {
	return Step{
		Action: ActionUnquarantine,
		Object: Object{APIVersion: "v1", Kind: "Node", Name: name, UID: node.UID},
		Does:   "takes node " + name + " back", Why: why, Patch: unquarantinePatch(node),
	}
}

// deadlineOf names whose wish it is.
func deadlineOf(b drain.Blocker) string {
	whose := "the drain's policy"
	if b.Rule != "" {
		whose = "rule " + b.Rule
	}
	return fmt.Sprintf("%s says %s after %s", whose, b.Deadline.Action, b.Deadline.After)
}
