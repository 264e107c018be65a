package asomanaged

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	infrav1 "sigs.k8s.io/cluster-api-provider-azure/api/v1beta1"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/cluster-api/util"
	"sigs.k8s.io/cluster-api/util/annotations"
	"sigs.k8s.io/cluster-api/util/secret"

	"github.com/fleetwright/fleetwright/localstack/capz/asospec"
)

// poolReconciler follows controllers/azureasomanagedmachinepool_controller.go.
type poolReconciler struct {
	applier

	// requeue is the time until nodes without a provider id are looked at again.
	requeue time.Duration
}

// Reconcile implements reconcile.Reconciler.
func (r *poolReconciler) Reconcile(ctx context.Context, request ctrl.Request) (_ ctrl.Result, err error) {
	infra := &infrav1.AzureASOManagedMachinePool{}
	if err := r.client.Get(ctx, request.NamespacedName, infra); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	save, err := saver(ctx, r.client, infra)
	if err != nil {
		return ctrl.Result{}, err
	}
	defer func() { err = errors.Join(err, save()) }()
	infra.Status.Ready = false

	machinePool, err := util.GetOwnerMachinePool(ctx, r.client, infra.ObjectMeta)
	if err != nil || machinePool == nil {
		return ctrl.Result{}, err
	}
	before := machinePool.DeepCopy()
	defer func() {
		err = errors.Join(err, client.IgnoreNotFound(r.client.Patch(ctx, machinePool, client.MergeFrom(before))))
	}()
	cluster, err := util.GetClusterFromMetadata(ctx, r.client, machinePool.ObjectMeta)
	switch {
	case err != nil:
		return ctrl.Result{}, fmt.Errorf("AzureASOManagedMachinePool owner MachinePool is missing cluster label or cluster does not exist: %w", err)
	case !refersToKind(cluster.Spec.ControlPlaneRef, infrav1.AzureASOManagedControlPlaneKind):
		return ctrl.Result{}, reconcile.TerminalError(errors.New("AzureASOManagedMachinePool cannot be used without AzureASOManagedControlPlane"))
	case annotations.IsPaused(cluster, infra):
		return ctrl.Result{}, r.rest(ctx, infra, infra.Spec.Resources)
	case !infra.DeletionTimestamp.IsZero():
		return ctrl.Result{}, r.delete(ctx, infra, cluster)
	default:
		return r.normal(ctx, infra, machinePool, cluster)
	}
}

func (r *poolReconciler) normal(ctx context.Context, infra *infrav1.AzureASOManagedMachinePool, machinePool *clusterv1.MachinePool, cluster *clusterv1.Cluster) (ctrl.Result, error) {
	if prepare(infra, clusterv1.ClusterFinalizer) {
		return ctrl.Result{}, nil // our own write wakes us
	}
	resources, err := mutated(infra.Spec.Resources, poolMutator(ctx, r.client, machinePool))
	if err != nil {
		return ctrl.Result{}, err
	}
	name := find(resources, asospec.ManagedClustersAgentPool).GetName()
	if err := r.reconcile(ctx, infra, resources); err != nil {
		return ctrl.Result{}, fmt.Errorf("failed to reconcile resources: %w", err)
	}
	if !allReady(infra.Status.Resources) {
		return ctrl.Result{}, nil
	}
	return r.report(ctx, infra, machinePool, cluster, name)
}

// report takes the machines from the nodes that carry the pool's labels, and their number from Azure.
func (r *poolReconciler) report(ctx context.Context, infra *infrav1.AzureASOManagedMachinePool, machinePool *clusterv1.MachinePool, cluster *clusterv1.Cluster, name string) (ctrl.Result, error) {
	pool, err := get(ctx, r.client, asospec.ManagedClustersAgentPool, infra.Namespace, name)
	if err != nil {
		return ctrl.Result{}, fmt.Errorf("error getting ManagedClustersAgentPool: %w", err)
	}
	managed, err := get(ctx, r.client, asospec.ManagedCluster, infra.Namespace, text(pool, "spec", "owner", "name"))
	if err != nil {
		return ctrl.Result{}, fmt.Errorf("error getting ManagedCluster: %w", err)
	}
	group := text(managed, "status", "nodeResourceGroup")
	if group == "" {
		return ctrl.Result{}, nil
	}
	nodes, err := r.nodes(ctx, cluster, text(pool, "spec", "azureName"), group)
	if err != nil {
		return ctrl.Result{}, err
	}
	ids := make([]string, 0, len(nodes))
	for _, node := range nodes {
		if node.Spec.ProviderID == "" {
			return ctrl.Result{RequeueAfter: r.requeue}, nil
		}
		ids = append(ids, node.Spec.ProviderID)
	}
	slices.Sort(ids)
	infra.Spec.ProviderIDList = ids
	count, _ := field(pool, "status", "count")
	infra.Status.Replicas = int32(number(count))
	if _, autoscaling := machinePool.Annotations[clusterv1.ReplicasManagedByAnnotation]; autoscaling {
		machinePool.Spec.Replicas = ptr.To(infra.Status.Replicas)
	}
	infra.Status.Ready = true
	return ctrl.Result{}, nil
}

// nodes returns the nodes of a pool in the cluster. CAPZ has a connection that it keeps; this one is as good.
func (r *poolReconciler) nodes(ctx context.Context, cluster *clusterv1.Cluster, pool, group string) ([]corev1.Node, error) {
	kubeconfig := &corev1.Secret{}
	key := client.ObjectKey{Namespace: cluster.Namespace, Name: secret.Name(cluster.Name, secret.Kubeconfig)}
	if err := r.client.Get(ctx, key, kubeconfig); err != nil {
		return nil, fmt.Errorf("connect to the workload cluster: %w", err)
	}
	config, err := clientcmd.RESTConfigFromKubeConfig(kubeconfig.Data[secret.KubeconfigDataName])
	if err != nil {
		return nil, fmt.Errorf("connect to the workload cluster: %w", err)
	}
	workload, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("connect to the workload cluster: %w", err)
	}
	selector := labels.SelectorFromSet(labels.Set{
		"kubernetes.azure.com/agentpool": cut(pool), "kubernetes.azure.com/cluster": cut(group),
	})
	nodes, err := workload.CoreV1().Nodes().List(ctx, metav1.ListOptions{LabelSelector: selector.String()})
	if err != nil {
		return nil, fmt.Errorf("failed to list nodes in workload cluster: %w", err)
	}
	return nodes.Items, nil
}

func cut(value string) string { return value[:min(len(value), validation.LabelValueMaxLength)] }

// number reads a number as JSON gives it.
func number(value any) int64 {
	switch n := value.(type) {
	case int64:
		return n
	case float64:
		return int64(n)
	default:
		return 0
	}
}

// delete removes the pool. With the cluster on its way out AKS takes the pools along, so they need not go one by one.
func (r *poolReconciler) delete(ctx context.Context, infra *infrav1.AzureASOManagedMachinePool, cluster *clusterv1.Cluster) error {
	if cluster.DeletionTimestamp.IsZero() {
		if err := r.reconcile(ctx, infra, nil); err != nil {
			return fmt.Errorf("failed to reconcile resources: %w", err)
		}
		if len(infra.Status.Resources) > 0 {
			return nil
		}
	}
	controllerutil.RemoveFinalizer(infra, clusterv1.ClusterFinalizer)
	return nil
}
