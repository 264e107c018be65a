// Package nodepool keeps Nodepools: one node pool for its users and a sequence
// of AKS agent pools underneath.
//
// A reconcile observes (observe.go), lets the planner decide
// (package replacement), does the one thing the plan says (act.go) and reports
// (status.go). Nothing is remembered between two reconciles: deleting all
// status changes no action, but for the grace after a pause (afterpause.go). What goes on between them are the evictions of a pool
// that is emptied (drains.go), for as long as each look allows them anew.
package nodepool

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/drain/ladder"
	"github.com/fleetwright/fleetwright/internal/azure/refusal"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/freeze"
	"github.com/fleetwright/fleetwright/internal/nodepool/replacement"
	"github.com/fleetwright/fleetwright/internal/ownobject"
	"github.com/fleetwright/fleetwright/internal/workload"
)

// +kubebuilder:rbac:groups=fleetwright.io,resources=nodepools,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=fleetwright.io,resources=nodepools/status,verbs=patch
// +kubebuilder:rbac:groups=cluster.x-k8s.io,resources=clusters,verbs=get;list;watch
// +kubebuilder:rbac:groups=cluster.x-k8s.io,resources=machinepools,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=infrastructure.cluster.x-k8s.io,resources=azuremanagedcontrolplanes,verbs=get;list;watch
// +kubebuilder:rbac:groups=infrastructure.cluster.x-k8s.io,resources=azuremanagedmachinepools,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=infrastructure.cluster.x-k8s.io,resources=azureasomanagedcontrolplanes,verbs=get;list;watch
// +kubebuilder:rbac:groups=infrastructure.cluster.x-k8s.io,resources=azureasomanagedmachinepools,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=containerservice.azure.com,resources=managedclusters;managedclustersagentpools,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Reconciler reconciles Nodepools.
type Reconciler struct {
	// Client reads from the cache and writes; Live reads past the cache, before
	// anything is created or deleted.
	Client client.Client
	Live   client.Reader
	// Clusters connects to workload clusters.
	Clusters *workload.Clusters
	Recorder events.EventRecorder
	Clock    clock.PassiveClock

	// Azure is nil for an operator that never asks Azure.
	Azure Azures
	// Notifier hears of blocked drains, besides the owners; it may be nil.
	Notifier ladder.Notifier
	// Namespace is the manager's own: a Freeze there reaches the fleet.
	Namespace string

	slots     slots
	queue     queue
	drains    drains
	forecasts forecasts
	fits      fits
}

// Reconcile does the next thing for one Nodepool: the first of create, wait,
// cordon, drain, delete that is not done. It starts Azure operations and never
// waits for one; the next look finds it in progress.
func (r *Reconciler) Reconcile(ctx context.Context, np *fleetwrightv1.Nodepool) (ctrl.Result, error) {
	key := client.ObjectKeyFromObject(np)
	// The cache lags behind our own last status, and pods must not be evicted
	// for a spec, or in spite of a pause, that changed a moment ago.
	if lives, err := ownobject.Meet(ctx, r.Live, r.Client, np, fleetwrightv1.FinalizerNodepool, capi.FieldOwner); err != nil {
		return ownobject.Quietly(err)
	} else if !lives {
		return ctrl.Result{}, r.gone(ctx, key)
	}
	o, err := r.firstLook(ctx, np)
	if err != nil {
		return ctrl.Result{}, err
	}
	// Evictions end before anything else is done, or waited for.
	if !evicts(o) {
		if err := r.drains.stop(ctx, key); err != nil {
			return ctrl.Result{}, err
		}
	}
	if needsSlot(o.plan.Action) {
		// One Nodepool of a cluster at a time, on a reading newer than the last
		// write of any of them: AKS has one slot, and a cache may lag.
		release, err := r.slots.take(ctx, clusterKey(np))
		if err != nil {
			return ctrl.Result{}, err
		}
		defer release()
		if o, err = r.lookLive(ctx, np); err != nil || o == nil {
			return ctrl.Result{}, client.IgnoreNotFound(err)
		}
	}
	logf.FromContext(ctx).V(1).Info("Planned", "plan", o.plan.String())
	if writes(o) {
		stands, err := r.stands(ctx, np, o)
		if err != nil {
			return ctrl.Result{}, err
		}
		if !stands {
			return ctrl.Result{RequeueAfter: conflictPause}, r.drains.stop(ctx, key)
		}
	}
	if err := r.settle(ctx, np, o); err != nil {
		return ownobject.Quietly(err)
	}
	actErr := r.act(ctx, np, o)
	r.climb(ctx, np, o)
	return r.conclude(ctx, np, o, actErr)
}

