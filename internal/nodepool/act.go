package nodepool

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/drain"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/nodepool/replacement"
	"github.com/fleetwright/fleetwright/internal/ownobject"
)

// conflictPause is how long to wait after somebody else wrote first.
const conflictPause = time.Second

// busyPause is how long to wait for an operation of Azure that CAPZ does not show.
const busyPause = 10 * time.Second

// lookWhileDraining is how often it is looked whether pods may still be evicted:
// nothing tells when a new node fails. The drain itself looks at its pods much
// more often, and asks for a look when there is something to be said.
const lookWhileDraining = 5 * time.Second

// checkAgain is when to look again: when the plan asks for it, and no later than a
// Freeze or a window begins or ends.
func (o *observation) checkAgain(now time.Time) time.Duration {
	again := o.plan.CheckAgain
	if evicts(o) {
		again = lookWhileDraining
	}
	for _, at := range []time.Time{o.holdChanges, o.world.Nodepool.RolloutAfter} {
		if left := at.Sub(now); left > 0 && (again == 0 || left < again) {
			again = left
		}
	}
	return again
}

// evicts is true for a plan that lets a drain run until the next look.
func evicts(o *observation) bool { return o.plan.Action.Kind == replacement.EvictPods }

// needsSlot tells writes to the management cluster, which need a live look and
// the cluster's slot, from writes to nodes and pods, which carry UIDs and rest
// on live reads anyway. Closing nodes takes the slot too, so that two System
// pools do not both rely on the other one.
func needsSlot(a replacement.Action) bool {
	switch a.Kind {
	case replacement.CreatePool, replacement.UpdatePool, replacement.CordonNodes, replacement.DeletePool, replacement.RemoveFinalizer,
		replacement.HoldScaling, replacement.ResizePool, replacement.DeleteMachines, replacement.MatchSize, replacement.AdoptPool:
		return true
	case replacement.None, replacement.UncordonNodes, replacement.EvictPods, replacement.MarkEmpty, replacement.ReleasePool:
	}
	return false
}

// act does the plan's one action. Each is idempotent, and starts something
// rather than waiting for it.
func (r *Reconciler) act(ctx context.Context, np *fleetwrightv1.Nodepool, o *observation) error {
	a := o.plan.Action
	if a.Kind == replacement.None {
		return nil
	}
	if a.Kind != replacement.EvictPods {
		logf.FromContext(ctx).Info("Acting", "action", a.Kind, "pool", a.Pool, "reason", o.plan.Reason, "message", o.plan.Message)
	}
	if err := r.putBack(ctx, np, o); err != nil {
		return err
	}
	key := types.NamespacedName{Namespace: np.Namespace, Name: a.Object}
	switch a.Kind {
	case replacement.CordonNodes:
		return r.cordon(ctx, key, o)
	case replacement.UncordonNodes:
		return r.uncordon(ctx, np, o)
	case replacement.EvictPods:
		return r.evict(ctx, np, o)
	case replacement.DeleteMachines:
		return r.deleteMachines(ctx, o)
	case replacement.RemoveFinalizer:
		return ownobject.SetFinalizer(ctx, r.Client, np, fleetwrightv1.FinalizerNodepool, false, capi.FieldOwner)
	default:
		return r.write(ctx, np, o)
	}
}

// write changes a pool's objects in the management cluster.
func (r *Reconciler) write(ctx context.Context, np *fleetwrightv1.Nodepool, o *observation) error {
	a, cluster, now := o.plan.Action, clusterKey(np), r.Clock.Now()
	key := types.NamespacedName{Namespace: np.Namespace, Name: a.Object}
	switch a.Kind {
	case replacement.CreatePool:
		return r.createPool(ctx, np, o)
	case replacement.UpdatePool:
		return capi.UpdatePool(ctx, r.Client, r.Live, cluster, a.Object, o.world.Nodepool.BaseName, a.Spec, a.Carried, now)
	case replacement.HoldScaling:
		return capi.HoldScaling(ctx, r.Client, r.Live, cluster, a.Object, *a.Spec.Scaling, now)
	case replacement.ResizePool:
		return capi.Resize(ctx, r.Client, r.Live, cluster, a.Object, a.Replicas, now)
	case replacement.MatchSize:
		return r.matchSize(ctx, o, func(n int32) error { return capi.MatchSize(ctx, r.Client, r.Live, cluster, a.Object, n) })
	case replacement.MarkEmpty:
		return capi.MarkEmpty(ctx, r.Client, r.Live, key, now)
	case replacement.AdoptPool:
		owner := capi.Owner{Nodepool: np.Name, NodepoolUID: string(np.UID), BaseName: o.world.Nodepool.BaseName}
		return capi.Adopt(ctx, r.Client, r.Live, cluster, a.Object, owner, now)
	case replacement.ReleasePool:
		return capi.Release(ctx, r.Client, r.Live, cluster, a.Object)
	case replacement.DeletePool:
		return capi.DeletePool(ctx, r.Client, key, types.UID(a.UID), o.pools[a.Object].InfraUID)
	default:
		return fmt.Errorf("%w: %s", errUnknownAction, a.Kind)
	}
}

