package maintenanceconfiguration

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/condition"
	"github.com/fleetwright/fleetwright/internal/drift"
	"github.com/fleetwright/fleetwright/internal/ownobject"
)

// maxHistory is how many drifts status tells of.
const maxHistory = 5

// report writes the status of what was seen, planned and done, also when acting failed, and speaks of it only once it is saved.
func (r *Reconciler) report(ctx context.Context, m *fleetwrightv1.AzureMaintenanceConfiguration, o *observation, actErr error) error {
	before := m.DeepCopy()
	m.Status = status(before, o, actErr, r.Clock.Now())
	err := ownobject.WriteStatus(ctx, r.Client, before, m, fieldOwner)
	if apierrors.IsInvalid(err) {
		// Azure has a window that the spec could not say.
		m.Status.Observed = fleetwrightv1.AzureMaintenanceWindow{}
		err = ownobject.WriteStatus(ctx, r.Client, before, m, fieldOwner)
	}
	if err != nil {
		return err
	}
	actionsTotal.Count(string(o.plan.action), actErr)
	r.announce(before, m, o, actErr)
	return nil
}

// status is a report made from scratch; the former one only lends times, and the drifts seen so far.
func status(before *fleetwrightv1.AzureMaintenanceConfiguration, o *observation, actErr error, now time.Time) fleetwrightv1.AzureMaintenanceConfigurationStatus {
	s := fleetwrightv1.AzureMaintenanceConfigurationStatus{
		ObservedGeneration: before.Generation, DriftHistory: history(before.Status, o, actErr, now),
		Conditions: condition.Stamp(conditions(o, actErr), before.Status.Conditions, before.Generation, now),
	}
	if f := o.world.found; f != nil {
		s.ID, s.Observed = f.id, f.window
	}
	return s
}

// history adds a drift when it was healed, or when it was first seen to stay.
func history(before fleetwrightv1.AzureMaintenanceConfigurationStatus, o *observation, actErr error, now time.Time) []fleetwrightv1.DriftRecord {
	record, is := o.plan.drift.Record(now)
	if !is || actErr != nil {
		return before.DriftHistory
	}
	healed := o.plan.drift.Action == drift.Heal
	if healed && o.plan.action != write {
		return before.DriftHistory
	}
	if c := meta.FindStatusCondition(before.Conditions, fleetwrightv1.ConditionApplied); !healed && c != nil && c.Reason == o.plan.reason {
		return before.DriftHistory
	}
	all := append([]fleetwrightv1.DriftRecord{record}, before.DriftHistory...)
	return all[:min(len(all), maxHistory)]
}

// conditions are all conditions of the object, made anew each time. They say what the plan says, in the same words.
func conditions(o *observation, actErr error) []metav1.Condition {
	p := o.plan
	switch blocked, sorted := obstacleOf(actErr); {
	case actErr == nil:
	case sorted:
		p.verdict, p.reason, p.message = blocked.verdict, blocked.reason, blocked.message
	default:
		p.message = fmt.Sprintf("%s; that failed and is tried again: %v", p.message, actErr)
	}
	applied, deleting := appliedCondition(o, p, actErr), condition.Deleting(o.world.deleting, p.reason, p.message)
	set := []metav1.Condition{readyCondition(p, applied, deleting), applied, pausedCondition(o, p), deleting}
	if p.verdict == stuck {
		set = append(set, condition.New(fleetwrightv1.ConditionStalled, metav1.ConditionTrue, p.reason, "%s", p.message))
	}
	return set
}

// appliedCondition is True while Azure has the window as declared, also when that was done just now, or when another is lived with.
func appliedCondition(o *observation, p plan, actErr error) metav1.Condition {
	kind := fleetwrightv1.ConditionApplied
	switch {
	case o.world.deleting:
		return condition.New(kind, metav1.ConditionFalse, fleetwrightv1.ReasonNotApplied, "the AzureMaintenanceConfiguration is being deleted")
	case p.verdict == done:
		return condition.New(kind, metav1.ConditionTrue, p.reason, "%s", p.message)
	case p.action == write && p.verdict == working && actErr == nil:
		return condition.New(kind, metav1.ConditionTrue, fleetwrightv1.ReasonApplied, "Azure has the window as it is declared")
	case o.world.obstacle != nil && o.world.obstacle.reason == fleetwrightv1.ReasonAzureRefused:
		return condition.New(kind, metav1.ConditionUnknown, fleetwrightv1.ReasonNotReadable, "%s", p.message)
	}
	return condition.New(kind, metav1.ConditionFalse, p.reason, "%s", p.message)
}

func readyCondition(p plan, applied, deleting metav1.Condition) metav1.Condition {
	kind := fleetwrightv1.ConditionReady
	switch {
	case deleting.Status == metav1.ConditionTrue:
		return condition.New(kind, metav1.ConditionFalse, deleting.Reason, "%s", deleting.Message)
	case p.verdict == stuck:
		return condition.New(kind, metav1.ConditionFalse, p.reason, "%s", p.message)
	case applied.Status == metav1.ConditionTrue:
		return condition.New(kind, metav1.ConditionTrue, fleetwrightv1.ReasonReady, "%s", applied.Message)
	}
	return condition.New(kind, applied.Status, applied.Reason, "%s", applied.Message)
}

func pausedCondition(o *observation, p plan) metav1.Condition {
	kind := fleetwrightv1.ConditionPaused
	switch h := o.world.hold; {
	case h.Reason == "":
		return condition.New(kind, metav1.ConditionFalse, fleetwrightv1.ReasonNotPaused, "")
	case p.verdict == held && p.reason != fleetwrightv1.ReasonDeletionProtected:
		return condition.New(kind, metav1.ConditionTrue, h.Reason, "%s", p.message)
	default:
		return condition.New(kind, metav1.ConditionTrue, h.Reason, "%s; nothing is held back", h.Message)
	}
}
