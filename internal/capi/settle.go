package capi

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// The number of a pool's nodes has two writers. As long as Azure Service
// Operator's status says that the autoscaler is on, CAPZ overwrites
// MachinePool.spec.replicas with the number in that status, which is as old as
// that operator's last look (up to an hour), at the end of a round that may have
// begun long before, and without a lock (azure/services/agentpools/agentpools.go,
// controllers/azureasomanagedmachinepool_controller.go). Without the autoscaler it
// asks Azure for what the MachinePool says, and Azure takes nodes away without a
// drain if that is fewer than live.
//
// So a pool's autoscaler is taken off in the same write that pins its number in
// the infrastructure object, where CAPZ does not write. The pin goes when the
// MachinePool has the number and CAPZ does not overwrite it any more. What is
// left to do shows in the objects: nothing is remembered.

// Settle does the next thing for a pool that is Unsettled: it has the number
// written to the MachinePool until it stays there, and then lets the MachinePool
// have the word again. It may be called at any time, for any pool.
func Settle(ctx context.Context, c client.Client, reader client.Reader, cluster types.NamespacedName, object string, now time.Time) error {
	o, err := readObjects(ctx, reader, types.NamespacedName{Namespace: cluster.Namespace, Name: object})
	if err != nil {
		return client.IgnoreNotFound(err)
	}
	p, r := o.View(now), o.read()
	switch {
	case !p.Unsettled:
		return nil
	case r.Spec.Scaling != nil:
		// Somebody switched the autoscaler on by hand.
		before := o.Infra.DeepCopy()
		o.leaveCount()
		return patchChange(ctx, c, before, o.Infra, now)
	case r.Progress.State == Working:
		// Nothing is lost meanwhile: the pin has the word.
		return nil
	case o.MachinePool.Spec.Replicas == nil || *o.MachinePool.Spec.Replicas != *r.Pinned:
		return updateReplicas(ctx, c, o.MachinePool, r.Pinned, now)
	case replicasManaged(o.MachinePool) || r.Progress.State != Done || p.justWritten(now, r.Progress):
		return nil
	}
	before := o.Infra.DeepCopy()
	o.Flavor.Pin(o.Infra, nil)
	if left := o.read().Spec.Replicas; left != nil && *left != *r.Pinned {
		return fmt.Errorf("settle %s %s/%s on %d nodes: a patch of somebody else in spec.%s says count %d; take count out of it",
			kindOf(o.Infra), cluster.Namespace, object, *r.Pinned, patchesField, *left)
	}
	return patch(ctx, c, "settle", before, o.Infra)
}

// fix takes the autoscaler off and pins the number of nodes.
func (o Objects) fix(replicas int32) {
	if o.scaled() {
		o.Flavor.SetScaling(o.Infra, nil)
	}
	o.Flavor.Pin(o.Infra, &replicas)
}

// replicasOverruled is true when a number written to the MachinePool may not be
// the one that Azure is asked for.
func (o Objects) replicasOverruled() bool {
	r := o.read()
	return r.Spec.Scaling != nil || r.Pinned != nil || r.CountLeft || replicasManaged(o.MachinePool)
}

// replicasManaged: CAPZ says that it writes the MachinePool's number. It takes
// that back in the round in which it sees that the autoscaler is off, and writes
// none in later ones.
func replicasManaged(mp *clusterv1.MachinePool) bool {
	_, managed := mp.Annotations[clusterv1.ReplicasManagedByAnnotation]
	return managed
}

// leaveCount has Azure asked for no number when a scaled pool is written to: each
// write makes CAPZ ask again, with a number that is up to an hour old. What AKS
// does with one that is not today's, its API does not say: it has refused it
// ("Cannot manually scale", hashicorp/terraform-provider-azurerm#4543), and one
// without any leaves the pool as it is (kubernetes-sigs/cluster-api-provider-azure#1991),
// which is what CAPZ's other flavour asks. Only a pool that is still to be made
// needs a number to start with.
func (o Objects) leaveCount() {
	switch r := o.read(); {
	case r.Spec.Scaling == nil:
	case r.exists():
		o.Flavor.LeaveCount(o.Infra)
	default:
		o.Flavor.Pin(o.Infra, nil)
	}
}
