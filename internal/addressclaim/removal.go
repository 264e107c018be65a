package addressclaim

import (
	"fmt"
	"maps"
	"time"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// decideRemoval says what happens to the ranges of a claim that is deleted. As long as its Cluster exists they are in use. What was chosen
// and has no allocation gets one first: whoever has chosen it may be slow, and would make it after all was given back.
func decideRemoval(w world, now time.Time) plan {
	p := plan{verdict: working, reason: fleetwrightv1.ReasonGivingBack, again: soon}
	switch {
	case w.hold.Everything():
		return plan{verdict: held, action: nothing, reason: w.hold.Reason, message: w.hold.Message + "; the ranges stay meanwhile", again: rest}
	case w.clusterThere:
		return plan{
			verdict: waiting, action: nothing, reason: fleetwrightv1.ReasonInUse, again: rest,
			message: fmt.Sprintf("Cluster %s still exists: the ranges are given back when it is gone", w.spec.ClusterName),
		}
	}
	for _, key := range poolsOf(w.claim.Namespace, w.spec) {
		if pool := w.pools[key]; pool.unreadable {
			p.verdict, p.action, p.message, p.again = waiting, nothing, pool.obstacle.message, personPause
			return p
		}
		if s, mine := parting(newStep(key, w.pools[key], w.claim, now), w); mine {
			p.steps = append(p.steps, s)
		}
	}
	switch {
	case len(p.steps) > 0:
		p.action, p.message = settle, "what was chosen last is written down, to be given back"
	case len(w.kept) > 0:
		p.action, p.message = giveBack, givesBack(len(w.kept))
	default:
		p.action, p.message = letGo, "all ranges are given back"
	}
	return p
}

func givesBack(ranges int) string {
	if ranges == 1 {
		return "1 range is given back, and rests"
	}
	return fmt.Sprintf("%d ranges are given back, and rest", ranges)
}

// parting takes what is the claim's out of the annotation, for after its allocations are made; mine is false when there is nothing of it.
func parting(s step, w world) (out step, mine bool) {
	for _, c := range w.pools[s.pool].choices {
		mine = mine || isOf(c.Spec, w.claim)
	}
	out = step{pool: s.pool, choices: s.choices, write: true, create: s.create}
	maps.DeleteFunc(out.create, func(_ string, c choice) bool { return !isOf(c.Spec, w.claim) })
	for name := range out.create {
		delete(out.choices, name)
	}
	return out, mine
}
