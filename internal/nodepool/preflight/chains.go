package preflight

import (
	"math"
	"slices"
	"time"

	"github.com/fleetwright/fleetwright/drain"
)

// chains are the rows in which the drain engine lets the pods go, sorted by how long they take.
func (l *look) chains() []Chain {
	rows := map[string]*Chain{}
	widths, claims := l.widths(), l.singleNodeClaims()
	bound := map[Workload]bool{}
	for _, v := range l.pinnedVolumes() {
		bound[v.Workload] = bound[v.Workload] || v.local()
	}
	for _, p := range l.pods {
		if p.verdict.Behavior != drain.BehaviorEvict || len(p.budgets) > 1 {
			continue
		}
		c := l.row(rows, p)
		if p.Ready { // the others go when they like
			c.Pods++
		}
		c.Grace = max(c.Grace, p.facts.Grace)
		c.Ordered = c.Ordered || p.workload.Kind == "StatefulSet" || slices.ContainsFunc(p.facts.Claims, func(claim string) bool {
			return claims[claimKey{p.Namespace, claim}]
		})
		c.Bound = c.Bound || bound[p.workload] || slices.ContainsFunc(p.facts.Selectors, Selector.confines)
	}
	chains := l.standing()
	for _, c := range rows {
		c.Pods, c.AtOnce = max(1, c.Pods), 1
		if width, known := widths[c.Budget]; known {
			c.AtOnce = width
		} else if l.policy.WaitFor == drain.WaitForEviction {
			c.AtOnce = c.Pods
		}
		chains = append(chains, *c)
	}
	slices.SortFunc(chains, compareChains)
	return chains
}

// row returns the chain the pod is in, new if it is the first.
func (l *look) row(rows map[string]*Chain, p pod) *Chain {
	key, budget := "pod "+p.Key().String(), ""
	switch {
	case len(p.budgets) == 1:
		budget = p.budgets[0]
		key = "budget " + budget
	case p.Controller.UID != "":
		key = "controller " + string(p.Controller.UID)
	}
	if rows[key] == nil {
		rows[key] = &Chain{Budget: budget, Workload: p.workload}
	}
	return rows[key]
}

// widths says how many pods of a budget may be away when all are healthy; 0 if none ever, or if its status cannot be
// computed until somebody repairs it.
func (l *look) widths() map[string]int {
	widths := map[string]int{}
	blocked := map[string]bool{}
	for _, b := range l.plan.Blockers {
		blocked[b.Budget] = true
	}
	for _, b := range l.Drain.Budgets {
		widths[b.Key()] = max(1, int(b.Expected)-int(b.Desired))
		if b.SyncFailure != "" && blocked[b.Key()] {
			widths[b.Key()] = 0
		}
	}
	for _, b := range l.plan.Blockers {
		if b.Reason == drain.ReasonUnsatisfiableBudget {
			widths[b.Budget] = 0
		}
	}
	return widths
}

// standing are the pods that by the drain engine's word do not go by themselves, for another reason than their budget.
func (l *look) standing() []Chain {
	const forEver = time.Duration(math.MaxInt64)
	var chains []Chain
	for _, b := range l.plan.Blockers {
		if b.Reason != drain.ReasonUnsatisfiableBudget && b.Stuck(l.now, forEver) {
			chains = append(chains, Chain{Workload: ownerOf(b), Pods: b.Pods})
		}
	}
	return chains
}

type claimKey struct{ namespace, name string }

func (l *look) singleNodeClaims() map[claimKey]bool {
	found := map[claimKey]bool{}
	for _, c := range l.Claims {
		if c.SingleNode {
			found[claimKey{c.Namespace, c.Name}] = true
		}
	}
	return found
}
