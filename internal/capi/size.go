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
//
// Azure is asked for no number of nodes with it. CAPZ would name one that is up
// to an hour old: above the bounds Azure refuses it, and below the nodes there
// are nobody promises that Azure does not take it. Bounds alone could not prevent
// both, and a lower one has to let nodes go one by one in a shift.
func HoldScaling(ctx context.Context, c client.Client, reader client.Reader, cluster types.NamespacedName, object string, bounds agentpool.Scaling, now time.Time) error {
	o, err := readObjects(ctx, reader, types.NamespacedName{Namespace: cluster.Namespace, Name: object})
	if err != nil {
		return err
	}
	if !o.scaled() {
		return nil
	}
	before := o.Infra.DeepCopy()
	o.carryToday()
	o.Flavor.SetScaling(o.Infra, &bounds)
	o.leaveCount()
	return patchChange(ctx, c, before, o.Infra, now)
}

// Resize gives a pool a fixed number of nodes, and carries the bounds of the
// autoscaler that it takes off for that. Cut off in between, Azure is asked for
// the new number already, and Settle writes the rest.
func Resize(ctx context.Context, c client.Client, reader client.Reader, cluster types.NamespacedName, object string, replicas int32, now time.Time) error {
	o, err := readObjects(ctx, reader, types.NamespacedName{Namespace: cluster.Namespace, Name: object})
	if err != nil {
		return err
	}
	if o.replicasOverruled() {
		before := o.Infra.DeepCopy()
		o.carryToday()
		o.fix(replicas)
		if err := patchChange(ctx, c, before, o.Infra, now); err != nil {
			return err
		}
	}
	return updateReplicas(ctx, c, o.MachinePool, &replicas, now)
}

// MatchSize writes down the number of nodes that Azure says a pool has. Azure is
// asked for nothing new, so it is no operation and carries no mark of one.
func MatchSize(ctx context.Context, c client.Client, reader client.Reader, cluster types.NamespacedName, object string, counted int32) error {
	o, err := readObjects(ctx, reader, types.NamespacedName{Namespace: cluster.Namespace, Name: object})
	if err != nil || o.replicasOverruled() {
		return err
	}
	before := o.MachinePool.DeepCopy()
	o.MachinePool.Spec.Replicas = &counted
	return patch(ctx, c, "match the size of", before, o.MachinePool)
}

// carryToday keeps today's bounds for later, unless some are kept already.
func (o Objects) carryToday() {
	today := o.read().Spec.Scaling
	if boundsIn(o.Infra.GetAnnotations()[fleetwrightv1.AnnotationScalingCarried]) == nil && today != nil {
		annotateText(o.Infra, fleetwrightv1.AnnotationScalingCarried, boundsText(*today))
	}
}
