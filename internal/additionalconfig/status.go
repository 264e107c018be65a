package additionalconfig

import (
	"context"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/additionalconfig/section"
	"github.com/fleetwright/fleetwright/internal/condition"
	"github.com/fleetwright/fleetwright/internal/ownobject"
)

// maxResources is how many objects status tells of, as the schema has it.
const maxResources = 64

// report writes the status of what was seen and done, also when something failed, and speaks of it once it is saved.
func (r *Reconciler) report(ctx context.Context, config *fleetwrightv1.AzureClusterAdditionalConfig, w world, p plan, failed failures) error {
	before := config.DeepCopy()
	p.blame(failed)
	set := condition.Stamp(conditions(r.Sections, w, p), before.Status.Conditions, config.Generation, r.Clock.Now())
	config.Status = status(set, p)
	config.Status.ObservedGeneration = config.Generation
	if err := ownobject.WriteStatus(ctx, r.Client, before, config, FieldOwner); err != nil {
		return err
	}
	r.announce(before, config, p, failed)
	return nil
}

// blame says of the objects for which something failed that it did.
func (p *plan) blame(failed failures) {
	for i := range p.resources {
		res := &p.resources[i]
		err, did := failed[res.target()]
		if !did || apierrors.IsConflict(err) {
			continue
		}
		res.Ready, res.message = metav1.ConditionFalse, err.Error()
		if apierrors.IsInvalid(err) {
			res.Reason, res.stuck = fleetwrightv1.ReasonInvalidSpec, fleetwrightv1.ReasonInvalidSpec
		}
	}
}

func status(set []metav1.Condition, p plan) fleetwrightv1.AzureClusterAdditionalConfigStatus {
	s := fleetwrightv1.AzureClusterAdditionalConfigStatus{Conditions: set}
	ready := 0
	for i := range p.resources {
		s.Resources = append(s.Resources, p.resources[i].AdditionalResource)
		if p.resources[i].Ready == metav1.ConditionTrue {
			ready++
		}
	}
	if len(s.Resources) > maxResources {
		slices.SortStableFunc(s.Resources, func(a, b fleetwrightv1.AdditionalResource) int { return readiness(a) - readiness(b) })
		s.Resources = s.Resources[:maxResources]
	}
	s.ResourcesTotal, s.ResourcesReady = count32(len(p.resources)), count32(ready)
	return s
}

func readiness(r fleetwrightv1.AdditionalResource) int {
	if r.Ready == metav1.ConditionTrue {
		return 1
	}
	return 0
}

func count32(n int) *int32 { return new(int32(n)) }

// conditions are all conditions of a config, made anew each time.
func conditions(sections []section.Section, w world, p plan) []metav1.Condition {
	ofSections := sectionConditions(sections, p)
	set := []metav1.Condition{readyCondition(w, p)}
	set = append(set, ofSections...)
	set = append(set, pausedCondition(w, p), condition.Deleting(p.leaving != "", p.leaving, p.leavingMessage))
	if reason, message := stuck(w, p); reason != "" {
		set = append(set, metav1.Condition{Type: fleetwrightv1.ConditionStalled, Status: metav1.ConditionTrue, Reason: reason, Message: message})
	}
	return set
}

// sectionConditions are those of the sections that the spec has.
func sectionConditions(sections []section.Section, p plan) []metav1.Condition {
	var set []metav1.Condition
	for _, s := range sections {
		total, first := 0, (*resource)(nil)
		for i := range p.resources {
			if r := &p.resources[i]; r.Section == s.Name {
				total++
				if first == nil && r.Ready != metav1.ConditionTrue {
					first = r
				}
			}
		}
		switch {
		case first != nil:
			set = append(set, condition.New(s.Condition(), first.Ready, first.Reason, "%s: %s", first.target(), first.message))
		case total > 0:
			set = append(set, condition.New(s.Condition(), metav1.ConditionTrue, fleetwrightv1.ReasonReady, "all is ready: %d", total))
		}
	}
	return set
}

// readyCondition sums up: what the config is without, what leaves, the first section that is not ready, what is left of former sections,
// and what is not as the spec says because it is held back.
func readyCondition(w world, p plan) metav1.Condition {
	no := func(reason, format string, args ...any) metav1.Condition {
		return condition.New(fleetwrightv1.ConditionReady, metav1.ConditionFalse, reason, format, args...)
	}
	switch {
	case p.leaving != "":
		return no(p.leaving, "%s", p.leavingMessage)
	case p.unknownCluster:
		return no(fleetwrightv1.ReasonClusterNotFound, "%s", unknownCluster(w))
	}
	var removing *resource
	for i := range p.resources {
		switch r := &p.resources[i]; {
		case r.Ready == metav1.ConditionTrue:
		case r.Section == "":
			removing = r
		default:
			status := r.Ready // Unknown stays Unknown
			return condition.New(fleetwrightv1.ConditionReady, status, w.sectionOf(*r).NotReady(), "%s: %s", r.target(), r.message)
		}
	}
	switch {
	case len(p.held) > 0:
		return no(fleetwrightv1.ReasonHeldBack, "%s; held back: %s", w.hold.Message, several(p.held))
	case removing != nil:
		return no(fleetwrightv1.ReasonRemoving, "%s: %s", removing.target(), removing.message)
	case len(p.resources) == 0:
		return condition.New(fleetwrightv1.ConditionReady, metav1.ConditionTrue, fleetwrightv1.ReasonReady, "the spec asks for nothing")
	}
	return condition.New(fleetwrightv1.ConditionReady, metav1.ConditionTrue, fleetwrightv1.ReasonReady, "all is ready: %d", len(p.resources))
}

func (w world) sectionOf(r resource) section.Section {
	for i := range w.wanted {
		if w.wanted[i].target == r.target() {
			return w.wanted[i].section
		}
	}
	return section.Section{Name: r.Section}
}

func unknownCluster(w world) string {
	return fmt.Sprintf("there is no Cluster %s in this namespace: nothing is made until there is", w.name)
}

func pausedCondition(w world, p plan) metav1.Condition {
	kind := fleetwrightv1.ConditionPaused
	switch {
	case w.hold.Reason == "":
		return condition.New(kind, metav1.ConditionFalse, fleetwrightv1.ReasonNotPaused, "")
	case len(p.held) > 0:
		return condition.New(kind, metav1.ConditionTrue, w.hold.Reason, "%s; held back: %s", w.hold.Message, several(p.held))
	}
	return condition.New(kind, metav1.ConditionTrue, w.hold.Reason, "%s; nothing is held back", w.hold.Message)
}

// several names three actions and counts the others.
func several(actions []action) string {
	const most = 3
	text := ""
	for i, a := range actions {
		switch {
		case i == most:
			return fmt.Sprintf("%s and %d more", text, len(actions)-most)
		case i > 0:
			text += ", "
		}
		text += a.String()
	}
	return text
}

// stuck is the first reason for which nothing goes on until a person acts.
func stuck(w world, p plan) (reason, message string) {
	switch {
	case p.clusterOverdue:
		return fleetwrightv1.ReasonClusterNotFound, unknownCluster(w)
	case p.leaving == fleetwrightv1.ReasonDeletionProtected:
		return "", ""
	}
	for i := range p.resources {
		if r := p.resources[i]; r.stuck != "" {
			return r.stuck, fmt.Sprintf("%s: %s", r.target(), r.message)
		}
	}
	return "", ""
}
