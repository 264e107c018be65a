package replacement

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/agentpool"
)

// How soon to look again when nothing tells us: short while something moves,
// long when all is well and only a lost watch event could matter.
const (
	soon     = 2 * time.Second
	nextTurn = 15 * time.Second // the pools' own events tell of a free slot sooner
	later    = 30 * time.Second
	whenIdle = 10 * time.Minute
)

// Next answers what happens next. It is a list of questions; the first whose
// answer is "no" gives the plan.
func Next(w World, now time.Time) Plan {
	l := newLook(w, now)
	if w.Nodepool.Deleting {
		return l.finish(l.deletion())
	}
	return l.finish(l.next())
}

// look is one World with what every question needs of it.
type look struct {
	World
	now time.Time
	// wanted is the pool that satisfies the spec, nil when there is none.
	wanted *Pool
	// outgoing are the pools that have to go, oldest first.
	outgoing []Pool
	// changes are the differences between the spec and the oldest pool that has
	// to go, or the wanted one when it is alone.
	changes []agentpool.Change
	// deferred is a write that waits for the slot while a drain goes on.
	deferred *Plan
}

func (l *look) next() *Plan {
	for _, ask := range []func(*look) *Plan{
		(*look).mayWeWrite,
		(*look).isTheClusterThere,
		(*look).isTheRequestPossible,
		(*look).areAskedPoolsOurs,
		(*look).doNodesBelongWhereTheySay,
		(*look).doesTheWantedPoolExist,
		(*look).isTheWantedPoolProvisioned,
		(*look).areInPlaceFieldsAsWanted,
		(*look).doNodesAnswer,
		(*look).doWantedNodesTakePods,
		(*look).areEnoughNodesReady,
		(*look).doPinnedPodsHaveAPlace,
		(*look).areOldPoolsGone,
		(*look).isAnythingDeferred,
	} {
		if plan := ask(l); plan != nil {
			return plan
		}
	}
	return l.done()
}

func newLook(w World, now time.Time) *look {
	w.Pools = slices.Clone(w.Pools)
	l := &look{World: w, now: now}
	slices.SortStableFunc(l.Pools, func(a, b Pool) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.Object, b.Object))
	})
	l.Nodepool.Spec.RolloutAfter = ""
	if !w.Nodepool.RolloutAfter.IsZero() && !now.Before(w.Nodepool.RolloutAfter) {
		// A moment that has come is a part of what new pools are named for.
		l.Nodepool.Spec.RolloutAfter = w.Nodepool.RolloutAfter.UTC().Format(time.RFC3339)
	}
	l.wanted = pickWanted(l.Nodepool, l.Pools, now)
	for _, p := range l.Pools {
		if l.wanted == nil || p.Object != l.wanted.Object {
			l.outgoing = append(l.outgoing, p)
		}
	}
	var today Pool
	switch {
	case len(l.outgoing) > 0 && !(l.wanted != nil && l.takenOver()) && !l.onlySoaks():
		today = l.outgoing[0]
	case l.wanted != nil:
		today = *l.wanted
	}
	for _, a := range l.Adoptable {
		if len(l.Pools) == 0 && a.Found && !a.Mine {
			today = Pool{Spec: a.Spec} // what taking it over would change
			break
		}
	}
	l.changes = differences(l.Nodepool, today, now)
	return l
}

// differences are the fields in which a pool is not as wanted; having been made
// too early is one.
func differences(np Nodepool, p Pool, now time.Time) []agentpool.Change {
	changes := agentpool.Changes(np.Spec, p.Spec)
	if after := np.RolloutAfter; p.Fingerprint != agentpool.Fingerprint(np.UID, np.Spec) && p.Object != "" && !after.IsZero() && !now.Before(after) && p.madeBefore(after) {
		changes = append(changes, agentpool.Change{
			Field: "rolloutAfter", From: p.Created.UTC().Format(time.RFC3339), To: after.UTC().Format(time.RFC3339), Effect: agentpool.Replace,
		})
	}
	return changes
}

// pickWanted finds the pool that satisfies the spec: the one made for exactly
// this spec, or else the oldest, which moves nothing.
func pickWanted(np Nodepool, pools []Pool, now time.Time) *Pool {
	if np.Deleting {
		return nil
	}
	exact := agentpool.Fingerprint(np.UID, np.Spec)
	var found *Pool
	for i := range pools {
		p := &pools[i]
		if _, replace := agentpool.Split(differences(np, *p, now)); p.Deleting || p.Incomplete || len(replace) > 0 {
			continue
		}
		if p.Fingerprint == exact {
			return p
		}
		if found == nil {
			found = p
		}
	}
	return found
}

// onlySoaks is true when what is still beside the wanted pool was emptied.
func (l *look) onlySoaks() bool {
	return l.wanted != nil && !slices.ContainsFunc(l.outgoing, func(p Pool) bool { return !p.Deleting && p.EmptySince.IsZero() })
}

// finish adds to a plan what is the same for every answer.
func (l *look) finish(p *Plan) Plan {
	if h := l.Nodepool.Hold; h.NonDisruptive && l.disrupts(p.Action) {
		p = &Plan{Verdict: Held, Reason: h.Reason, Message: h.Message + "; held back: " + p.Message, CheckAgain: later, NeedsPods: p.NeedsPods, NeedsAzure: p.NeedsAzure, NeedsCount: p.NeedsCount, NeedsFit: p.NeedsFit}
	}
	l.explain(p)
	if p.Action.Kind == "" {
		p.Action.Kind = None
	}
	if p.Step == "" {
		p.Step = string(fleetwrightv1.ReplacementStepNone)
	}
	p.Message = shorten(p.Message)
	p.Changes = l.changes
	if l.wanted != nil {
		p.Wanted = l.wanted.Object
	}
	for _, o := range l.outgoing {
		p.Outgoing = append(p.Outgoing, o.Object)
	}
	return *p
}

// maxMessage bounds what goes into conditions and events.
const maxMessage = 900

func shorten(s string) string {
	if len(s) <= maxMessage {
		return s
	}
	cut := maxMessage - len("...")
	for cut > 0 && s[cut]&0xC0 == 0x80 {
		cut--
	}
	return s[:cut] + "..."
}

func (l *look) done() *Plan {
	p := l.wanted
	return &Plan{
		Verdict: Done, Reason: fleetwrightv1.ReasonReady, CheckAgain: whenIdle,
		Message: fmt.Sprintf("pool %s runs %s on %s of %s", p.Name, p.Spec.Version, count(p.ReadyNodes(), "ready node"), p.Spec.MachineType),
	}
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// clock prints a moment. Messages name moments and not durations, so that a
// condition does not change with every look.
func clock(t time.Time) string { return t.UTC().Format("15:04:05 UTC") }
