package replacement

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/agentpool"
)

// How soon to look again when nothing tells us: short while something moves,
// long when all is well and only a lost watch event could matter.
const (
	soon     = 2 * time.Second
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
	for _, ask := range []func(*look) *Plan{
		(*look).mayWeWrite,
		(*look).isTheClusterThere,
		(*look).isTheRequestPossible,
		(*look).doNodesBelongWhereTheySay,
		(*look).doesTheWantedPoolExist,
		(*look).isTheWantedPoolProvisioned,
		(*look).areInPlaceFieldsAsWanted,
		(*look).doNodesAnswer,
		(*look).doWantedNodesTakePods,
		(*look).areEnoughNodesReady,
		(*look).areOldPoolsGone,
		(*look).isAnythingDeferred,
	} {
		if plan := ask(l); plan != nil {
			return l.finish(plan)
		}
	}
	return l.finish(l.done())
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

func newLook(w World, now time.Time) *look {
	w.Pools = slices.Clone(w.Pools)
	l := &look{World: w, now: now}
	slices.SortStableFunc(l.Pools, func(a, b Pool) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.Object, b.Object))
	})
	l.wanted = pickWanted(w.Nodepool, l.Pools)
	for _, p := range l.Pools {
		if l.wanted == nil || p.Object != l.wanted.Object {
			l.outgoing = append(l.outgoing, p)
		}
	}
	var today agentpool.Spec
	switch {
	case len(l.outgoing) > 0:
		today = l.outgoing[0].Spec
	case l.wanted != nil:
		today = l.wanted.Spec
	}
	l.changes = agentpool.Changes(w.Nodepool.Spec, today)
	return l
}

// pickWanted finds the pool that satisfies the spec: the one made for exactly
// this spec, or else the oldest, which moves nothing.
func pickWanted(np Nodepool, pools []Pool) *Pool {
	if np.Deleting {
		return nil
	}
	exact := agentpool.Fingerprint(np.UID, np.Spec)
	var found *Pool
	for i := range pools {
		p := &pools[i]
		if _, replace := agentpool.Split(agentpool.Changes(np.Spec, p.Spec)); p.Deleting || p.Incomplete || len(replace) > 0 {
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

// finish adds to a plan what is the same for every answer.
func (l *look) finish(p *Plan) Plan {
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

// operation is a provider operation in flight on the cluster.
type operation struct{ what, pool string }

func (o operation) String() string {
	what := strings.ToLower(o.what)
	if o.pool == "" {
		return what + " the control plane"
	}
	return what + " pool " + o.pool
}

// busy finds the one pool operation AKS allows per cluster, when there is one.
// Before the control plane is up there is no slot: CAPZ makes the first pools
// in the same request.
func (l *look) busy() *operation {
	if !l.Cluster.Provisioned {
		return nil
	}
	if l.Cluster.Operation != "" {
		return &operation{what: l.Cluster.Operation}
	}
	for _, p := range l.Pools {
		if what := inFlight(p.Operation, p.Failure, p.Deleting); what != "" {
			return &operation{what, p.Name}
		}
	}
	for _, n := range l.Others {
		if what := inFlight(n.Operation, n.Failure, n.Deleting); what != "" {
			return &operation{what, n.Name}
		}
	}
	return nil
}

// inFlight: a deletion holds the slot until it is through, except while Azure
// refuses it: then nothing runs, and the neighbours go on.
func inFlight(op, failure string, deleting bool) string {
	if deleting && failure == "" {
		return "Deleting"
	}
	return op
}

// waitForSlot is the plan of a write that has to wait for another operation.
func (l *look) waitForSlot(o operation, verdict Verdict, purpose string) *Plan {
	return &Plan{
		Verdict: verdict,
		Step:    string(fleetwrightv1.ReplacementStepWaitingForSlot), Reason: fleetwrightv1.ReasonWaitingForSlot,
		Message:    fmt.Sprintf("waits to %s: AKS allows one operation per cluster and is %s", purpose, o),
		CheckAgain: soon,
	}
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
