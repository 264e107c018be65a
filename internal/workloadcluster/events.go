package workloadcluster

import (
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/condition"
)

// announce emits an event for each object that was made or removed, for what failed, for each step that has ended, and when a condition that
// people wait for has another reason, with its words. It is called after the status was saved.
func (r *Reconciler) announce(before, after *fleetwrightv1.WorkloadCluster, o *observation, failed failures) {
	for _, a := range o.plan.actions {
		if did := failed[a.target] == nil; did && (a.verb == create || a.verb == remove || a.verb == release || a.verb == apply && a.kind == kindCluster) {
			r.Recorder.Eventf(after, nil, corev1.EventTypeNormal, string(a.verb), string(a.verb), "%s", a.String())
		}
	}
	for _, t := range slices.SortedFunc(maps.Keys(failed), func(a, b target) int { return slices.Compare([]string{a.kind, a.name}, []string{b.kind, b.name}) }) {
		if !apierrors.IsConflict(failed[t]) { // somebody else wrote first, and it is tried again
			r.Recorder.Eventf(after, nil, corev1.EventTypeWarning, "Failed", "Write", "%s", condition.Clip(t.String()+": "+failed[t].Error()))
		}
	}
	r.announceSteps(before, after)
	for _, kind := range []string{fleetwrightv1.ConditionReady, fleetwrightv1.ConditionUpToDate, fleetwrightv1.ConditionDeleting, fleetwrightv1.ConditionAdopted} {
		if !condition.Changed(before.Status.Conditions, after.Status.Conditions, kind) {
			continue
		}
		c := meta.FindStatusCondition(after.Status.Conditions, kind)
		if c.Reason == fleetwrightv1.ReasonNotDeleting {
			continue
		}
		severity := corev1.EventTypeNormal
		if kind == fleetwrightv1.ConditionReady && meta.FindStatusCondition(after.Status.Conditions, fleetwrightv1.ConditionStalled) != nil {
			severity = corev1.EventTypeWarning
		}
		r.Recorder.Eventf(after, nil, severity, c.Reason, "Report", "%s: %s", kind, c.Message)
	}
}

// announceSteps tells once of each step that has ended, with the time it took.
func (r *Reconciler) announceSteps(before, after *fleetwrightv1.WorkloadCluster) {
	ended := map[fleetwrightv1.WorkloadClusterStepName]bool{}
	for _, s := range before.Status.Steps {
		ended[s.Name] = !s.FinishedTime.IsZero()
	}
	for _, s := range after.Status.Steps {
		if s.FinishedTime.IsZero() || ended[s.Name] {
			continue
		}
		took := s.FinishedTime.Sub(s.StartedTime.Time).Round(time.Second)
		r.Recorder.Eventf(after, nil, corev1.EventTypeNormal, "StepDone", "Report", "step %s is done after %s", s.Name, took)
	}
}

// farewell is the last word about a WorkloadCluster.
func (r *Reconciler) farewell(object *fleetwrightv1.WorkloadCluster, o *observation) {
	r.Recorder.Eventf(object, nil, corev1.EventTypeNormal, o.plan.leaving, "Delete", "%s", condition.Clip(o.plan.leavingMessage))
}
