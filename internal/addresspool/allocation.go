package addresspool

import (
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/cidr"
	"github.com/fleetwright/fleetwright/internal/condition"
)

// state is what an AddressAllocation reports.
type state struct {
	allocation *fleetwrightv1.AddressAllocation
	condition  metav1.Condition
}

// statesOf says for each AddressAllocation of the pool how it stands.
func statesOf(w world, v view, now time.Time) []state {
	_, _, overlap := cidr.Overlapping(prefixesOf(v.held))
	out := make([]state, 0, len(v.held))
	for i, h := range v.held {
		if h.allocation == nil {
			continue
		}
		c := stateOf(w, v, h, now)
		if overlap && h.spec.ReleasedTime.IsZero() {
			if other, is := overlapped(v.held, i); is {
				c = bad(fleetwrightv1.ReasonOverlaps, "overlaps %s: delete the one that nothing uses", other)
			}
		}
		out = append(out, state{h.allocation, c})
	}
	return out
}

// overlapped is the first other one that overlaps the i-th.
func overlapped(all []held, i int) (held, bool) {
	for j, other := range all {
		if j != i && other.prefix.Overlaps(all[i].prefix) {
			return other, true
		}
	}
	return held{}, false
}

// stateOf is that of one that overlaps no other.
func stateOf(w world, v view, h held, now time.Time) metav1.Condition {
	pool := h.spec.PoolName
	switch {
	case !h.spec.ReleasedTime.IsZero():
		return resting(w, h, now)
	case w.pool == nil:
		return bad(fleetwrightv1.ReasonOutsidePool, "AddressPool %s does not exist in this namespace: make it, or delete this AddressAllocation once nothing uses %s", pool, h.prefix)
	case v.landErr == nil && !cidr.Inside(v.land.prefixes, h.prefix):
		return bad(fleetwrightv1.ReasonOutsidePool, "%s lies in none of spec.prefixes of AddressPool %s (%s): add a prefix that holds it, or delete this AddressAllocation once nothing uses it",
			h.prefix, pool, strings.Join(w.pool.Spec.Prefixes, ", "))
	case h.spec.Claim.Name == "":
		return good(fleetwrightv1.ReasonImported, "%s is given to nobody, because it is in use without an AddressClaim", h.prefix)
	}
	claim := claimOf(h.allocation)
	switch found := w.claims[claim]; {
	case found == nil:
		return bad(fleetwrightv1.ReasonOrphaned, "AddressClaim %s does not exist and has not given %s back: make it again with the range %s, or delete this AddressAllocation once nothing uses it",
			claim, h.prefix, h.spec.Claim.Range)
	case !asks(found, w, h):
		return bad(fleetwrightv1.ReasonOrphaned, "AddressClaim %s does not ask for a range %s of AddressPool %s: delete this AddressAllocation once nothing uses %s",
			claim, h.spec.Claim.Range, w.key, h.prefix)
	case !h.allocation.DeletionTimestamp.IsZero():
		return good(fleetwrightv1.ReasonBound, "%s is range %s of AddressClaim %s; it was deleted, and goes when the AddressClaim gives it back", h.prefix, h.spec.Claim.Range, claim)
	}
	return good(fleetwrightv1.ReasonBound, "%s is range %s of AddressClaim %s", h.prefix, h.spec.Claim.Range, claim)
}

// resting is the state of one that was given back.
func resting(w world, h held, now time.Time) metav1.Condition {
	since := h.spec.ReleasedTime.UTC().Format(time.RFC3339)
	switch {
	case w.pool == nil:
		return bad(fleetwrightv1.ReasonQuarantined, "%s was given back at %s; AddressPool %s does not exist, so nothing ends its rest: delete this AddressAllocation once nothing uses it",
			h.prefix, since, h.spec.PoolName)
	case keptByClaim(h.allocation) && !restsUntil(w.pool, h.allocation).After(now):
		return bad(fleetwrightv1.ReasonQuarantined, "spec.releasedTime says that %s was given back at %s, but not by AddressClaim %s, which keeps it: delete the AddressClaim to give it back",
			h.prefix, since, claimOf(h.allocation))
	}
	return bad(fleetwrightv1.ReasonQuarantined, "%s was given back at %s and rests until %s", h.prefix, since, restsUntil(w.pool, h.allocation).UTC().Format(time.RFC3339))
}

// keptByClaim is true while the claim has not let go of the allocation.
func keptByClaim(a *fleetwrightv1.AddressAllocation) bool {
	return controllerutil.ContainsFinalizer(a, fleetwrightv1.FinalizerAddressClaim)
}

// asks is true when the claim still asks for this range of the pool.
func asks(claim *fleetwrightv1.AddressClaim, w world, h held) bool {
	return slices.ContainsFunc(claim.Spec.Ranges, func(r fleetwrightv1.ClaimedRange) bool {
		namespace := r.PoolRef.Namespace
		if namespace == "" {
			namespace = claim.Namespace
		}
		return r.Name == h.spec.Claim.Range && r.PoolRef.Name == w.key.Name && namespace == w.key.Namespace
	})
}

func good(reason, format string, args ...any) metav1.Condition {
	return condition.New(fleetwrightv1.ConditionReady, metav1.ConditionTrue, reason, "%s", fmt.Sprintf(format, args...))
}

func bad(reason, format string, args ...any) metav1.Condition {
	return condition.New(fleetwrightv1.ConditionReady, metav1.ConditionFalse, reason, "%s", fmt.Sprintf(format, args...))
}
