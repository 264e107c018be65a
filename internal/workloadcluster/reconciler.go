// Package workloadcluster keeps WorkloadClusters: one object that yields an AKS cluster which tenants can use. It becomes a claim of addresses,
// Cluster API's and CAPZ's objects, Nodepools and an additional config, whose controllers do the work.
//
// A reconcile observes (observe.go), says what everything is to be like (intend.go), decides (decide.go, leave.go), writes (act.go) and reports
// (status.go). Nothing is remembered between two reconciles: deleting all status changes no action.
package workloadcluster

import (
	"context"
	"errors"
	"time"

	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/freeze"
	"github.com/fleetwright/fleetwright/internal/hold"
	"github.com/fleetwright/fleetwright/internal/ownobject"
	"github.com/fleetwright/fleetwright/internal/workloadcluster/addons"
)

// +kubebuilder:rbac:groups=fleetwright.io,resources=workloadclusters,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=fleetwright.io,resources=workloadclusters/status,verbs=patch
// +kubebuilder:rbac:groups=fleetwright.io,resources=workloadclusterclasses,verbs=get;list;watch
// +kubebuilder:rbac:groups=fleetwright.io,resources=nodepools;addressclaims;azureclusteradditionalconfigs,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=fleetwright.io,resources=freezes,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=namespaces,verbs=get
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Reconciler reconciles WorkloadClusters.
type Reconciler struct {
	// Client reads from the cache and writes; Live reads past the cache.
	Client client.Client
	Live   client.Reader
	// Workload reads objects of workload clusters.
	Workload addons.Workload
	// PoolDifferences are told of pools that are to be taken over.
	PoolDifferences PoolDifferences
	Recorder        events.EventRecorder
	Clock           clock.PassiveClock
	// Namespace is the manager's own: a Freeze there reaches the fleet.
	Namespace string
}

// conflictPause is how long to wait after somebody else wrote first.
const conflictPause = time.Second

// Reconcile makes of one WorkloadCluster what its spec asks for, and sums up how everything is. It waits for nothing: what it has made brings it
// back.
func (r *Reconciler) Reconcile(ctx context.Context, object *fleetwrightv1.WorkloadCluster) (ctrl.Result, error) {
	// The cache lags behind our own last status, and nothing is to be done for a spec that changed a moment ago.
	if lives, err := ownobject.Meet(ctx, r.Live, r.Client, object, fleetwrightv1.FinalizerWorkloadCluster, FieldOwner); err != nil || !lives {
		return ownobject.Quietly(err)
	}
	o, err := r.observe(ctx, object)
	if err != nil {
		return ctrl.Result{}, err
	}
	if o.plan.gone {
		// The cache may not know of an object that was made a moment ago.
		if left, err := r.left(ctx, o.world); err != nil || left {
			return ctrl.Result{RequeueAfter: conflictPause}, err
		}
		r.farewell(object, o)
		return ownobject.Quietly(ownobject.SetFinalizer(ctx, r.Client, object, fleetwrightv1.FinalizerWorkloadCluster, false, FieldOwner))
	}
	if len(o.plan.actions) > 0 {
		if stands, err := r.stands(ctx, object, o); err != nil || !stands {
			return ctrl.Result{RequeueAfter: conflictPause}, err
		}
	}
	failed := r.act(ctx, object, o)
	if err := r.report(ctx, object, o, failed); err != nil {
		return ownobject.Quietly(err)
	}
	again := until(r.Clock.Now(), o.plan.checkAgain, o.holdChanges)
	// Who waits for a person about one object still looks after the others.
	if err := failed.err(); err != nil && (again == 0 || !errors.Is(err, reconcile.TerminalError(nil))) {
		return ownobject.Quietly(err)
	}
	return ctrl.Result{RequeueAfter: again}, nil
}

// stands asks past the cache, right before anything is written, whether the wish and all who hold things back are still the same.
func (r *Reconciler) stands(ctx context.Context, object *fleetwrightv1.WorkloadCluster, o *observation) (bool, error) {
	var live fleetwrightv1.WorkloadCluster
	if err := r.Live.Get(ctx, client.ObjectKeyFromObject(object), &live); err != nil {
		return false, client.IgnoreNotFound(err)
	}
	if live.UID != object.UID || live.Generation != object.Generation || !live.DeletionTimestamp.Equal(object.DeletionTimestamp) {
		return false, nil
	}
	cluster, err := capi.ReadClusterAlone(ctx, r.Live, client.ObjectKeyFromObject(object))
	if err != nil {
		return false, err
	}
	if cluster.Found != o.world.state.Found || cluster.Deleting != o.world.state.Deleting {
		return false, nil
	}
	frozen := freeze.InEffect(ctx, r.Live, object.Namespace, o.world.clusterLabels(), r.Namespace, r.Clock.Now())
	if hold.Of(asking(&live), cluster, frozen) != o.world.hold {
		return false, nil
	}
	if cluster.Found || o.world.deleting() {
		return true, nil
	}
	// What is not there yet is made only by the first of its name, and the cache may not have heard of the others.
	rival, err := r.readRival(ctx, true, &o.world)
	return rival == "", err
}

// left asks past the cache whether anything of ours is left.
func (r *Reconciler) left(ctx context.Context, w world) (bool, error) {
	live := world{object: w.object}
	if err := r.readChildren(ctx, r.Live, &live); err != nil {
		return false, err
	}
	for _, c := range live.children() {
		if c.ours {
			return true, nil
		}
	}
	state, err := capi.ReadClusterState(ctx, r.Live, nil, w.outline())
	return state.Found && state.Ours || state.Leftover, err
}

// until is how long it is until the first of these times that lies ahead; zero when none does.
func until(now time.Time, times ...time.Time) (wait time.Duration) {
	for _, at := range times {
		if left := at.Sub(now); left > 0 && (wait == 0 || left < wait) {
			wait = left
		}
	}
	return wait
}
