package asomanaged

import (
	"context"
	"fmt"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	infrav1 "sigs.k8s.io/cluster-api-provider-azure/api/v1beta1"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/cluster-api/controllers/external"
	"sigs.k8s.io/cluster-api/util"
	"sigs.k8s.io/cluster-api/util/predicates"
)

// Add adds one controller per kind, watching what CAPZ's watch (SetupWithManager in each of
// controllers/azureasomanaged*_controller.go). ctx is the manager's life; requeue is the time until nodes that are not yet
// registered wholly are looked at again.
func Add(ctx context.Context, manager ctrl.Manager, log logr.Logger, requeue time.Duration) error {
	for kind, add := range map[string]func() error{
		infrav1.AzureASOManagedClusterKind:      func() error { return addClusters(ctx, manager, log) },
		infrav1.AzureASOManagedControlPlaneKind: func() error { return addControlPlanes(manager, log) },
		infrav1.AzureASOManagedMachinePoolKind:  func() error { return addPools(ctx, manager, log, requeue) },
	} {
		if err := add(); err != nil {
			return fmt.Errorf("add the %s controller: %w", kind, err)
		}
	}
	return nil
}

func addClusters(ctx context.Context, manager ctrl.Manager, log logr.Logger) error {
	r := &clusterReconciler{}
	kind := infrav1.GroupVersion.WithKind(infrav1.AzureASOManagedClusterKind)
	built, err := ctrl.NewControllerManagedBy(manager).
		For(&infrav1.AzureASOManagedCluster{}).
		Watches(&clusterv1.Cluster{},
			handler.EnqueueRequestsFromMapFunc(util.ClusterToInfrastructureMapFunc(ctx, kind, manager.GetClient(), &infrav1.AzureASOManagedCluster{})),
			builder.WithPredicates(predicates.ClusterPausedTransitions(manager.GetScheme(), log))).
		Watches(&infrav1.AzureASOManagedControlPlane{},
			handler.EnqueueRequestsFromMapFunc(controlPlaneToCluster(manager.GetClient())),
			builder.WithPredicates(endpointChanged())).
		Build(r)
	r.applier = newApplier(manager, built, log)
	return err
}

func addControlPlanes(manager ctrl.Manager, log logr.Logger) error {
	r := &controlPlaneReconciler{}
	built, err := ctrl.NewControllerManagedBy(manager).
		For(&infrav1.AzureASOManagedControlPlane{}).
		Watches(&clusterv1.Cluster{}, handler.EnqueueRequestsFromMapFunc(clusterToControlPlane),
			builder.WithPredicates(predicates.ClusterPausedTransitionsOrInfrastructureProvisioned(manager.GetScheme(), log))).
		// What Azure refuses in the first pools is mended in the pools.
		Watches(&infrav1.AzureASOManagedMachinePool{}, handler.EnqueueRequestsFromMapFunc(poolToControlPlane(manager.GetClient()))).
		Owns(&corev1.Secret{}).
		Build(r)
	r.applier = newApplier(manager, built, log)
	return err
}

func addPools(ctx context.Context, manager ctrl.Manager, log logr.Logger, requeue time.Duration) error {
	r := &poolReconciler{requeue: requeue}
	clusterToPools, err := util.ClusterToTypedObjectsMapper(manager.GetClient(), &infrav1.AzureASOManagedMachinePoolList{}, manager.GetScheme())
	if err != nil {
		return err
	}
	kind := infrav1.GroupVersion.WithKind(infrav1.AzureASOManagedMachinePoolKind)
	built, err := ctrl.NewControllerManagedBy(manager).
		For(&infrav1.AzureASOManagedMachinePool{}).
		Watches(&clusterv1.Cluster{}, handler.EnqueueRequestsFromMapFunc(clusterToPools), builder.WithPredicates(predicates.Any(manager.GetScheme(), log,
			predicates.ClusterControlPlaneInitialized(manager.GetScheme(), log),
			predicates.ClusterPausedTransitions(manager.GetScheme(), log)))).
		Watches(&clusterv1.MachinePool{}, handler.EnqueueRequestsFromMapFunc(util.MachinePoolToInfrastructureMapFunc(ctx, kind))).
		Build(r)
	r.applier = newApplier(manager, built, log)
	return err
}

func newApplier(manager ctrl.Manager, built controller.Controller, log logr.Logger) applier {
	return applier{client: manager.GetClient(), log: log, watcher: &external.ObjectTracker{
		Cache: manager.GetCache(), Controller: built, Scheme: manager.GetScheme(), PredicateLogger: &log,
	}}
}

func controlPlaneToCluster(reader client.Client) handler.MapFunc {
	return func(ctx context.Context, object client.Object) []reconcile.Request {
		plane, ok := object.(*infrav1.AzureASOManagedControlPlane)
		if !ok {
			return nil
		}
		cluster, err := util.GetOwnerCluster(ctx, reader, plane.ObjectMeta)
		if err != nil || cluster == nil {
			return nil
		}
		return request(cluster.Namespace, cluster.Spec.InfrastructureRef, infrav1.AzureASOManagedClusterKind)
	}
}

func clusterToControlPlane(_ context.Context, object client.Object) []reconcile.Request {
	cluster, ok := object.(*clusterv1.Cluster)
	if !ok {
		return nil
	}
	return request(cluster.Namespace, cluster.Spec.ControlPlaneRef, infrav1.AzureASOManagedControlPlaneKind)
}

func poolToControlPlane(reader client.Client) handler.MapFunc {
	return func(ctx context.Context, object client.Object) []reconcile.Request {
		name := object.GetLabels()[clusterv1.ClusterNameLabel]
		if name == "" {
			return nil
		}
		cluster, err := util.GetClusterByName(ctx, reader, object.GetNamespace(), name)
		if err != nil || cluster == nil {
			return nil
		}
		return clusterToControlPlane(ctx, cluster)
	}
}

// endpointChanged lets only those control planes wake their clusters that have something new to say.
func endpointChanged() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc: func(e event.CreateEvent) bool {
			plane, ok := e.Object.(*infrav1.AzureASOManagedControlPlane)
			return ok && !plane.Status.ControlPlaneEndpoint.IsZero()
		},
		UpdateFunc: func(e event.UpdateEvent) bool {
			before, ok := e.ObjectOld.(*infrav1.AzureASOManagedControlPlane)
			after, also := e.ObjectNew.(*infrav1.AzureASOManagedControlPlane)
			return ok && also && before.Status.ControlPlaneEndpoint != after.Status.ControlPlaneEndpoint
		},
		DeleteFunc: func(event.DeleteEvent) bool { return true },
	}
}

func request(namespace string, reference clusterv1.ContractVersionedObjectReference, kind string) []reconcile.Request {
	if !refersToKind(reference, kind) {
		return nil
	}
	return []reconcile.Request{{NamespacedName: client.ObjectKey{Namespace: namespace, Name: reference.Name}}}
}
