package roleassignment

import (
	"context"
	"slices"
	"time"

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
func (r *Reconciler) report(ctx context.Context, a *fleetwrightv1.AzureRoleAssignment, o *observation, actErr error) error {
	before := a.DeepCopy()
	now := r.Clock.Now()
	a.Status = status(before, o, actErr, now)
	if err := ownobject.WriteStatus(ctx, r.Client, before, a, fieldOwner); err != nil {
		return err
	}
	actionsTotal.Count(string(o.plan.action), actErr)
	if o.pull != nil {
		actionsTotal.Count(string(o.pull.plan.action), o.pull.err)
	}
	r.announce(before, a, o, actErr)
	return nil
}

// status is a report made from scratch; the former one only lends times, and the drifts seen so far.
func status(before *fleetwrightv1.AzureRoleAssignment, o *observation, actErr error, now time.Time) fleetwrightv1.AzureRoleAssignmentStatus {
	s := fleetwrightv1.AzureRoleAssignmentStatus{
		ObservedGeneration: before.Generation, PrincipalID: o.world.wanted.PrincipalID, RoleDefinitionID: o.world.wanted.RoleID,
		DriftHistory: history(before.Status, o, actErr, now),
	}
	if f := o.world.found; f != nil {
		s.AssignmentID, s.Origin = f.ID, fleetwrightv1.AssignmentOriginAdopted
		if f.ByUs() {
			s.Origin = fleetwrightv1.AssignmentOriginCreated
		}
	}
	s.Conditions = condition.Stamp(conditions(before, o, actErr, now), before.Status.Conditions, before.Generation, now)
	timeReasons(s.Conditions, before.Status.Conditions, now)
	return s
}

// history adds a drift when it was healed, or when it was first seen to stay.
func history(before fleetwrightv1.AzureRoleAssignmentStatus, o *observation, actErr error, now time.Time) []fleetwrightv1.DriftRecord {
	record, is := o.plan.drift.Record(now)
	if !is || actErr != nil || !o.drifted() {
		return before.DriftHistory
	}
	healed := o.plan.drift.Action == drift.Heal
	if healed && o.plan.action != assign {
		return before.DriftHistory
	}
	if c := meta.FindStatusCondition(before.Conditions, fleetwrightv1.ConditionAssigned); !healed && c != nil && c.Reason == o.plan.reason {
		return before.DriftHistory
	}
	all := append(slices.Clone(before.DriftHistory), record)
	return all[max(len(all)-maxHistory, 0):]
}

// drifted is true when the assignment was there before and is missing now.
func (o *observation) drifted() bool { return o.world.applied && len(o.plan.drift.Fields) > 0 }

// waited is for how long the assignment is reported to be missing for a reason, 0 when it is not. It only goes into messages and pauses.
type waited func(reason string) time.Duration

func waitedBy(conditions []metav1.Condition, now time.Time) waited {
	return func(reason string) time.Duration {
		if !reported(conditions, reason) {
			return 0
		}
		since := meta.FindStatusCondition(conditions, fleetwrightv1.ConditionAssigned).LastTransitionTime
		return max(now.Sub(since.Time), 0).Round(time.Second)
	}
}

// reported is true while the assignment is reported to be missing for the reason.
func reported(conditions []metav1.Condition, reason string) bool {
	c := meta.FindStatusCondition(conditions, fleetwrightv1.ConditionAssigned)
	return c != nil && c.Reason == reason
}

// timeReasons gives the reasons of two conditions their own times, and not only their status: what the assignment has waited for before, for
// instance the cluster, tells nothing about a principal that is there only now, nor about nodes.
func timeReasons(set, before []metav1.Condition, now time.Time) {
	for _, kind := range []string{fleetwrightv1.ConditionAssigned, fleetwrightv1.ConditionPullVerified} {
		if condition.Changed(before, set, kind) {
			meta.FindStatusCondition(set, kind).LastTransitionTime = metav1.NewTime(now)
		}
	}
}
