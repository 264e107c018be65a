package addresspool

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// world is what one look has shown.
type world struct {
	key types.NamespacedName
	// pool is nil when there is none.
	pool *fleetwrightv1.AddressPool
	// others are all other pools of the fleet.
	others []*fleetwrightv1.AddressPool
	// allocations are all of the fleet, of this pool or not. They were read after the pools: what was chosen of a pool and is not written on it
	// any more is among them.
	allocations []*fleetwrightv1.AddressAllocation
	// claims are those that unreleased allocations of this pool name; nil for one that does not exist.
	claims map[types.NamespacedName]*fleetwrightv1.AddressClaim
}

// observe reads past the cache: pools first, then allocations. Both are few beside the clusters that they are for, and looks at a pool are
// gathered.
func (r *Reconciler) observe(ctx context.Context, key types.NamespacedName) (world, error) {
	w := world{key: key}
	var pools fleetwrightv1.AddressPoolList
	if err := r.Live.List(ctx, &pools); err != nil {
		return world{}, fmt.Errorf("list the AddressPools: %w", err)
	}
	for i := range pools.Items {
		if p := &pools.Items[i]; keyOf(p) == key {
			w.pool = p
		} else {
			w.others = append(w.others, p)
		}
	}
	var allocations fleetwrightv1.AddressAllocationList
	if err := r.Live.List(ctx, &allocations); err != nil {
		return world{}, fmt.Errorf("list the AddressAllocations: %w", err)
	}
	w.claims = map[types.NamespacedName]*fleetwrightv1.AddressClaim{}
	for i := range allocations.Items {
		a := &allocations.Items[i]
		w.allocations = append(w.allocations, a)
		if poolOf(a) != key || !claimed(a) {
			continue
		}
		claim := claimOf(a)
		if _, known := w.claims[claim]; known {
			continue
		}
		found, err := r.claim(ctx, claim)
		if err != nil {
			return world{}, err
		}
		w.claims[claim] = found
	}
	return w, nil
}

// claim reads a claim from the cache, and past it before it says that there is none: the cache may not have heard of it yet.
func (r *Reconciler) claim(ctx context.Context, key types.NamespacedName) (*fleetwrightv1.AddressClaim, error) {
	var out fleetwrightv1.AddressClaim
	err := r.Client.Get(ctx, key, &out)
	if apierrors.IsNotFound(err) {
		err = r.Live.Get(ctx, key, &out)
	}
	switch {
	case apierrors.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read AddressClaim %s: %w", key, err)
	}
	return &out, nil
}

// claimed is true for an allocation that was made for a claim, and not imported.
func claimed(a *fleetwrightv1.AddressAllocation) bool { return a.Spec.Claim.Name != "" }

// claimOf is the claim that an allocation was made for.
func claimOf(a *fleetwrightv1.AddressAllocation) types.NamespacedName {
	return types.NamespacedName{Namespace: a.Spec.Claim.Namespace, Name: a.Spec.Claim.Name}
}
