package ladder

import (
	"testing"
	"time"

	"github.com/fleetwright/fleetwright/drain"
)

// TestDeadlinesStop says where a deadline that is over does nothing: on a node that was given up, and while somebody has
// opened a node to stop the drain, whatever the blocker.
func TestDeadlinesStop(t *testing.T) {
	in30 := ending(drain.DeadlineQuarantine, 30*time.Minute)
	facts := forceFacts(func(f *Facts) {
		f.Nodes = map[string]Node{"old-1": {UID: "uid-1"}, "old-2": {UID: "uid-2"}}
		f.Pods = append(f.Pods, running("lone", ""), running("a", "job-etl"), running("two", "", "shop/cart", "shop/x"))
	})
	policy := drain.Policy{Started: started, Deadline: drain.Deadline{Action: drain.DeadlineQuarantine}}
	blockers := map[string]drain.Blocker{
		"a budget": cart(forceIn30), "nobody brings it back": lone("lone"), "a rule waits": batch("a"), "to be given up": cart(in30),
		"two budgets": cart(forceIn30, because(drain.ReasonMultipleBudgets, "x"), func(b *drain.Blocker) { b.UID = "uid-two" }),
	}
	for name, b := range blockers {
		plan := planOf(b)
		if got := only(Decide(plan, facts, policy, noon), ActionForce, ActionQuarantine); len(got) != 1 {
			t.Errorf("%s: steps %q, want one", name, got)
		}
		plan.Nodes[1].Cordoned = false
		if got := only(Decide(plan, facts, policy, noon)); len(got) > 0 {
			t.Errorf("%s: steps %q while a node is open", name, got)
		}
		plan = planOf(b)
		plan.Nodes[1].Quarantined = true
		if got := only(Decide(plan, facts, policy, noon), ActionForce, ActionQuarantine); len(got) != 1 {
			t.Errorf("%s: steps %q while another node is given up, want one", name, got)
		}
		plan.Nodes[0].Quarantined = true
		if got := only(Decide(plan, facts, policy, noon), ActionForce); len(got) > 0 {
			t.Errorf("%s: steps %q on a node that was given up", name, got)
		}
	}
}
