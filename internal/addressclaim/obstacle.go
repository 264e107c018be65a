package addressclaim

import (
	"time"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// plan is that of a claim that cannot get its ranges for now. Those that it has already stay its own. What it has chosen and somebody else
// has got meanwhile is taken off the pool all the same: the pool is not ready as long as the two overlap, and nobody else takes it off.
func (o *obstacle) plan(w world, now time.Time) plan {
	p := plan{verdict: o.verdict, action: nothing, reason: o.reason, message: o.message, again: personPause}
	if o.reason == fleetwrightv1.ReasonPoolNotFound && now.Sub(w.created) > patience {
		p.verdict = stuck
	}
	if p.steps = overtakenSteps(w, now); len(p.steps) > 0 && !w.hold.Everything() {
		p.action, p.again = tidy, tidyAfter
	}
	return p
}

// overtakenSteps take off the pools what the claim has chosen and somebody else has got meanwhile, and make nothing.
func overtakenSteps(w world, now time.Time) []step {
	var out []step
	for _, key := range poolsOf(w.claim.Namespace, w.spec) {
		p := w.pools[key]
		for name, c := range p.choices {
			if isOf(c.Spec, w.claim) && p.overtaken(name, c) {
				out = append(out, step{pool: key, choices: newStep(key, p, w.claim, now).choices, write: true})
				break
			}
		}
	}
	return out
}
