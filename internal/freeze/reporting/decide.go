package reporting

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
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
		v.message = fmt.Sprintf("begins at %s; Nodepools in reach: %d", utc(w.freeze.Spec.From), v.matched)
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
	for _, np := range w.reached {
		if holds(np, w.freeze, now) {
			v.holding++
		} else {
			open = append(open, np.object.Namespace+"/"+np.object.Name)
		}
	}
	v.message = fmt.Sprintf("%d of %d Nodepools hold", v.holding, v.matched)
	if len(open) > 0 {
		v.reason = fleetwrightv1.ReasonConverging
		v.message += "; not yet: " + first(open)
		return
	}
	v.status, v.reason = metav1.ConditionTrue, fleetwrightv1.ReasonHeld
	if v.matched == 0 {
		v.message = "no Nodepool is in reach; one that comes holds from its first look"
	}
}

// holds is true when the Nodepool's own report says so: it names this Freeze, or another one in effect that asks for as much,
// or it is paused altogether.
func holds(np nodepool, f *fleetwrightv1.Freeze, now time.Time) bool {
	paused := meta.FindStatusCondition(np.object.Status.Conditions, fleetwrightv1.ConditionPaused)
	if paused == nil || paused.Status != metav1.ConditionTrue {
		return false
	}
	switch paused.Reason {
	case fleetwrightv1.ReasonPaused, fleetwrightv1.ReasonClusterPaused:
		// Until it has seen its present spec, it may have been told to go on.
		return np.object.Status.ObservedGeneration == np.object.Generation
	case fleetwrightv1.ReasonFrozen:
		return slices.ContainsFunc(np.freezes, func(other *fleetwrightv1.Freeze) bool {
			return freeze.PhaseOf(other, now) == freeze.Holding && freeze.AsStrict(other, f) && freeze.HeldBy(other, paused.Message)
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
