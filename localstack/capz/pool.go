package capz

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	infrav1 "sigs.k8s.io/cluster-api-provider-azure/api/v1beta1"
	clusterv1beta1 "sigs.k8s.io/cluster-api/api/core/v1beta1"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/cluster-api/util"
	"sigs.k8s.io/cluster-api/util/annotations"
	v1beta1conditions "sigs.k8s.io/cluster-api/util/deprecated/v1beta1/conditions"
	v1beta1patch "sigs.k8s.io/cluster-api/util/deprecated/v1beta1/patch"

	"github.com/fleetwright/fleetwright/localstack/capz/desired"
	"github.com/fleetwright/fleetwright/localstack/capz/resource"
)

// poolReconciler follows controllers/azuremanagedmachinepool_controller.go.
type poolReconciler struct {
	client  client.Client
	azure   *identities
	keeper  *resource.Keeper
	requeue time.Duration
}

// Reconcile implements reconcile.Reconciler.
func (r *poolReconciler) Reconcile(ctx context.Context, request ctrl.Request) (_ ctrl.Result, err error) {
	infra := &infrav1.AzureManagedMachinePool{}
	if err := r.client.Get(ctx, request.NamespacedName, infra); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	machinePool, err := util.GetOwnerMachinePool(ctx, r.client, infra.ObjectMeta)
	if err != nil || machinePool == nil {
		return ctrl.Result{}, err
	}
	cluster, err := util.GetOwnerCluster(ctx, r.client, machinePool.ObjectMeta)
	if err != nil || cluster == nil {
		return ctrl.Result{}, err
	}
	plane := &infrav1.AzureManagedControlPlane{}
	key := client.ObjectKey{Namespace: cluster.Namespace, Name: cluster.Spec.ControlPlaneRef.Name}
	if err := r.client.Get(ctx, key, plane); err != nil {
		return ctrl.Result{}, fmt.Errorf("get AzureManagedControlPlane: %w", err)
	}
	// The first pools are made with the cluster. Only afterwards are pools resources of their own.
	if !plane.Status.Initialized {
		return ctrl.Result{}, nil
	}

	helper, err := v1beta1patch.NewHelper(infra, r.client)
	if err != nil {
		return ctrl.Result{}, fmt.Errorf("failed to init patch helper: %w", err)
	}
	save := func() error {
		v1beta1conditions.SetSummary(infra)
		return helper.Patch(ctx, infra, v1beta1patch.WithOwnedConditions{
			Conditions: []clusterv1beta1.ConditionType{clusterv1beta1.ReadyCondition},
		})
	}
	before := machinePool.DeepCopy()
	defer func() {
		err = errors.Join(err, client.IgnoreNotFound(save()), r.saveOwner(ctx, before, machinePool))
	}()

	if annotations.IsPaused(cluster, infra) {
		allowMove(infra)
		return ctrl.Result{}, nil
	}
	azure, err := r.azure.of(ctx, plane)
	if err != nil {
		return ctrl.Result{}, fmt.Errorf("failed to create ManagedControlPlane scope: %w", err)
	}
	service := &poolService{
		azure: azure, keeper: r.keeper, requeue: r.requeue, plane: plane,
		pool: desired.Pool{MachinePool: machinePool, Infra: infra},
	}
	if !infra.DeletionTimestamp.IsZero() {
		return r.delete(ctx, service, cluster)
	}
	finalized, blocked := controllerutil.AddFinalizer(infra, infrav1.ClusterFinalizer), blockMove(infra)
	if finalized || blocked {
		if err := save(); err != nil {
			return ctrl.Result{}, err
		}
	}
	return r.reconcile(ctx, service)
}

// saveOwner writes what the round changed of the MachinePool, and nothing at all when it changed nothing.
func (r *poolReconciler) saveOwner(ctx context.Context, before, machinePool *clusterv1.MachinePool) error {
	if equality.Semantic.DeepEqual(before, machinePool) {
		return nil
	}
	return client.IgnoreNotFound(r.client.Patch(ctx, machinePool, client.MergeFrom(before)))
}

func (r *poolReconciler) reconcile(ctx context.Context, service *poolService) (ctrl.Result, error) {
	infra := service.pool.Infra
	err := service.reconcile(ctx)
	infra.Status.Ready = err == nil
	// An existing failure says more than this one could, see reconcileNormal.
	if err != nil && v1beta1conditions.IsTrue(infra, infrav1.AgentPoolsReadyCondition) {
		v1beta1conditions.MarkFalse(infra, infrav1.AgentPoolsReadyCondition, infrav1.FailedReason, clusterv1beta1.ConditionSeverityError, "%s", err.Error())
	}
	return outcome(ctrl.LoggerFrom(ctx), "reconcile AzureManagedMachinePool", err)
}

// delete removes the pool. With the cluster on its way out AKS takes the pools along, so they need not go one by one.
func (r *poolReconciler) delete(ctx context.Context, service *poolService, cluster *clusterv1.Cluster) (ctrl.Result, error) {
	if !cluster.DeletionTimestamp.IsZero() {
		r.keeper.Forget(service.id())
	} else if err := service.delete(ctx); err != nil {
		return outcome(ctrl.LoggerFrom(ctx), "delete AzureManagedMachinePool", err)
	}
	controllerutil.RemoveFinalizer(service.pool.Infra, infrav1.ClusterFinalizer)
	return ctrl.Result{}, nil
}
