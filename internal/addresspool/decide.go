package addresspool

import (
	"fmt"
	"math"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/cidr"
	"github.com/fleetwright/fleetwright/internal/condition"
)

const (
	// defaultQuarantine is how long a range rests in a pool that does not say so.
	defaultQuarantine = 24 * time.Hour
	// lowPercent is below how much free space a pool is nearly full, and soonExhausted how long before its last day.
	lowPercent    = 10
	soonExhausted = 30 * 24 * time.Hour
	// unsettled is when to look again at what others finish in a moment and may not tell of.
	unsettled = time.Minute
	// idle is when to look again at a pool that needs nothing: the day on which it will be full moves.
	idle = 6 * time.Hour
)

// plan is what follows from a world.
type plan struct {
	// conditions are those of the pool; none when there is no pool.
	conditions []metav1.Condition
	// allocated, free and largest are the numbers of its status, if counted is true; exhaustion is zero when nothing is foretold.
	counted         bool
	allocated, free int32
	largest         string
	exhaustion      time.Time
	// states are what each AddressAllocation of the pool reports.
	states []state
	// ended are those that have rested and go.
	ended []*fleetwrightv1.AddressAllocation
	// letGo is true when the pool is deleted and nothing keeps it.
	letGo bool
	// again is when to look again; 0 for when something changes.
	again time.Duration
}

// String is the plan on one line, for the log.
func (p plan) String() string {
	out := fmt.Sprintf("%d given out, %d end, let go %t", len(p.states), len(p.ended), p.letGo)
	if ready := meta.FindStatusCondition(p.conditions, fleetwrightv1.ConditionReady); ready != nil {
		out = fmt.Sprintf("Ready %s %s (%s), %s", ready.Status, ready.Reason, ready.Message, out)
	}
	return out
}

// view is a world as prefixes.
type view struct {
	land    land
	landErr error
	// held is what is given out of the pool, or chosen.
	held    []held
	heldErr error
}

// decide says what a pool and its allocations report, and which of them go. It is a function of its arguments.
func decide(w world, now time.Time) plan {
	v := view{}
	v.held, v.heldErr = heldOf(w.key, w.pool, w.allocations)
	if w.pool == nil {
		return plan{states: statesOf(w, v, now)}
	}
	v.land, v.landErr = landOf(w.pool)
	p := plan{states: statesOf(w, v, now), again: idle}
	p.count(v, now)
	p.endRest(w, now)
	deleting := p.deletion(w, v)
	found := readiness(w, v, p)
	if deleting.Status == metav1.ConditionTrue {
		found = finding{metav1.ConditionFalse, deleting.Reason, deleting.Message, waits}
	}
	ready := condition.New(fleetwrightv1.ConditionReady, found.status, found.reason, "%s", found.message)
	p.conditions = []metav1.Condition{ready, p.exhausting(v, now), deleting}
	if found.way == person {
		p.conditions = append(p.conditions, condition.New(fleetwrightv1.ConditionStalled, metav1.ConditionTrue, found.reason, "%s", found.message))
	}
	if found.way == waits || v.heldErr != nil || len(v.held) > len(p.states) {
		p.again = min(p.again, unsettled)
	}
	return p
}

// count puts in the numbers.
func (p *plan) count(v view, now time.Time) {
	space, err := cidr.SpaceOf(v.land.prefixes, v.land.reserved, prefixesOf(v.held))
	if v.landErr != nil || v.heldErr != nil || err != nil {
		return
	}
	p.counted, p.allocated, p.free = true, int32(min(len(v.held), math.MaxInt32)), int32(space.FreePercent)
	if space.Largest > 0 {
		p.largest = fmt.Sprintf("/%d", space.Largest)
	}
	given := make([]cidr.Given, 0, len(v.held))
	for _, h := range v.held {
		g := cidr.Given{Prefix: h.prefix}
		// What was imported was in use before, and what rests comes back: neither tells how fast clusters are made.
		if h.allocation != nil && claimed(h.allocation) && h.spec.ReleasedTime.IsZero() {
			g.At = h.allocation.CreationTimestamp.Time
		}
		given = append(given, g)
	}
	p.exhaustion = cidr.ExhaustedAt(v.land.prefixes, v.land.reserved, given, now)
}

