// Package addressclaim binds AddressClaims: it chooses ranges of addresses from AddressPools for clusters, and gives them back when those are
// gone.
//
// A reconcile observes (observe.go), decides (decide.go), does the one thing the plan says (act.go) and reports (status.go). Nothing is
// remembered between two reconciles: what a claim has is what AddressAllocations say, and deleting all status changes no action.
//
// Two claims never get the same range, however many of us choose at once and wherever one of us ends:
//
//  1. A pool is read, and after it its allocations. Taken is what the allocations have and what is written down on the pool.
//  2. What is chosen is written down on the pool, with the resourceVersion at which it was read. If anybody has chosen meanwhile, that is a
//     conflict, and all begins anew.
//  3. Only then the allocations are made.
//  4. What has its allocation is taken off the pool by the next who writes there.
//
// Whoever ends after step 2 has his range: his next look finds it on the pool, and goes on at step 3.
package addressclaim

import (
	"context"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/ownobject"
)

// +kubebuilder:rbac:groups=fleetwright.io,resources=addressclaims,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=fleetwright.io,resources=addressclaims/status,verbs=patch
// +kubebuilder:rbac:groups=fleetwright.io,resources=addresspools,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=fleetwright.io,resources=addressallocations,verbs=get;list;watch;create;patch
// +kubebuilder:rbac:groups=fleetwright.io,resources=freezes,verbs=get;list;watch
// +kubebuilder:rbac:groups=cluster.x-k8s.io,resources=clusters,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=namespaces,verbs=get
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Reconciler reconciles AddressClaims.
type Reconciler struct {
	// Client reads from the cache and writes; Live reads past the cache.
	Client   client.Client
	Live     client.Reader
	Recorder events.EventRecorder
	Clock    clock.PassiveClock
	// Namespace is the manager's own: a Freeze there reaches the fleet.
	Namespace string

	lines lines
}

// first is the priority of a claim that has lost its turn: behind all others it would wait for its next one, and lose that as well. Each report
// about a pool is a write for which a claim can lose it.
const first = 1

// Reconcile does the next thing for one AddressClaim: takes the ranges that it lacks, or gives all back.
func (r *Reconciler) Reconcile(ctx context.Context, a *fleetwrightv1.AddressClaim) (ctrl.Result, error) {
	leave := func() {}
	if !meta.IsStatusConditionTrue(a.Status.Conditions, fleetwrightv1.ConditionReady) { // one that has all hardly writes, and keeps nobody waiting
		leave = sync.OnceFunc(r.lines.enter(poolsOf(a.Namespace, a.Spec)))
	}
	defer leave()
	// The cache lags behind, and nothing must be taken in spite of a pause of a moment ago.
	if err := r.Live.Get(ctx, client.ObjectKeyFromObject(a), a); err != nil {
		return ownobject.Quietly(err)
	}
	if !a.DeletionTimestamp.IsZero() && !controllerutil.ContainsFinalizer(a, fleetwrightv1.FinalizerAddressClaim) {
		return ctrl.Result{}, nil // it never took anything
	}
	o, err := r.look(ctx, a)
	if err != nil {
		return ctrl.Result{}, err
	}
	logf.FromContext(ctx).V(1).Info("Planned", "plan", o.plan.String())
	if !o.world.deleting && !o.world.hold.Everything() {
		if err := r.letStraysGo(ctx, o.world.claim, o.wanted); err != nil {
			return ownobject.Quietly(err)
		}
		if err := r.keepBound(ctx, o); err != nil {
			return ownobject.Quietly(err)
		}
	}
	return r.conclude(ctx, a, o, r.act(ctx, a, o, leave))
}

// wanted is true for an allocation that the claim asks for.
func (o *observation) wanted(object *fleetwrightv1.AddressAllocation) bool {
	a, err := read(object)
	return err != nil || asks(o.world.claim.Namespace, o.world.spec, a)
}

// conclude reports what was done, and says when to look again.
func (r *Reconciler) conclude(ctx context.Context, a *fleetwrightv1.AddressClaim, o *observation, actErr error) (ctrl.Result, error) {
	if apierrors.IsConflict(actErr) {
		// Somebody else has chosen, or written to the claim: nothing has happened, and nothing is told.
		countAction(o.plan.action, "conflict")
		result, err := ownobject.Quietly(actErr)
		result.Priority = ptr.To(first)
		return result, err
	}
	if actErr == nil && o.plan.action == letGo {
		countAction(o.plan.action, "ok")
		r.farewell(a, o)
		return ctrl.Result{}, nil
	}
	if err := r.report(ctx, a, o, actErr); err != nil {
		return ownobject.Quietly(err)
	}
	if actErr != nil {
		return ctrl.Result{}, actErr
	}
	again := o.plan.again
	if left := o.frozen.CheckAgain.Sub(r.Clock.Now()); left > 0 {
		again = min(again, left)
	}
	return ctrl.Result{RequeueAfter: again}, nil
}
