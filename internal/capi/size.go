package capi

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/agentpool"
)

// HoldScaling gives the autoscaler of a pool that leaves other bounds, and in the
// same write carries those from before for the pool that comes, or for its own
// return. A pool that nobody scales is left alone.
func HoldScaling(ctx context.Context, c client.Client, reader client.Reader, cluster types.NamespacedName, object string, bounds agentpool.Scaling, now time.Time) error {
	o, err := readObjects(ctx, reader, types.NamespacedName{Namespace: cluster.Namespace, Name: object})
	if err != nil {
		return err
	}
	if !o.scaled() {
		return nil
	}
	return holdScaling(ctx, c, o, &bounds, now)
}

// Resize gives a pool a fixed number of nodes, and carries the bounds of the
// autoscaler that it takes off for that.
//
// The number is written first. While a pool is scaled, CAPZ asks Azure for as
// many nodes as there are, whatever the MachinePool says; without a scaler it
// asks for what the MachinePool says, and that is what CAPZ itself last wrote
// down, which may be an hour old and fewer than live in the pool. Cut off in
// between, the autoscaler goes on, and the next look resizes again.
func Resize(ctx context.Context, c client.Client, reader client.Reader, cluster types.NamespacedName, object string, replicas int32, now time.Time) error {
	key := types.NamespacedName{Namespace: cluster.Namespace, Name: object}
	o, err := readObjects(ctx, reader, key)
	if err != nil {
		return err
	}
	if err := updateReplicas(ctx, c, o.MachinePool, &replicas, now); err != nil {
		return err
	}
	if !o.scaled() {
		return nil
	}
	if err := holdScaling(ctx, c, o, nil, now); err != nil {
		return err
	}
	// CAPZ may have written its own number down once more before it saw that the
	// autoscaler is off.
	if o, err = readObjects(ctx, reader, key); err != nil {
		return err
	}
	return updateReplicas(ctx, c, o.MachinePool, &replicas, now)
}

// holdScaling writes other bounds, nil for no autoscaler, and carries the ones
// from before unless some are carried already.
func holdScaling(ctx context.Context, c client.Client, o Objects, bounds *agentpool.Scaling, now time.Time) error {
	before := o.Infra.DeepCopy()
	today := o.Flavor.Read(o.Infra, o.Related).Spec.Scaling
	if boundsIn(o.Infra.GetAnnotations()[fleetwrightv1.AnnotationScalingCarried]) == nil && today != nil {
		annotateText(o.Infra, fleetwrightv1.AnnotationScalingCarried, boundsText(*today))
	}
	o.Flavor.SetScaling(o.Infra, bounds)
	return patchChange(ctx, c, before, o.Infra, now)
}
