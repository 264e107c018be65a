package addressclaim

import (
	"context"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/ownobject"
)

// Name is the controller's name in logs, metrics and events.
const Name = "addressclaim"

const (
	// reconcileTimeout bounds one reconcile, the wait for its turn included. It is far below staleAfter.
	reconcileTimeout = time.Minute
	workers          = 4
)

// AddToManager wires the controller: AddressClaims, what they choose from, what they have, their Clusters, and Freezes. namespace is the
// manager's own.
func AddToManager(mgr manager.Manager, namespace string) error {
	r := &Reconciler{
		Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Namespace: namespace,
		Recorder: mgr.GetEventRecorder("fleetwright-" + Name), Clock: clock.RealClock{},
	}
	if err := registerMetrics(mgr.GetClient()); err != nil {
		return fmt.Errorf("register metrics: %w", err)
	}
	wish := predicate.Or(predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{}, predicate.LabelChangedPredicate{})
	return ctrl.NewControllerManagedBy(mgr).Named(Name).
		// Status is our own, and must not wake us.
		For(&fleetwrightv1.AddressClaim{}, builder.WithPredicates(predicate.Or(predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{}))).
		Watches(&fleetwrightv1.AddressPool{}, handler.EnqueueRequestsFromMapFunc(r.waitingFor), builder.WithPredicates(poolChanged)).
		Watches(&fleetwrightv1.AddressAllocation{}, handler.EnqueueRequestsFromMapFunc(r.concerned), builder.WithPredicates(allocationLeaves)).
		Watches(capi.ClusterObject(), handler.EnqueueRequestsFromMapFunc(r.ofCluster), builder.WithPredicates(wish)).
		Watches(&fleetwrightv1.Freeze{}, handler.EnqueueRequestsFromMapFunc(r.inReach), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WithOptions(controller.Options{MaxConcurrentReconciles: workers, ReconciliationTimeout: reconcileTimeout}).
		Complete(r.fromCache())
}

// poolChanged passes what may let a pool give out more: its spec, and that it gets ready. Each choice and each report is a change as well,
// and there are many.
var poolChanged = predicate.Funcs{
	UpdateFunc: func(e event.UpdateEvent) bool {
		was, is := e.ObjectOld.(*fleetwrightv1.AddressPool), e.ObjectNew.(*fleetwrightv1.AddressPool)
		return was.Generation != is.Generation || readiness(was) != nil && readiness(is) == nil
	},
	DeleteFunc: func(event.DeleteEvent) bool { return false },
}

// allocationLeaves passes allocations that go, or that somebody has deleted.
var allocationLeaves = predicate.Funcs{
	CreateFunc: func(e event.CreateEvent) bool { return !e.Object.GetDeletionTimestamp().IsZero() },
	UpdateFunc: func(e event.UpdateEvent) bool {
		return e.ObjectOld.GetDeletionTimestamp().IsZero() && !e.ObjectNew.GetDeletionTimestamp().IsZero()
	},
}

// fromCache also looks after what a claim has left behind that is gone.
func (r *Reconciler) fromCache() reconcile.Reconciler {
	return reconcile.Func(func(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
		var a fleetwrightv1.AddressClaim
		err := r.Client.Get(ctx, request.NamespacedName, &a)
		if apierrors.IsNotFound(err) {
			err = r.Live.Get(ctx, request.NamespacedName, &a) // the cache may not have heard of it yet
		}
		switch {
		case apierrors.IsNotFound(err):
			return ownobject.Quietly(r.letStraysGo(ctx, request.NamespacedName, func(*fleetwrightv1.AddressAllocation) bool { return false }))
		case err != nil:
			return reconcile.Result{}, err
		}
		return r.Reconcile(ctx, &a)
	})
}

// waitingFor are the claims that wait for a pool.
func (r *Reconciler) waitingFor(ctx context.Context, o client.Object) []reconcile.Request {
	return r.claims(ctx, "", func(a *fleetwrightv1.AddressClaim) bool {
		return waitsFor(a, client.ObjectKeyFromObject(o))
	})
}

// concerned are the claim that an allocation names, and those that wait for its pool.
func (r *Reconciler) concerned(ctx context.Context, o client.Object) []reconcile.Request {
	allocation := o.(*fleetwrightv1.AddressAllocation)
	var out []reconcile.Request
	if claim := claimOf(allocation); claim.Name != "" {
		out = append(out, reconcile.Request{NamespacedName: claim})
	}
	pool := types.NamespacedName{Namespace: allocation.Namespace, Name: allocation.Spec.PoolName}
	return append(out, r.claims(ctx, "", func(a *fleetwrightv1.AddressClaim) bool { return waitsFor(a, pool) })...)
}

// waitsFor is true for a claim that names the pool and has not said that it has all.
func waitsFor(a *fleetwrightv1.AddressClaim, pool types.NamespacedName) bool {
	if meta.IsStatusConditionTrue(a.Status.Conditions, fleetwrightv1.ConditionReady) {
		return false
	}
	return slices.Contains(poolsOf(a.Namespace, a.Spec), pool)
}

// ofCluster are the claims of a Cluster.
func (r *Reconciler) ofCluster(ctx context.Context, o client.Object) []reconcile.Request {
	return r.claims(ctx, o.GetNamespace(), func(a *fleetwrightv1.AddressClaim) bool { return a.Spec.ClusterName == o.GetName() })
}

// inReach finds all that a Freeze may be about; which they are depends on their Clusters' labels.
func (r *Reconciler) inReach(ctx context.Context, o client.Object) []reconcile.Request {
	where := o.GetNamespace()
	if where == r.Namespace {
		where = ""
	}
	return r.claims(ctx, where, func(*fleetwrightv1.AddressClaim) bool { return true })
}

// claims are those of a namespace, or of all, that matter.
func (r *Reconciler) claims(ctx context.Context, namespace string, matters func(*fleetwrightv1.AddressClaim) bool) []reconcile.Request {
	var list fleetwrightv1.AddressClaimList
	if err := r.Client.List(ctx, &list, client.InNamespace(namespace)); err != nil {
		logf.FromContext(ctx).Error(err, "Failed to list AddressClaims")
		return nil
	}
	var out []reconcile.Request
	for i := range list.Items {
		if matters(&list.Items[i]) {
			out = append(out, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&list.Items[i])})
		}
	}
	return out
}
