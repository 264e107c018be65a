package addresspool

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
)

// fieldOwner is who writes finalizers and status. AddressClaims write the rest under the same name.
const fieldOwner = client.FieldOwner("fleetwright-addresses")

// end deletes what has rested, if it still is as it was read.
func (r *Reconciler) end(ctx context.Context, p plan) error {
	for _, a := range p.ended {
		logf.FromContext(ctx).Info("Deleting an AddressAllocation that has rested", "allocation", client.ObjectKeyFromObject(a), "cidr", a.Spec.CIDR)
		err := r.Client.Delete(ctx, a, client.Preconditions{UID: &a.UID, ResourceVersion: &a.ResourceVersion})
		if client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("delete AddressAllocation %s/%s, which has rested: %w", a.Namespace, a.Name, err)
		}
		r.Recorder.Eventf(a, nil, corev1.EventTypeNormal, "Rested", "End", "%s has rested and can be given out again", a.Spec.CIDR)
	}
	return nil
}
