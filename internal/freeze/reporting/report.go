package reporting

import (
	"context"
	"fmt"
	"math"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

const fieldOwner = "fleetwright-freeze"

// report writes the status, made from scratch but for the time at which InEffect last changed, and tells of a new reason
// once it is saved.
func (r *Reconciler) report(ctx context.Context, f *fleetwrightv1.Freeze, seen view, now time.Time) error {
	before := f.DeepCopy()
	was := meta.FindStatusCondition(before.Status.Conditions, fleetwrightv1.ConditionInEffect)
	f.Status = status(f.Generation, was, seen, now)
	if equality.Semantic.DeepEqual(before.Status, f.Status) {
		return nil
	}
	if err := r.Client.Status().Patch(ctx, f, client.MergeFrom(before), client.FieldOwner(fieldOwner)); err != nil {
		return fmt.Errorf("write status: %w", err)
	}
	if was == nil || was.Reason != seen.reason {
		r.Recorder.Eventf(f, nil, corev1.EventTypeNormal, seen.reason, "Report", "%s", seen.message)
	}
	return nil
}

func status(generation int64, was *metav1.Condition, seen view, now time.Time) fleetwrightv1.FreezeStatus {
	inEffect := metav1.Condition{
		Type: fleetwrightv1.ConditionInEffect, Status: seen.status, Reason: seen.reason, Message: seen.message,
		ObservedGeneration: generation, LastTransitionTime: metav1.NewTime(now),
	}
	if was != nil && was.Status == seen.status {
		inEffect.LastTransitionTime = was.LastTransitionTime
	}
	return fleetwrightv1.FreezeStatus{
		Conditions: []metav1.Condition{inEffect}, ObservedGeneration: generation, Matched: count32(seen.matched), Holding: count32(seen.holding),
	}
}

func count32(n int) *int32 { return ptr.To(int32(min(n, math.MaxInt32))) }