// exhausting is True while the pool will soon have nothing to give.
func (p *plan) exhausting(v view, now time.Time) metav1.Condition {
	kind := fleetwrightv1.ConditionExhausting
	const way = "add prefixes, or give back what is not needed"
	switch {
	case !p.counted:
		reason := fleetwrightv1.ReasonInvalidPrefixes
		if v.heldErr != nil {
			reason = fleetwrightv1.ReasonInvalidSpec
		}
		return condition.New(kind, metav1.ConditionUnknown, reason, "how full the pool is cannot be told: see condition Ready")
	case p.free < lowPercent:
		return condition.New(kind, metav1.ConditionTrue, fleetwrightv1.ReasonLowSpace, "%d%% is free, less than %d%%: %s", p.free, lowPercent, way)
	case !p.exhaustion.IsZero() && p.exhaustion.Before(now.Add(soonExhausted)):
		return condition.New(kind, metav1.ConditionTrue, fleetwrightv1.ReasonSoonExhausted,
			"at the rate of the last 90 days nothing is free on %s: %s", p.exhaustion.Format(time.DateOnly), way)
	}
	return condition.New(kind, metav1.ConditionFalse, fleetwrightv1.ReasonEnoughSpace, "%d%% is free", p.free)
}

// deletion says what keeps a pool that is deleted, and lets it go when nothing does.
func (p *plan) deletion(w world, v view) metav1.Condition {
	kind := fleetwrightv1.ConditionDeleting
	if w.pool.DeletionTimestamp.IsZero() {
		return condition.New(kind, metav1.ConditionFalse, fleetwrightv1.ReasonNotDeleting, "")
	}
	if w.pool.Spec.DeletionPolicy != fleetwrightv1.DeletionPolicyDelete {
		return condition.New(kind, metav1.ConditionTrue, fleetwrightv1.ReasonDeletionProtected,
			"deletionPolicy is Protect, which it is if it is not set: set it to Delete")
	}
	if v.heldErr != nil {
		return condition.New(kind, metav1.ConditionTrue, fleetwrightv1.ReasonStillInUse, "what is given out cannot be told: %v", v.heldErr)
	}
	if n := len(v.held); n > 0 {
		return condition.New(kind, metav1.ConditionTrue, fleetwrightv1.ReasonStillInUse,
			"ranges that are given out: %d, such as %s; delete the AddressClaims, whose ranges rest for %s then, and the imports that nobody uses", n, v.held[0], span(quarantine(w.pool)))
	}
	p.letGo = true
	return condition.New(kind, metav1.ConditionTrue, fleetwrightv1.ReasonStillInUse, "nothing is given out any more")
}

// endRest finds what was given back and has rested. What still has its claim's finalizer was not given back by its claim.
func (p *plan) endRest(w world, now time.Time) {
	for _, s := range p.states {
		a := s.allocation
		if a.Spec.ReleasedTime.IsZero() || !a.DeletionTimestamp.IsZero() {
			continue
		}
		switch left := restsUntil(w.pool, a).Sub(now); {
		case left > 0:
			p.again = min(p.again, left)
		case keptByClaim(a):
			p.again = min(p.again, unsettled)
		default:
			p.ended = append(p.ended, a)
		}
	}
}

func quarantine(pool *fleetwrightv1.AddressPool) time.Duration {
	if pool.Spec.QuarantineSeconds == nil {
		return defaultQuarantine
	}
	return time.Duration(*pool.Spec.QuarantineSeconds) * time.Second
}

// span writes 24h, and not 24h0m0s.
func span(d time.Duration) string {
	return strings.Replace(strings.Replace(d.String(), "m0s", "m", 1), "h0m", "h", 1)
}

func restsUntil(pool *fleetwrightv1.AddressPool, a *fleetwrightv1.AddressAllocation) time.Time {
	return a.Spec.ReleasedTime.Add(quarantine(pool))
}
