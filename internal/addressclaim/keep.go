package addressclaim

import (
	"context"
	"fmt"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/ownobject"
)

// keepBound gives the finalizer again to what the claim is bound to and that has lost it, or came back without it from a backup: without it a
// record goes when somebody deletes it, and its range is given to somebody else while a cluster uses it.
func (r *Reconciler) keepBound(ctx context.Context, o *observation) error {
	for _, p := range o.world.pools {
		for _, a := range p.allocations {
			key := client.ObjectKey{Namespace: a.namespace, Name: a.name}
			if !a.loose || !slices.ContainsFunc(o.plan.bound, func(b fleetwrightv1.BoundRange) bool { return b.Allocation == key.String() }) {
				continue
			}
			if err := client.IgnoreNotFound(r.keepOne(ctx, o, key)); err != nil {
				return fmt.Errorf("keep AddressAllocation %s: %w", key, err)
			}
		}
	}
	return nil
}

func (r *Reconciler) keepOne(ctx context.Context, o *observation, key client.ObjectKey) error {
	var object fleetwrightv1.AddressAllocation
	if err := r.Live.Get(ctx, key, &object); err != nil {
		return err
	}
	if !isOf(object.Spec, o.world.claim) || !object.Spec.ReleasedTime.IsZero() || !object.DeletionTimestamp.IsZero() {
		return nil // it has changed meanwhile
	}
	return ownobject.SetFinalizer(ctx, r.Client, &object, fleetwrightv1.FinalizerAddressClaim, true, fieldOwner)
}
