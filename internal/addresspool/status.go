package addresspool

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/condition"
)

// report writes the status of the pool and of its allocations where it changed, and speaks of it only once it is saved.
func (r *Reconciler) report(ctx context.Context, w world, p plan) error {
	if w.pool != nil {
		if err := r.reportPool(ctx, w.pool, p); err != nil {
			return err
		}
	}
	for _, s := range p.states {
		if slices.Contains(p.ended, s.allocation) {
			continue // it is gone, or is told of again at the next look
		}
		if err := client.IgnoreNotFound(r.reportAllocation(ctx, s)); err != nil {
			return err
		}
	}
	return nil
}

func (r *Reconciler) reportPool(ctx context.Context, pool *fleetwrightv1.AddressPool, p plan) error {
	before := pool.DeepCopy()
	pool.Status = fleetwrightv1.AddressPoolStatus{
		Conditions:         condition.Stamp(p.conditions, before.Status.Conditions, before.Generation, r.Clock.Now()),
		ObservedGeneration: before.Generation,
		LargestFree:        p.largest,
	}
	if p.counted {
		pool.Status.Allocated, pool.Status.FreePercent = ptr.To(p.allocated), ptr.To(p.free)
	}
	if !p.exhaustion.IsZero() {
		pool.Status.ExhaustionTime = metav1.NewTime(p.exhaustion)
	}
	if equality.Semantic.DeepEqual(before.Status, pool.Status) {
		return nil
	}
	if err := r.Client.Status().Patch(ctx, pool, client.MergeFrom(before), fieldOwner); err != nil {
		return fmt.Errorf("write status of AddressPool %s: %w", keyOf(pool), err)
	}
	r.announcePool(before, pool)
	return nil
}

func (r *Reconciler) reportAllocation(ctx context.Context, s state) error {
	after := s.allocation.DeepCopy()
	after.Status = fleetwrightv1.AddressAllocationStatus{
		Conditions:         condition.Stamp([]metav1.Condition{s.condition}, s.allocation.Status.Conditions, after.Generation, r.Clock.Now()),
		ObservedGeneration: after.Generation,
	}
	if equality.Semantic.DeepEqual(s.allocation.Status, after.Status) {
		return nil
	}
	if err := r.Client.Status().Patch(ctx, after, client.MergeFrom(s.allocation), fieldOwner); err != nil {
		return fmt.Errorf("write status of AddressAllocation %s/%s: %w", after.Namespace, after.Name, err)
	}
	r.announceAllocation(s.allocation, after)
	return nil
}
