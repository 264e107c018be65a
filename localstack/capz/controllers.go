package capz

import (
	"context"
	"fmt"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/handler"

	infrav1 "sigs.k8s.io/cluster-api-provider-azure/api/v1beta1"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/cluster-api/util/predicates"

	"github.com/fleetwright/fleetwright/localstack/capz/aso"
	"github.com/fleetwright/fleetwright/localstack/capz/asomanaged"
	"github.com/fleetwright/fleetwright/localstack/capz/resource"
)

// addControllers adds the controllers of both flavours of managed clusters, and those of Azure Service Operator, through which
// the second one works.
func addControllers(ctx context.Context, manager ctrl.Manager, options Options) error {
	keeper := options.keeper()
	if err := addManaged(manager, keeper, options); err != nil {
		return err
	}
	if err := asomanaged.Add(ctx, manager, options.Log, options.Requeue); err != nil {
		return err
	}
	return aso.Add(manager, aso.Options{
		Azure: options.Azure, Keeper: keeper, Retry: options.Requeue, Sync: options.AzureSync,
	})
}

// addManaged adds one controller per kind of AzureManaged*, watching what CAPZ's watch (SetupWithManager in each of
// controllers/azuremanaged*_controller.go).
func addManaged(manager ctrl.Manager, keeper *resource.Keeper, options Options) error {
	azure := &identities{client: manager.GetClient(), azure: options.Azure}
	watch := mapper{client: manager.GetClient()}
	log, scheme := options.Log, manager.GetScheme()
	pausedOrProvisioned := builder.WithPredicates(predicates.ClusterPausedTransitionsOrInfrastructureProvisioned(scheme, log))

	clusters := &clusterReconciler{client: manager.GetClient()}
	err := ctrl.NewControllerManagedBy(manager).
		For(&infrav1.AzureManagedCluster{}).
		WithEventFilter(predicates.ResourceNotPaused(scheme, log)).
		Watches(&infrav1.AzureManagedControlPlane{}, handler.EnqueueRequestsFromMapFunc(watch.controlPlaneToCluster)).
		Watches(&clusterv1.Cluster{}, handler.EnqueueRequestsFromMapFunc(watch.ownerToCluster),
			builder.WithPredicates(predicates.ClusterUnpaused(scheme, log))).
		Complete(clusters)
	if err != nil {
		return fmt.Errorf("add the AzureManagedCluster controller: %w", err)
	}

	planes := &controlPlaneReconciler{client: manager.GetClient(), azure: azure, keeper: keeper, requeue: options.Requeue}
	err = ctrl.NewControllerManagedBy(manager).
		For(&infrav1.AzureManagedControlPlane{}).
		Watches(&infrav1.AzureManagedCluster{}, handler.EnqueueRequestsFromMapFunc(watch.clusterToControlPlane)).
		Watches(&clusterv1.MachinePool{}, handler.EnqueueRequestsFromMapFunc(watch.machinePoolToControlPlane)).
		Watches(&clusterv1.Cluster{}, handler.EnqueueRequestsFromMapFunc(watch.ownerToControlPlane), pausedOrProvisioned).
		Complete(planes)
	if err != nil {
		return fmt.Errorf("add the AzureManagedControlPlane controller: %w", err)
	}

	pools := &poolReconciler{client: manager.GetClient(), azure: azure, keeper: keeper, requeue: options.Requeue}
	err = ctrl.NewControllerManagedBy(manager).
		For(&infrav1.AzureManagedMachinePool{}).
		Watches(&clusterv1.MachinePool{}, handler.EnqueueRequestsFromMapFunc(watch.machinePoolToPool)).
		Watches(&infrav1.AzureManagedControlPlane{}, handler.EnqueueRequestsFromMapFunc(watch.controlPlaneToPools)).
		Watches(&clusterv1.Cluster{}, handler.EnqueueRequestsFromMapFunc(watch.ownerToPools), pausedOrProvisioned).
		Complete(pools)
	if err != nil {
		return fmt.Errorf("add the AzureManagedMachinePool controller: %w", err)
	}
	return nil
}
