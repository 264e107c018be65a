package reporting

import (
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/freeze"
)

// view is what the status says.
type view struct {
	matched, holding int
	status           metav1.ConditionStatus
	reason, message  string
	// checkAgain is when the Freeze begins or ends by its own times, or zero.
	checkAgain time.Time
}

func decide(w world, now time.Time) view {
	v := view{matched: len(w.reached), status: metav1.ConditionFalse, checkAgain: freeze.Changes(w.freeze, now)}
	switch freeze.PhaseOf(w.freeze, now) {
	case freeze.Scheduled:
		v.reason = fleetwrightv1.ReasonScheduled
		v.message = fmt.Sprintf("begins at %s; objects in reach: %d", utc(w.freeze.Spec.From), v.matched)
	case freeze.Expired:
		v.reason = fleetwrightv1.ReasonExpired
		v.message = "is being deleted and holds no longer"
		if w.freeze.DeletionTimestamp.IsZero() {
			v.message = "ended at " + utc(w.freeze.Spec.Until)
		}
	case freeze.Holding:
		v.count(w, now)
	}
	if _, err := freeze.Selector(w.freeze); w.freeze.Spec.Scope == fleetwrightv1.FreezeScopeSelected && err != nil {
		v.message += "; " + err.Error()
	}
	return v
}

// count says who holds while the Freeze is in effect.
func (v *view) count(w world, now time.Time) {
	var open []string
	for i := range w.reached {
		if o := &w.reached[i]; holds(o, w.freeze, now) {
			v.holding++
		} else {
			open = append(open, o.String())
		}
	}
	v.message = fmt.Sprintf("%d of %d objects hold", v.holding, v.matched)
	if len(open) > 0 {
		v.reason = fleetwrightv1.ReasonConverging
		v.message += "; not yet: " + first(open)
		return
	}
	v.status, v.reason = metav1.ConditionTrue, fleetwrightv1.ReasonHeld
	if v.matched == 0 {
		v.message = "nothing is in reach; what comes holds from its first look"
	}
}

// holds is true when the object's own report says so: it names this Freeze, or another one in effect that asks for as much,
// or it is paused altogether.
func holds(o *object, f *fleetwrightv1.Freeze, now time.Time) bool {
	if o.paused == nil || o.paused.Status != metav1.ConditionTrue {
		return false
	}
	switch o.paused.Reason {
	case fleetwrightv1.ReasonPaused, fleetwrightv1.ReasonClusterPaused:
		// Until it has seen its present spec, it may have been told to go on.
		return o.current
	case fleetwrightv1.ReasonFrozen:
		return slices.ContainsFunc(o.freezes, func(other *fleetwrightv1.Freeze) bool {
			return freeze.PhaseOf(other, now) == freeze.Holding && freeze.AsStrict(other, f) && freeze.HeldBy(other, o.paused.Message)
		})
	}
	return false
}

const maxNamed = 3

// first names some and counts the rest.
func first(names []string) string {
	slices.Sort(names)
	if len(names) <= maxNamed {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:maxNamed], ", "), len(names)-maxNamed)
}

func utc(t *metav1.Time) string { return t.UTC().Format(time.RFC3339) }