// errUnknownAction is a plan that nobody taught us to carry out.
var errUnknownAction = errors.New("this action is not known")

func (r *Reconciler) createPool(ctx context.Context, np *fleetwrightv1.Nodepool, o *observation) error {
	a := o.plan.Action
	return capi.CreatePool(ctx, r.Client, r.Live, clusterKey(np), capi.NewPool{
		Object: a.Object, Name: a.Pool,
		Nodepool: np.Name, NodepoolUID: string(np.UID), BaseName: o.world.Nodepool.BaseName,
		Fingerprint: a.Fingerprint, Spec: a.Spec, Replicas: a.Replicas, ReplacesNodes: a.Replaces, Carried: a.Carried, Started: r.Clock.Now(),
	})
}

// cordon writes the beginning of the drain down first, so that no node is
// closed by a drain nobody knows of.
func (r *Reconciler) cordon(ctx context.Context, key types.NamespacedName, o *observation) error {
	if o.pools[key.Name].UID != "" && o.pools[key.Name].DrainStarted.IsZero() {
		if err := capi.MarkDraining(ctx, r.Client, r.Live, key, r.Clock.Now()); err != nil {
			return err
		}
	}
	mark := drain.Mark{Key: fleetwrightv1.AnnotationCordoned, Value: o.plan.Action.Pool}
	return eachNode(o.plan.Action.Nodes, func(n drain.NodeRef) error { return drain.Cordon(ctx, o.nodes, n, mark) })
}

// uncordon opens the nodes before it puts back what was changed for their drain: a
// webhook that refuses to have that changed may need these very nodes to run on.
// The mark goes last: as long as it is there, the planner asks for this again.
func (r *Reconciler) uncordon(ctx context.Context, np *fleetwrightv1.Nodepool, o *observation) error {
	key := types.NamespacedName{Namespace: np.Namespace, Name: o.plan.Action.Object}
	if !o.pools[key.Name].EmptySince.IsZero() {
		// The change that emptied it was through: how many nodes served before it is
		// history, and would be taken for a shift that is to be taken back.
		for object := range o.pools {
			if err := capi.ForgetReplaced(ctx, r.Client, r.Live, types.NamespacedName{Namespace: key.Namespace, Name: object}); err != nil {
				return err
			}
		}
	}
	mark := drain.Mark{Key: fleetwrightv1.AnnotationCordoned}
	if err := eachNode(o.plan.Action.Nodes, func(n drain.NodeRef) error { return drain.Uncordon(ctx, o.nodes, n, mark) }); err != nil {
		return err
	}
	if err := putBackAll(ctx, np, o); err != nil {
		return err
	}
	return capi.MarkDraining(ctx, r.Client, r.Live, key, time.Time{})
}

func eachNode(nodes []replacement.Node, do func(drain.NodeRef) error) error {
	var errs []error
	for _, n := range nodes {
		err := do(drain.NodeRef{Name: n.Name, UID: types.UID(n.UID)})
		if err != nil && !apierrors.IsNotFound(err) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// evict lets the pool's drain go on until the next look, and begins it where it
// does not run yet.
func (r *Reconciler) evict(ctx context.Context, np *fleetwrightv1.Nodepool, o *observation) error {
	a := o.plan.Action
	plan, found := o.drains[a.Object]
	if !found {
		return fmt.Errorf("evict from pool %s: %w", a.Pool, errPoolUnread)
	}
	order := drainOrder{nodepool: np.UID, object: a.Object, policy: o.policies[a.Object], nodes: refsOf(a.Nodes, nil)}
	var seen *drainWord
	for _, p := range o.world.Pools {
		if p.Object != a.Object {
			continue
		}
		if order.of = p.Drain.Of; !o.followed[a.Object] {
			seen = &drainWord{plan: plan, pinned: p.Drain.Pinned, at: r.Clock.Now()}
		}
	}
	if err := r.drains.keep(ctx, r.Clusters, clusterKey(np), client.ObjectKeyFromObject(np), order, seen, r.Clock); err != nil {
		return fmt.Errorf("evict from pool %s: %w", a.Pool, err)
	}
	return nil
}
