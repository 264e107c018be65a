package clusterautoscaler

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
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
	"sigs.k8s.io/controller-runtime/pkg/source"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/drift/sweep"
)

// Name is the controller's name in logs, metrics and events.
const Name = "clusterautoscaler"

const (
	// reconcileTimeout bounds one reconcile.
	reconcileTimeout = 2 * time.Minute
	// How long a profile that is as it should be is left alone: sweeps find what is different much sooner, and for far less.
	restWithSweeps, restWithout = sweep.Rest, time.Hour
)

// Options tune the controller.
type Options struct {
	// Workers is how many AzureClusterAutoscalers are reconciled at once.
	Workers int
	Azures  Azures
	// Sweeper finds profiles that are different; nil for none.
	Sweeper *sweep.Sweeper
	// Namespace is the manager's own: a Freeze there reaches the fleet.
	Namespace string
}

// AddToManager wires the controller: AzureClusterAutoscalers, the Clusters they are for with what CAPZ has of them, Freezes, and what
// sweeps find.
func AddToManager(mgr manager.Manager, options Options) error {
	r := &Reconciler{
		Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Azures: options.Azures,
		Recorder: mgr.GetEventRecorder("fleetwright-" + Name), Clock: clock.RealClock{}, Namespace: options.Namespace, Rest: restWithout,
	}
	if err := registerMetrics(mgr.GetClient()); err != nil {
		return fmt.Errorf("register metrics: %w", err)
	}
	// Status and annotations are our own: what the plan waits for comes by its own watch or by the time to look again.
	b := ctrl.NewControllerManagedBy(mgr).Named(Name).
		For(&fleetwrightv1.AzureClusterAutoscaler{}, builder.WithPredicates(predicate.Or(predicate.GenerationChangedPredicate{}, pauseChanged))).
		Watches(&fleetwrightv1.Freeze{}, handler.EnqueueRequestsFromMapFunc(r.inReach), builder.WithPredicates(predicate.GenerationChangedPredicate{}))
	watched, err := capi.ServedControlPlanes(mgr.GetRESTMapper())
	if err != nil {
		return fmt.Errorf("find the kinds of control planes that are served: %w", err)
	}
	for _, object := range append(watched, capi.ClusterObject()) {
		b = b.Watches(object, handler.EnqueueRequestsFromMapFunc(ofCluster))
	}
	if options.Sweeper != nil {
		r.Rest, r.Watch = restWithSweeps, options.Sweeper
		b = b.WatchesRawSource(source.Channel(options.Sweeper.Register(target(mgr.GetClient())), handler.Funcs{GenericFunc: r.suspect}))
	}
	return b.WithOptions(controller.Options{MaxConcurrentReconciles: options.Workers, ReconciliationTimeout: reconcileTimeout}).Complete(r.fromCache())
}

// pauseChanged passes changes of the one annotation that people write.
var pauseChanged = predicate.Funcs{
	CreateFunc: func(event.CreateEvent) bool { return false },
	UpdateFunc: func(e event.UpdateEvent) bool {
		_, was := e.ObjectOld.GetAnnotations()[capi.PausedAnnotation]
		_, is := e.ObjectNew.GetAnnotations()[capi.PausedAnnotation]
		return was != is
	},
	DeleteFunc:  func(event.DeleteEvent) bool { return false },
	GenericFunc: func(event.GenericEvent) bool { return false },
}

func (r *Reconciler) fromCache() reconcile.Reconciler {
	return reconcile.Func(func(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
		var a fleetwrightv1.AzureClusterAutoscaler
		if err := r.Client.Get(ctx, request.NamespacedName, &a); apierrors.IsNotFound(err) {
			r.forget(request.NamespacedName, "")
			return reconcile.Result{}, nil
		} else if err != nil {
			return reconcile.Result{}, err
		}
		return r.Reconcile(ctx, &a)
	})
}

// ofCluster names the one object of a cluster: it has the cluster's name.
func ofCluster(_ context.Context, o client.Object) []reconcile.Request {
	cluster := capi.ClusterOf(o)
	if cluster == "" {
		return nil
	}
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: o.GetNamespace(), Name: cluster}}}
}

// inReach finds all that a Freeze may be about; which they are depends on their Clusters' labels.
func (r *Reconciler) inReach(ctx context.Context, o client.Object) []reconcile.Request {
	where := client.InNamespace(o.GetNamespace())
	if o.GetNamespace() == r.Namespace {
		where = client.InNamespace("")
	}
	var list fleetwrightv1.AzureClusterAutoscalerList
	if err := r.Client.List(ctx, &list, where); err != nil {
		logf.FromContext(ctx).Error(err, "Failed to list AzureClusterAutoscalers")
		return nil
	}
	out := make([]reconcile.Request, 0, len(list.Items))
	for i := range list.Items {
		out = append(out, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&list.Items[i])})
	}
	return out
}
