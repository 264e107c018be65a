package addressclaim

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/ownobject"
)

// claimOf is the claim that an allocation names; zero for none.
func claimOf(a *fleetwrightv1.AddressAllocation) types.NamespacedName {
	return types.NamespacedName{Namespace: a.Spec.Claim.Namespace, Name: a.Spec.Claim.Name}
}

// letStraysGo lets go of allocations that somebody has deleted and that are not what the claim asks for: all of them, when there is no claim.
// The others stay however long: a cluster uses them.
func (r *Reconciler) letStraysGo(ctx context.Context, claim types.NamespacedName, wanted func(*fleetwrightv1.AddressAllocation) bool) error {
	var list fleetwrightv1.AddressAllocationList
	if err := r.Client.List(ctx, &list); err != nil {
		return fmt.Errorf("list AddressAllocations: %w", err)
	}
	for i := range list.Items {
		a := &list.Items[i]
		if claimOf(a) != claim || a.DeletionTimestamp.IsZero() || !controllerutil.ContainsFinalizer(a, fleetwrightv1.FinalizerAddressClaim) || wanted(a) {
			continue
		}
		logf.FromContext(ctx).Info("Letting go of an AddressAllocation that was deleted and that no AddressClaim asks for",
			"allocation", client.ObjectKeyFromObject(a), "cidr", a.Spec.CIDR)
		if err := r.strikeOut(ctx, a); err != nil {
			return err
		}
		if err := client.IgnoreNotFound(ownobject.SetFinalizer(ctx, r.Client, a, fleetwrightv1.FinalizerAddressClaim, false, fieldOwner)); err != nil {
			return fmt.Errorf("AddressAllocation %s/%s: %w", a.Namespace, a.Name, err)
		}
	}
	return nil
}

// strikeOut takes off the pool what was written down for an allocation that is about to go: somebody would make it again.
func (r *Reconciler) strikeOut(ctx context.Context, a *fleetwrightv1.AddressAllocation) error {
	key, object := types.NamespacedName{Namespace: a.Namespace, Name: a.Spec.PoolName}, &fleetwrightv1.AddressPool{}
	if err := r.Live.Get(ctx, key, object); apierrors.IsNotFound(err) {
		return nil
	} else if err != nil {
		return fmt.Errorf("read AddressPool %s: %w", key, err)
	}
	choices, err := readChoices(object.Annotations[fleetwrightv1.AnnotationAllocating])
	if err != nil {
		return fmt.Errorf("AddressPool %s: %w", key, err)
	}
	if c, there := choices[a.Name]; !there || !same(c.Spec, a.Spec) {
		return nil
	}
	delete(choices, a.Name)
	return r.writeTo(ctx, object, choices)
}

// asks is true when a claim asks for the allocation as it is.
func asks(namespace string, spec fleetwrightv1.AddressClaimSpec, a allocation) bool {
	shapes, err := shapesOf(spec.Ranges)
	if err != nil {
		return true // nothing is known, so nothing is let go
	}
	for _, r := range spec.Ranges {
		pool := refOf(namespace, r.PoolRef)
		if r.Name == a.spec.Claim.Range && pool.Name == a.spec.PoolName && pool.Namespace == a.namespace && shapes[r.Name].fits(a.prefix) {
			return true
		}
	}
	return false
}