// gone ends what still goes on for a Nodepool that is not there any more.
func (r *Reconciler) gone(ctx context.Context, nodepool types.NamespacedName) error {
	return r.drains.stop(ctx, nodepool)
}

// stands asks once more, right before a write, whether the wish and all who hold
// things back are still the same: reading a large cluster takes a while, and
// nothing is done after a Freeze that was made meanwhile.
func (r *Reconciler) stands(ctx context.Context, np *fleetwrightv1.Nodepool, o *observation) (bool, error) {
	var live fleetwrightv1.Nodepool
	if err := r.Live.Get(ctx, client.ObjectKeyFromObject(np), &live); err != nil {
		return false, client.IgnoreNotFound(err)
	}
	if live.UID != np.UID || live.Generation != np.Generation || !live.DeletionTimestamp.Equal(np.DeletionTimestamp) {
		return false, nil
	}
	cluster, err := capi.ReadClusterAlone(ctx, r.Live, clusterKey(np))
	if err != nil {
		return false, err
	}
	frozen := freeze.InEffect(ctx, r.Live, np.Namespace, cluster.Labels, r.Namespace, r.Clock.Now())
	return hold(&live, cluster, frozen) == o.world.Nodepool.Hold, nil
}

// writes is true when a look is to write more than status.
func writes(o *observation) bool {
	return o.plan.Action.Kind != replacement.None || len(climbs(o)) > 0 || len(unsettled(o)) > 0
}

// unsettled are the pools whose number was fixed and may still be lost. To fix
// it keeps nodes that live, so only a full stop stops it.
func unsettled(o *observation) (objects []string) {
	if h := o.world.Nodepool.Hold; h.Reason != "" && !h.NonDisruptive {
		return nil
	}
	for object, p := range o.pools {
		if p.Unsettled {
			objects = append(objects, object)
		}
	}
	return objects
}

// settle goes on with them.
func (r *Reconciler) settle(ctx context.Context, np *fleetwrightv1.Nodepool, o *observation) error {
	for _, object := range unsettled(o) {
		if err := capi.Settle(ctx, r.Client, r.Live, clusterKey(np), object, r.Clock.Now()); err != nil {
			return fmt.Errorf("settle pool %s: %w", o.pools[object].Name, err)
		}
	}
	return nil
}

// conclude reports what was done, and says when to look again.
func (r *Reconciler) conclude(ctx context.Context, np *fleetwrightv1.Nodepool, o *observation, actErr error) (ctrl.Result, error) {
	if actErr != nil {
		// It is tried again later, and others may pass until then.
		r.queue.note(np, nil, r.Clock.Now())
	}
	gone := o.plan.Action.Kind == replacement.RemoveFinalizer && actErr == nil
	if gone || o.plan.Verdict == replacement.Done {
		r.forecasts.forget(np.UID)
		r.fits.forget(np.UID)
	}
	if gone {
		return ctrl.Result{}, nil
	}
	if apierrors.IsConflict(actErr) {
		return ownobject.Quietly(actErr)
	}
	if err := r.report(ctx, np, o, actErr); err != nil {
		return ownobject.Quietly(err)
	}
	if wait := pause(actErr); wait > 0 {
		return ctrl.Result{RequeueAfter: wait}, nil
	}
	if actErr != nil {
		return ctrl.Result{}, actErr
	}
	return ctrl.Result{RequeueAfter: o.checkAgain(r.Clock.Now())}, nil
}

// pause is how long to wait when Azure is at work for somebody else, or asks to
// be left alone: that is no error.
func pause(err error) time.Duration {
	refused, ok := refusal.Of(err)
	switch {
	case !ok || refused.Verdict() != refusal.Wait:
		return 0
	case refused.Kind == refusal.Passing:
		return refused.RetryAfter
	}
	return max(refused.RetryAfter, busyPause)
}

// lookLive reads everything past the cache, the Nodepool included; nil when it
// is not the same one any more.
func (r *Reconciler) lookLive(ctx context.Context, np *fleetwrightv1.Nodepool) (*observation, error) {
	uid := np.UID
	if err := r.Live.Get(ctx, client.ObjectKeyFromObject(np), np); err != nil || np.UID != uid {
		return nil, err
	}
	return r.look(ctx, r.Live, np)
}
