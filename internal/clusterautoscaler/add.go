package clusterautoscaler

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/drift/sweep"
	"github.com/fleetwright/fleetwright/internal/freeze"
	"github.com/fleetwright/fleetwright/internal/hold"
	"github.com/fleetwright/fleetwright/internal/ownobject"
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
		For(&fleetwrightv1.AzureClusterAutoscaler{}, builder.WithPredicates(predicate.Or(predicate.GenerationChangedPredicate{}, hold.PauseChanged))).
		Watches(&fleetwrightv1.Freeze{}, handler.EnqueueRequestsFromMapFunc(freeze.InReach(r.Client, r.Namespace, &fleetwrightv1.AzureClusterAutoscalerList{})),
			builder.WithPredicates(predicate.GenerationChangedPredicate{}))
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
	return b.WithOptions(controller.Options{MaxConcurrentReconciles: options.Workers, ReconciliationTimeout: reconcileTimeout}).
		Complete(ownobject.FromCache(r.Client, r, func(gone types.NamespacedName) { r.forget(gone, "") }))
}

// ofCluster names the one object of a cluster: it has the cluster's name.
func ofCluster(_ context.Context, o client.Object) []reconcile.Request {
	cluster := capi.ClusterOf(o)
	if cluster == "" {
		return nil
	}
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: o.GetNamespace(), Name: cluster}}}
}
