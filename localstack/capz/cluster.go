package capz

import (
	"context"
	"fmt"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	infrav1 "sigs.k8s.io/cluster-api-provider-azure/api/v1beta1"
	"sigs.k8s.io/cluster-api/util"
	"sigs.k8s.io/cluster-api/util/annotations"
	v1beta1patch "sigs.k8s.io/cluster-api/util/deprecated/v1beta1/patch"
)

// clusterReconciler follows controllers/azuremanagedcluster_controller.go: the infrastructure is ready at once, and the
// endpoint is the control plane's when it has one.
type clusterReconciler struct{ client client.Client }

// Reconcile implements reconcile.Reconciler.
func (r *clusterReconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	infra := &infrav1.AzureManagedCluster{}
	if err := r.client.Get(ctx, request.NamespacedName, infra); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	cluster, err := util.GetOwnerCluster(ctx, r.client, infra.ObjectMeta)
	if err != nil || cluster == nil || annotations.IsPaused(cluster, infra) {
		return ctrl.Result{}, err
	}
	plane := &infrav1.AzureManagedControlPlane{}
	key := client.ObjectKey{Namespace: cluster.Namespace, Name: cluster.Spec.ControlPlaneRef.Name}
	if err := r.client.Get(ctx, key, plane); err != nil {
		return ctrl.Result{}, fmt.Errorf("failed to get control plane ref: %w", err)
	}
	helper, err := v1beta1patch.NewHelper(infra, r.client)
	if err != nil {
		return ctrl.Result{}, fmt.Errorf("failed to init patch helper: %w", err)
	}
	infra.Status.Ready = true
	infra.Spec.ControlPlaneEndpoint = plane.Spec.ControlPlaneEndpoint
	return ctrl.Result{}, helper.Patch(ctx, infra)
}
