package capz

import (
	"context"
	"errors"
	"fmt"
	"time"

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

	"github.com/fleetwright/fleetwright/localstack/capz/armclient"
	"github.com/fleetwright/fleetwright/localstack/capz/desired"
	"github.com/fleetwright/fleetwright/localstack/capz/resource"
)

// controlPlaneReconciler follows controllers/azuremanagedcontrolplane_controller.go.
type controlPlaneReconciler struct {
	client client.Client
	azure  *identities
	keeper *resource.Keeper
	// requeue is the time until pools without owners are looked at again.
	requeue time.Duration
}

// controlPlaneConditions are the conditions this controller owns, see PatchObject in azure/scope/managedcontrolplane.go.
func controlPlaneConditions() v1beta1patch.WithOwnedConditions {
	return v1beta1patch.WithOwnedConditions{Conditions: []clusterv1beta1.ConditionType{
		clusterv1beta1.ReadyCondition,
		infrav1.ResourceGroupReadyCondition,
		infrav1.VNetReadyCondition,
		infrav1.SubnetsReadyCondition,
		infrav1.ManagedClusterRunningCondition,
		infrav1.AgentPoolsReadyCondition,
		infrav1.AzureResourceAvailableCondition,
	}}
}

// Reconcile implements reconcile.Reconciler.
func (r *controlPlaneReconciler) Reconcile(ctx context.Context, request ctrl.Request) (_ ctrl.Result, err error) {
	plane := &infrav1.AzureManagedControlPlane{}
	if err := r.client.Get(ctx, request.NamespacedName, plane); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	cluster, err := util.GetOwnerCluster(ctx, r.client, plane.ObjectMeta)
	if err != nil || cluster == nil {
		return ctrl.Result{}, err
	}
	pools, complete, err := r.pools(ctx, cluster)
	if err != nil {
		return ctrl.Result{}, err
	}
	if !complete {
		// The owner comes with a write to a kind this controller does not watch, so
		// a cache that lags behind the last event of the MachinePool would wait for
		// CAPZ's resync of ten minutes. Looking again is the stand-in's own.
		return ctrl.Result{RequeueAfter: r.requeue}, nil
	}
	helper, err := v1beta1patch.NewHelper(plane, r.client)
	if err != nil {
		return ctrl.Result{}, fmt.Errorf("failed to init patch helper: %w", err)
	}
	save := func() error {
		v1beta1conditions.SetSummary(plane)
		return helper.Patch(ctx, plane, controlPlaneConditions())
	}
	defer func() {
		err = errors.Join(err, client.IgnoreNotFound(save()))
	}()

	if annotations.IsPaused(cluster, plane) {
		allowMove(plane)
		return ctrl.Result{}, nil
	}
	azure, err := r.claim(ctx, plane)
	if err != nil {
		return ctrl.Result{}, err
	}
	services := &controlPlaneServices{
		client: r.client, azure: azure, keeper: r.keeper, cluster: cluster, plane: plane, pools: pools,
	}
	if !plane.DeletionTimestamp.IsZero() {
		return r.delete(ctx, services)
	}
	return r.reconcile(ctx, services, save)
}

// claim returns a client of Azure with the control plane's identity, which it may use.
func (r *controlPlaneReconciler) claim(ctx context.Context, plane *infrav1.AzureManagedControlPlane) (*armclient.Client, error) {
	if err := r.azure.claim(ctx, plane); err != nil {
		if errors.Is(err, errNamespaceNotAllowed) {
			v1beta1conditions.MarkFalse(plane, infrav1.NetworkInfrastructureReadyCondition, infrav1.NamespaceNotAllowedByIdentity, clusterv1beta1.ConditionSeverityError, "")
		}
		return nil, err
	}
	azure, err := r.azure.of(ctx, plane)
	if err != nil {
		return nil, fmt.Errorf("failed to create scope: %w", err)
	}
	return azure, nil
}

func (r *controlPlaneReconciler) reconcile(ctx context.Context, services *controlPlaneServices, save func() error) (ctrl.Result, error) {
	plane := services.plane
	finalized, blocked := controllerutil.AddFinalizer(plane, infrav1.ManagedClusterFinalizer), blockMove(plane)
	if finalized || blocked {
		if err := save(); err != nil {
			return ctrl.Result{}, fmt.Errorf("failed to patch resource: %w", err)
		}
	}
	if err := services.reconcile(ctx); err != nil {
		return outcome(ctrl.LoggerFrom(ctx), "reconcile AzureManagedControlPlane", err)
	}
	plane.Status.Ready = true
	plane.Status.Initialized = true
	plane.Status.Version = plane.Spec.Version
	return ctrl.Result{}, nil
}

func (r *controlPlaneReconciler) delete(ctx context.Context, services *controlPlaneServices) (ctrl.Result, error) {
	if err := services.delete(ctx); err != nil {
		return outcome(ctrl.LoggerFrom(ctx), "delete AzureManagedControlPlane", err)
	}
	controllerutil.RemoveFinalizer(services.plane, infrav1.ManagedClusterFinalizer)
	return ctrl.Result{}, r.azure.release(ctx, services.plane)
}

// pools returns the cluster's node pools. It is not complete while one of them has no MachinePool yet; CAPZ then waits
// without a word, so that the first managed cluster gets all pools that exist.
func (r *controlPlaneReconciler) pools(ctx context.Context, cluster *clusterv1.Cluster) (pools []desired.Pool, complete bool, err error) {
	infra := &infrav1.AzureManagedMachinePoolList{}
	err = r.client.List(ctx, infra, client.InNamespace(cluster.Namespace), client.MatchingLabels{clusterv1.ClusterNameLabel: cluster.Name})
	if err != nil {
		return nil, false, fmt.Errorf("list AzureManagedMachinePools: %w", err)
	}
	for i := range infra.Items {
		owner, err := util.GetOwnerMachinePool(ctx, r.client, infra.Items[i].ObjectMeta)
		if err != nil {
			return nil, false, fmt.Errorf("failed to fetch owner MachinePool for AzureManagedMachinePool: %s: %w", infra.Items[i].Name, err)
		}
		if owner == nil {
			return nil, false, nil
		}
		pools = append(pools, desired.Pool{MachinePool: owner, Infra: &infra.Items[i]})
	}
	return pools, true, nil
}
