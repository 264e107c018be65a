package asomanaged

import (
	"context"
	"errors"
	"fmt"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	infrav1 "sigs.k8s.io/cluster-api-provider-azure/api/v1beta1"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/cluster-api/util"
)

// clusterReconciler follows controllers/azureasomanagedcluster_controller.go: the infrastructure is what its spec holds, a resource
// group for example, and ready when the control plane has an endpoint.
type clusterReconciler struct{ applier }

// Reconcile implements reconcile.Reconciler.
func (r *clusterReconciler) Reconcile(ctx context.Context, request ctrl.Request) (_ ctrl.Result, err error) {
	infra := &infrav1.AzureASOManagedCluster{}
	if err := r.client.Get(ctx, request.NamespacedName, infra); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	save, err := saver(ctx, r.client, infra)
	if err != nil {
		return ctrl.Result{}, err
	}
	defer func() { err = errors.Join(err, save()) }()
	infra.Status.Ready = false

	cluster, err := util.GetOwnerCluster(ctx, r.client, infra.ObjectMeta)
	switch {
	case err != nil:
		return ctrl.Result{}, err
	case isPaused(cluster, infra):
		return ctrl.Result{}, r.rest(ctx, infra, infra.Spec.Resources)
	case !infra.DeletionTimestamp.IsZero():
		return ctrl.Result{}, r.delete(ctx, infra)
	case cluster == nil:
		return ctrl.Result{}, nil
	default:
		return ctrl.Result{}, r.normal(ctx, infra, cluster)
	}
}

func (r *clusterReconciler) normal(ctx context.Context, infra *infrav1.AzureASOManagedCluster, cluster *clusterv1.Cluster) error {
	if !refersToKind(cluster.Spec.ControlPlaneRef, infrav1.AzureASOManagedControlPlaneKind) {
		return reconcile.TerminalError(errors.New("AzureASOManagedCluster cannot be used without AzureASOManagedControlPlane"))
	}
	if prepare(infra, clusterv1.ClusterFinalizer) {
		return nil // our own write wakes us
	}
	resources, err := mutated(infra.Spec.Resources)
	if err != nil {
		return err
	}
	if err := r.reconcile(ctx, infra, resources); err != nil {
		return fmt.Errorf("failed to reconcile resources: %w", err)
	}
	if !allReady(infra.Status.Resources) {
		return nil
	}
	plane := &infrav1.AzureASOManagedControlPlane{}
	key := client.ObjectKey{Namespace: cluster.Namespace, Name: cluster.Spec.ControlPlaneRef.Name}
	if err := client.IgnoreNotFound(r.client.Get(ctx, key, plane)); err != nil {
		return fmt.Errorf("failed to get AzureASOManagedControlPlane %s: %w", key, err)
	}
	infra.Spec.ControlPlaneEndpoint = plane.Status.ControlPlaneEndpoint
	infra.Status.Ready = !infra.Spec.ControlPlaneEndpoint.IsZero()
	return nil
}

func (r *clusterReconciler) delete(ctx context.Context, infra *infrav1.AzureASOManagedCluster) error {
	if err := r.reconcile(ctx, infra, nil); err != nil {
		return fmt.Errorf("failed to reconcile resources: %w", err)
	}
	if len(infra.Status.Resources) == 0 {
		controllerutil.RemoveFinalizer(infra, clusterv1.ClusterFinalizer)
	}
	return nil
}
