package nodepool

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/drain"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/nodepool/replacement"
)

// conflictPause is how long to wait after somebody else wrote first.
const conflictPause = time.Second

// outcome is what came of the plan's action.
type outcome struct {
	// drained is the drain as it stands after the evictions, answers its result.
	drained *drain.Plan
	answers drain.Result
}

func (d outcome) checkAgain(plan replacement.Plan) time.Duration {
	if d.drained != nil && d.drained.CheckAgain > 0 {
		return d.drained.CheckAgain
	}
	return plan.CheckAgain
}

// needsSlot tells writes to the management cluster, which need a live look and
// the cluster's slot, from writes to nodes and pods, which carry UIDs and rest
// on live reads anyway. Closing nodes takes the slot too, so that two System
// pools do not both rely on the other one.
func needsSlot(kind replacement.ActionKind) bool {
	switch kind {
	case replacement.CreatePool, replacement.UpdatePool, replacement.CordonNodes, replacement.DeletePool, replacement.RemoveFinalizer:
		return true
	case replacement.None, replacement.UncordonNodes, replacement.EvictPods:
	}
	return false
}

// act does the plan's one action. Each is idempotent, and starts something
// rather than waiting for it.
func (r *Reconciler) act(ctx context.Context, np *fleetwrightv1.Nodepool, o *observation) (outcome, error) {
	a := o.plan.Action
	if a.Kind == replacement.None {
		return outcome{}, nil
	}
	if a.Kind != replacement.EvictPods {
		logf.FromContext(ctx).Info("Acting", "action", a.Kind, "pool", a.Pool, "reason", o.plan.Reason, "message", o.plan.Message)
	}
	key := types.NamespacedName{Namespace: np.Namespace, Name: a.Object}
	switch a.Kind {
	case replacement.CreatePool:
		return outcome{}, r.createPool(ctx, np, o)
	case replacement.UpdatePool:
		return outcome{}, capi.UpdatePool(ctx, r.Client, r.Live, clusterKey(np), a.Object, o.world.Nodepool.BaseName, a.Spec, r.Clock.Now())
	case replacement.CordonNodes:
		return outcome{}, r.cordon(ctx, key, o)
	case replacement.UncordonNodes:
		return outcome{}, r.uncordon(ctx, key, o)
	case replacement.EvictPods:
		return r.evict(ctx, np, o)
	case replacement.DeletePool:
		return outcome{}, capi.DeletePool(ctx, r.Client, key, types.UID(a.UID), o.pools[a.Object].InfraUID)
	case replacement.RemoveFinalizer:
		return outcome{}, r.setFinalizer(ctx, np, false)
	case replacement.None:
	}
	return outcome{}, nil
}

func (r *Reconciler) createPool(ctx context.Context, np *fleetwrightv1.Nodepool, o *observation) error {
	a := o.plan.Action
	return capi.CreatePool(ctx, r.Client, r.Live, clusterKey(np), capi.NewPool{
		Object: a.Object, Name: a.Pool,
		Nodepool: np.Name, NodepoolUID: string(np.UID), BaseName: o.world.Nodepool.BaseName,
		Fingerprint: a.Fingerprint, Spec: a.Spec, Replicas: a.Replicas, Started: r.Clock.Now(),
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

// uncordon takes the mark off last, so that a restart in between goes on.
func (r *Reconciler) uncordon(ctx context.Context, key types.NamespacedName, o *observation) error {
	mark := drain.Mark{Key: fleetwrightv1.AnnotationCordoned}
	if err := eachNode(o.plan.Action.Nodes, func(n drain.NodeRef) error { return drain.Uncordon(ctx, o.nodes, n, mark) }); err != nil {
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

func (r *Reconciler) evict(ctx context.Context, np *fleetwrightv1.Nodepool, o *observation) (outcome, error) {
	plan, found := o.drains[o.plan.Action.Object]
	if !found {
		return outcome{}, fmt.Errorf("evict from pool %s: %w", o.plan.Action.Pool, errPoolUnread)
	}
	result := drain.Evict(ctx, o.nodes, plan, drain.Options{})
	r.refusals.remember(np.UID, result, r.Clock.Now())
	after := plan.After(result)
	return outcome{drained: &after, answers: result}, nil
}
