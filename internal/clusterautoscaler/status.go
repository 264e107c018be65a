package clusterautoscaler

import (
	"context"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/autoscalerprofile"
	"github.com/fleetwright/fleetwright/internal/condition"
	"github.com/fleetwright/fleetwright/internal/drift"
	"github.com/fleetwright/fleetwright/internal/ownobject"
)

// maxHistory is how many drifts status tells of.
const maxHistory = 5

// report writes the status of what was seen, planned and done, also when acting failed, and speaks of it only once it is saved.
func (r *Reconciler) report(ctx context.Context, a *fleetwrightv1.AzureClusterAutoscaler, o *observation, actErr error) error {
	before := a.DeepCopy()
	a.Status = status(before, o, actErr, r.Clock.Now())
	if err := ownobject.WriteStatus(ctx, r.Client, before, a, fieldOwner); err != nil {
		return err
	}
	actionsTotal.Count(string(o.plan.action), actErr)
	r.announce(before, a, o, actErr)
	return nil
}

// status is a report made from scratch; the former one only lends times, and the drifts seen so far.
func status(before *fleetwrightv1.AzureClusterAutoscaler, o *observation, actErr error, now time.Time) fleetwrightv1.AzureClusterAutoscalerStatus {
	s := fleetwrightv1.AzureClusterAutoscalerStatus{
		ObservedGeneration: before.Generation, WrittenThrough: o.world.writer, DriftHistory: history(before.Status, o, actErr, now),
	}
	if o.world.known {
		s.Observed, _ = autoscalerprofile.Settings(o.world.azure.Values)
	}
	s.Conditions = condition.Stamp(conditions(o, actErr), before.Status.Conditions, before.Generation, now)
	return s
}

// history adds a drift when it was healed, or when it was first seen to stay.
func history(before fleetwrightv1.AzureClusterAutoscalerStatus, o *observation, actErr error, now time.Time) []fleetwrightv1.DriftRecord {
	record, is := o.plan.drift.Record(now)
	if !is || actErr != nil || !o.world.applied {
		return before.DriftHistory
	}
	healed := o.plan.drift.Action == drift.Heal
	if healed && !o.plan.writes() {
		return before.DriftHistory // it waits for its turn
	}
	if c := meta.FindStatusCondition(before.Conditions, fleetwrightv1.ConditionApplied); !healed && c != nil && c.Reason == o.plan.reason {
		return before.DriftHistory
	}
	all := append(slices.Clone(before.DriftHistory), record)
	return all[max(len(all)-maxHistory, 0):]
}
