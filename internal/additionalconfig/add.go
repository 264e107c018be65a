package additionalconfig

import (
	"context"
	"fmt"
	"time"

	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/freeze"
)

// Name is the controller's name in logs, metrics and events.
const Name = "additionalconfig"

const (
	// reconcileTimeout bounds one reconcile.
	reconcileTimeout = 2 * time.Minute
	// workers is how many configs are reconciled at once: with one, each of a hundred new clusters waits for all others.
	workers = 10
)

// AddToManager wires the controller: configs, the objects that are made of them, their Clusters, and Freezes. namespace is the manager's
// own.
func AddToManager(mgr manager.Manager, namespace string) error {
	r := &Reconciler{
		Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Namespace: namespace, Sections: Sections,
		Recorder: mgr.GetEventRecorder("fleetwright-" + Name), Clock: clock.RealClock{},
	}
	if err := registerMetrics(mgr.GetClient()); err != nil {
		return fmt.Errorf("register metrics: %w", err)
	}
	// Status writes of our own must not wake us.
	own := predicate.Or(predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{})
	b := ctrl.NewControllerManagedBy(mgr).Named(Name).For(&fleetwrightv1.AzureClusterAdditionalConfig{}, builder.WithPredicates(own))
	for _, kind := range kinds(Sections) {
		object, err := newOf[client.Object](mgr.GetScheme(), kind)
		if err != nil {
			return fmt.Errorf("watch what sections become: %w", err)
		}
		b = b.Owns(object)
	}
	return b.
		Watches(capi.ClusterObject(), handler.EnqueueRequestsFromMapFunc(sameName), builder.WithPredicates(predicate.Or(own, predicate.LabelChangedPredicate{}))).
		Watches(&fleetwrightv1.Freeze{}, handler.EnqueueRequestsFromMapFunc(freeze.InReach(r.Client, namespace, &fleetwrightv1.AzureClusterAdditionalConfigList{})),
			builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WithOptions(controller.Options{MaxConcurrentReconciles: workers, ReconciliationTimeout: reconcileTimeout}).
		Complete(reconcile.AsReconciler(mgr.GetClient(), r))
}

// sameName is the config of a Cluster: admission sees to it that they are called the same.
func sameName(_ context.Context, cluster client.Object) []reconcile.Request {
	return []reconcile.Request{{NamespacedName: client.ObjectKeyFromObject(cluster)}}
}
