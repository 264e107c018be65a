package workloadclusterclass

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

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/kindmetrics"
	"github.com/fleetwright/fleetwright/internal/ownobject"
)

// Name is the controller's name in logs, metrics and events.
const Name = "workloadclusterclass"

// fieldOwner is under which name it writes.
const fieldOwner = client.FieldOwner("fleetwright-" + Name)

// reconcileTimeout bounds one reconcile.
const reconcileTimeout = time.Minute

// AddToManager wires the controller.
func AddToManager(mgr manager.Manager) error {
	r := &Reconciler{
		Client: mgr.GetClient(), Live: mgr.GetAPIReader(),
		Recorder: mgr.GetEventRecorder("fleetwright-" + Name), Clock: clock.RealClock{},
	}
	if err := kindmetrics.Register(kindmetrics.Conditions[*fleetwrightv1.WorkloadClusterClass]{
		Reader: mgr.GetClient(), Name: "fleetwright_workload_cluster_class_condition", Kind: "WorkloadClusterClass", List: &fleetwrightv1.WorkloadClusterClassList{},
	}); err != nil {
		return fmt.Errorf("register metrics: %w", err)
	}
	return r.watch(mgr)
}

// watch says what wakes a class: itself, and the clusters that point to it, or did before.
func (r *Reconciler) watch(mgr manager.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).Named(Name).
		For(&fleetwrightv1.WorkloadClusterClass{}).
		Watches(&fleetwrightv1.WorkloadCluster{}, handler.EnqueueRequestsFromMapFunc(classOf), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WithOptions(controller.Options{ReconciliationTimeout: reconcileTimeout}).
		Complete(ownobject.FromCache(mgr.GetClient(), r, func(types.NamespacedName) {}))
}

// classOf is the class that a WorkloadCluster points to; of an update, both are asked for.
func classOf(_ context.Context, o client.Object) []reconcile.Request {
	cluster, is := o.(*fleetwrightv1.WorkloadCluster)
	if !is || cluster.Spec.ClassRef.Name == "" {
		return nil
	}
	return []reconcile.Request{{NamespacedName: pointsTo(cluster)}}
}

// pointsTo is the class of a WorkloadCluster that has one.
func pointsTo(cluster *fleetwrightv1.WorkloadCluster) types.NamespacedName {
	out := types.NamespacedName{Namespace: cluster.Spec.ClassRef.Namespace, Name: cluster.Spec.ClassRef.Name}
	if out.Namespace == "" {
		out.Namespace = cluster.Namespace
	}
	return out
}
