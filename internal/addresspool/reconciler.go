// Package addresspool keeps AddressPools: it says which of them give out ranges, how full they are, and ends the rest of what was given back.
// It gives out nothing itself: AddressClaims do, of pools that are Ready.
//
// A reconcile observes (observe.go), decides (decide.go), ends what has rested (act.go) and reports (status.go) about one pool and all its
// AddressAllocations. Nothing is remembered between two reconciles: without its status, a pool gives out nothing until it is written again.
//
// A range that somebody uses is never given to another one, also when people change pools meanwhile:
//
//   - AddressClaims choose from a pool only while its status says Ready about its present generation, and swap their choice in with the
//     resourceVersion at which they read that. So when Ready is taken away, whatever was chosen before is written on the pool by then.
//   - Of two pools that overlap only the older one can be Ready, and only once the younger one's status says that it is not, and nothing that
//     anybody has chosen or been given of it lies in the older one. Pools and AddressAllocations are read past the cache for that, in this
//     order, and one pool is looked at after the other.
//   - A range goes free only after its claim has given it back and it has rested. That a claim is gone frees nothing.
package addresspool

import (
	"context"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/ownobject"
)

// +kubebuilder:rbac:groups=fleetwright.io,resources=addresspools,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=fleetwright.io,resources=addresspools/status,verbs=patch
// +kubebuilder:rbac:groups=fleetwright.io,resources=addressallocations,verbs=get;list;watch;delete
// +kubebuilder:rbac:groups=fleetwright.io,resources=addressallocations/status,verbs=patch
// +kubebuilder:rbac:groups=fleetwright.io,resources=addressclaims,verbs=get;list;watch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Reconciler reconciles AddressPools and the AddressAllocations of each.
type Reconciler struct {
	// Client reads from the cache and writes; Live reads past the cache.
	Client   client.Client
	Live     client.Reader
	Recorder events.EventRecorder
	Clock    clock.PassiveClock
}

// Reconcile does the next thing for one AddressPool and its AddressAllocations, which may name a pool that does not exist.
func (r *Reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	w, err := r.observe(ctx, request.NamespacedName)
	if err != nil {
		return ctrl.Result{}, err
	}
	if w.pool != nil && w.pool.DeletionTimestamp.IsZero() {
		if err := ownobject.SetFinalizer(ctx, r.Client, w.pool, fleetwrightv1.FinalizerAddressPool, true, fieldOwner); err != nil {
			return ownobject.Quietly(err)
		}
	}
	p := decide(w, r.Clock.Now())
	logf.FromContext(ctx).V(1).Info("Planned", "plan", p.String())
	if p.letGo {
		return ownobject.Quietly(r.letGo(ctx, w.pool))
	}
	actErr := r.end(ctx, p)
	if err := r.report(ctx, w, p); err != nil {
		return ownobject.Quietly(err)
	}
	if actErr != nil {
		return ownobject.Quietly(actErr)
	}
	return ctrl.Result{RequeueAfter: p.again}, nil
}

// letGo removes the finalizer of a pool of which nothing is given out. What was chosen of it since it was read is a conflict.
func (r *Reconciler) letGo(ctx context.Context, pool *fleetwrightv1.AddressPool) error {
	if !controllerutil.ContainsFinalizer(pool, fleetwrightv1.FinalizerAddressPool) {
		return nil
	}
	return ownobject.SetFinalizer(ctx, r.Client, pool, fleetwrightv1.FinalizerAddressPool, false, fieldOwner)
}

// keyOf names an AddressPool.
func keyOf(p *fleetwrightv1.AddressPool) types.NamespacedName { return client.ObjectKeyFromObject(p) }

// poolOf is the pool that an AddressAllocation names; it may not exist.
func poolOf(a *fleetwrightv1.AddressAllocation) types.NamespacedName {
	return types.NamespacedName{Namespace: a.Namespace, Name: a.Spec.PoolName}
}
