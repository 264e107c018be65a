// Package freeze says what Freezes ask of an object: how much is still done for it, and why. The decision is a function of
// the Freezes, the object and the time; InEffect reads the Freezes first.
//
// Wherever something is unclear, a Freeze stops more and not less: it is what people reach for when something goes wrong.
package freeze

import (
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// Target is what a Freeze may reach.
type Target struct {
	// Namespace is the object's, and its Cluster's.
	Namespace string
	// ClusterLabels are the labels of the Cluster it belongs to; none when there is no such Cluster.
	ClusterLabels map[string]string
}

// Effect is what all Freezes together ask of a target.
type Effect struct {
	// Mode is how much is still done: NonDisruptive, Paused, or empty when no Freeze is in effect.
	Mode fleetwrightv1.ReconcileMode
	// Message says which Freeze asks for it, until when and why. Empty without Mode. Condition Paused of what holds begins
	// with it: by that the Freeze counts who holds.
	Message string
	// CheckAgain is when a Freeze in reach begins or ends next by its own times, or when to read them again after that
	// failed. Zero when only a watch can tell of a change.
	CheckAgain time.Time
}

// Strictest is the effect on a target of all Freezes that reach it: of Paused and NonDisruptive, Paused wins; of equals, the
// one that ends last, then the first by namespace and name. A Freeze in managerNamespace reaches every namespace.
func Strictest(freezes []fleetwrightv1.Freeze, target Target, managerNamespace string, now time.Time) Effect {
	var effect Effect
	var strictest *fleetwrightv1.Freeze
	for i := range freezes {
		f := &freezes[i]
		if !Reaches(f, target, managerNamespace) {
			continue
		}
		if change := Changes(f, now); !change.IsZero() && (effect.CheckAgain.IsZero() || change.Before(effect.CheckAgain)) {
			effect.CheckAgain = change
		}
		if PhaseOf(f, now) == Holding && (strictest == nil || compare(f, strictest) < 0) {
			strictest = f
		}
	}
	if strictest != nil {
		effect.Mode, effect.Message = modeOf(strictest), say(strictest)
	}
	return effect
}

// Reaches is true when the Freeze is about the target, whatever the time. A selector that cannot be read selects everything.
func Reaches(f *fleetwrightv1.Freeze, target Target, managerNamespace string) bool {
	if f.Namespace != managerNamespace && f.Namespace != target.Namespace {
		return false
	}
	if f.Spec.Scope != fleetwrightv1.FreezeScopeSelected {
		return true
	}
	selector, err := Selector(f)
	return err != nil || selector.Matches(labels.Set(target.ClusterLabels))
}

// Selector is the Freeze's clusterSelector. An error says what in it cannot be read; admission does not look at operators.
func Selector(f *fleetwrightv1.Freeze) (labels.Selector, error) {
	selector, err := metav1.LabelSelectorAsSelector(f.Spec.ClusterSelector)
	if err != nil {
		return nil, fmt.Errorf("spec.clusterSelector cannot be read (%w): correct it; until then everything in reach is selected", err)
	}
	return selector, nil
}

// Phase is where a Freeze stands in its own time.
type Phase string

// The phases, in their order.
const (
	// Scheduled is before from.
	Scheduled Phase = "Scheduled"
	// Holding is from from on, up to and without until.
	Holding Phase = "Holding"
	// Expired is from until on, and as soon as the Freeze is being deleted.
	Expired Phase = "Expired"
)

// PhaseOf says where the Freeze stands at now.
func PhaseOf(f *fleetwrightv1.Freeze, now time.Time) Phase {
	switch {
	case !f.DeletionTimestamp.IsZero():
		return Expired
	case f.Spec.Until != nil && !now.Before(f.Spec.Until.Time):
		return Expired
	case f.Spec.From != nil && now.Before(f.Spec.From.Time):
		return Scheduled
	}
	return Holding
}

// Changes is when the Freeze begins or ends next by its own times, or zero.
func Changes(f *fleetwrightv1.Freeze, now time.Time) time.Time {
	switch phase := PhaseOf(f, now); {
	case phase == Scheduled:
		return f.Spec.From.Time
	case phase == Holding && f.Spec.Until != nil:
		return f.Spec.Until.Time
	}
	return time.Time{}
}

// HeldBy is true when a message was written in obedience to this Freeze as it is now.
func HeldBy(f *fleetwrightv1.Freeze, message string) bool { return strings.HasPrefix(message, mark(f)) }

// AsStrict is true when who obeys a obeys b as well.
func AsStrict(a, b *fleetwrightv1.Freeze) bool { return rank(a) <= rank(b) }

// mark names the Freeze and its mode, in words that no other Freeze's mark begins with.
func mark(f *fleetwrightv1.Freeze) string {
	return fmt.Sprintf("Freeze %s/%s (%s)", f.Namespace, f.Name, f.Spec.Reconcile)
}

func say(f *fleetwrightv1.Freeze) string {
	until := ""
	if f.Spec.Until != nil {
		until = " until " + f.Spec.Until.UTC().Format(time.RFC3339)
	}
	return mark(f) + until + ": " + f.Spec.Reason
}

func modeOf(f *fleetwrightv1.Freeze) fleetwrightv1.ReconcileMode {
	if f.Spec.Reconcile == fleetwrightv1.FreezeModeNonDisruptive {
		return fleetwrightv1.ReconcileModeNonDisruptive
	}
	return fleetwrightv1.ReconcileModePaused
}

func rank(f *fleetwrightv1.Freeze) int {
	if modeOf(f) == fleetwrightv1.ReconcileModePaused {
		return 0
	}
	return 1
}

// compare puts the strictest first, then the one that ends last, then the first by name.
func compare(a, b *fleetwrightv1.Freeze) int {
	if r := rank(a) - rank(b); r != 0 {
		return r
	}
	switch endA, endB := a.Spec.Until, b.Spec.Until; {
	case endA == nil && endB != nil:
		return -1
	case endA != nil && endB == nil:
		return 1
	case endA != nil && !endA.Equal(endB):
		return endB.Compare(endA.Time)
	}
	return slices.Compare([]string{a.Namespace, a.Name}, []string{b.Namespace, b.Name})
}
