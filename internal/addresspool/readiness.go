package addresspool

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/cidr"
)

// way is how a pool gets ready.
type way int

const (
	// none: it is.
	none way = iota
	// waits: by itself.
	waits
	// person: a person has to act.
	person
)

// finding is why a pool gives out ranges, or not.
type finding struct {
	status          metav1.ConditionStatus
	reason, message string
	way             way
}

// stuck is a finding that a person has to act upon.
func stuck(reason, format string, args ...any) *finding {
	return &finding{metav1.ConditionFalse, reason, fmt.Sprintf(format, args...), person}
}

// readiness asks why the pool could not give out ranges; the first that holds is the answer.
func readiness(w world, v view, p plan) finding {
	for _, ask := range []func(world, view) *finding{
		unreadable, overlapsItself, lostPrefix, givenOutTwice, overlapsOlder, givenOutElsewhere, overlapsYounger,
	} {
		if f := ask(w, v); f != nil {
			return *f
		}
	}
	message := fmt.Sprintf("%d%% is free", p.free)
	if p.largest != "" {
		message += ", the largest range is a " + p.largest
	}
	return finding{metav1.ConditionTrue, fleetwrightv1.ReasonReady, message + orphans(p.states), none}
}

// orphans tells of ranges that nobody gives back any more.
func orphans(states []state) string {
	var names []string
	for _, s := range states {
		if s.condition.Reason == fleetwrightv1.ReasonOrphaned {
			names = append(names, s.allocation.Name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return fmt.Sprintf("; AddressAllocations without their AddressClaim: %d, such as %s", len(names), names[0])
}

// unreadable is what admission keeps out, and what people do to our annotation.
func unreadable(_ world, v view) *finding {
	switch {
	case v.landErr != nil:
		return stuck(fleetwrightv1.ReasonInvalidPrefixes, "%v", v.landErr)
	case v.heldErr != nil:
		return stuck(fleetwrightv1.ReasonInvalidSpec, "%v", v.heldErr)
	}
	return nil
}

func overlapsItself(_ world, v view) *finding {
	if a, b, overlap := cidr.Overlapping(v.land.prefixes); overlap {
		return stuck(fleetwrightv1.ReasonInvalidPrefixes, "%s and %s of spec.prefixes overlap: take one of them out", v.land.prefixes[a], v.land.prefixes[b])
	}
	return nil
}

// lostPrefix is true when a range is given out of a prefix that is there no more: nobody else may get it meanwhile. An import that lies
// elsewhere was never of the pool, and says so itself.
func lostPrefix(_ world, v view) *finding {
	for _, h := range v.held {
		if h.spec.Claim.Name != "" && !cidr.Inside(v.land.prefixes, h.prefix) {
			return stuck(fleetwrightv1.ReasonInvalidPrefixes, "none of spec.prefixes holds %s: put the prefix back that did", h)
		}
	}
	return nil
}

func givenOutTwice(_ world, v view) *finding {
	if a, b, overlap := cidr.Overlapping(prefixesOf(v.held)); overlap {
		return stuck(fleetwrightv1.ReasonOverlaps, "%s and %s overlap: delete the one that nothing uses", v.held[a], v.held[b])
	}
	return nil
}

// overlapsOlder is true when another pool was there first.
func overlapsOlder(w world, v view) *finding {
	for _, other := range neighbours(w, v) {
		if older(other.pool, w.pool) {
			return stuck(fleetwrightv1.ReasonOverlaps,
				"%s belongs to AddressPool %s as well, which is older: take it out of spec.prefixes of one of them, or put it into spec.reserved", other.shared, keyOf(other.pool))
		}
	}
	return nil
}

// givenOutElsewhere is true when somebody has a range of this pool from another one: its prefix was moved here, or is of both.
func givenOutElsewhere(w world, v view) *finding {
	var elsewhere []held
	for _, other := range w.others {
		ranges, err := choicesOf(other)
		if err != nil {
			continue // overlapsYounger asks those that matter
		}
		for name, spec := range ranges {
			elsewhere = append(elsewhere, held{pool: keyOf(other), name: name, spec: spec})
		}
	}
	for _, a := range w.allocations {
		if poolOf(a) != w.key {
			elsewhere = append(elsewhere, held{pool: poolOf(a), name: a.Name, spec: a.Spec, allocation: a})
		}
	}
	slices.SortFunc(elsewhere, func(a, b held) int {
		return cmp.Or(strings.Compare(a.pool.String(), b.pool.String()), strings.Compare(a.name, b.name))
	})
	for _, h := range elsewhere {
		var err error
		if h.prefix, err = cidr.Parse(h.spec.CIDR); err != nil {
			continue // its own pool says so
		}
		if slices.ContainsFunc(v.land.usable, h.prefix.Overlaps) {
			return stuck(fleetwrightv1.ReasonOverlaps,
				"AddressPool %s has %s, which lies in this pool: take it out of spec.prefixes, put it into spec.reserved, or delete it once nothing uses it", h.pool, h)
		}
	}
	return nil
}

// overlapsYounger waits until every younger pool that overlaps this one has stopped to give out ranges, and says so.
func overlapsYounger(w world, v view) *finding {
	for _, other := range neighbours(w, v) {
		if older(other.pool, w.pool) {
			continue
		}
		if givesOut(other.pool) {
			return &finding{
				metav1.ConditionFalse, fleetwrightv1.ReasonOverlaps,
				fmt.Sprintf("%s belongs to AddressPool %s as well: waiting until that one gives out nothing, because it is younger", other.shared, keyOf(other.pool)), waits,
			}
		}
		if _, err := choicesOf(other.pool); err != nil {
			return stuck(fleetwrightv1.ReasonOverlaps, "%s belongs to AddressPool %s as well, whose %v", other.shared, keyOf(other.pool), err)
		}
	}
	return nil
}

// neighbour is a pool that shares a range with this one.
type neighbour struct {
	pool   *fleetwrightv1.AddressPool
	shared netip.Prefix
}

// neighbours are those of a pool, the oldest first. One whose prefixes cannot be read gives out nothing, and cannot be told to be one.
func neighbours(w world, v view) []neighbour {
	var out []neighbour
	for _, other := range w.others {
		l, err := landOf(other)
		if err != nil {
			continue
		}
		if shared, is := v.land.shared(l); is {
			out = append(out, neighbour{other, shared})
		}
	}
	slices.SortFunc(out, func(a, b neighbour) int { return age(a.pool, b.pool) })
	return out
}

// older is true when a was there before b.
func older(a, b *fleetwrightv1.AddressPool) bool { return age(a, b) < 0 }

// age orders pools by when they were made, which tells seconds, then by name.
func age(a, b *fleetwrightv1.AddressPool) int {
	return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), strings.Compare(keyOf(a).String(), keyOf(b).String()))
}

// givesOut is true when AddressClaims may choose of a pool. It is what they go by.
func givesOut(pool *fleetwrightv1.AddressPool) bool {
	c := meta.FindStatusCondition(pool.Status.Conditions, fleetwrightv1.ConditionReady)
	return c != nil && c.Status == metav1.ConditionTrue && c.ObservedGeneration == pool.Generation &&
		pool.Status.ObservedGeneration == pool.Generation && pool.DeletionTimestamp.IsZero()
}
