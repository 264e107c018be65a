package capz

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	infrav1 "sigs.k8s.io/cluster-api-provider-azure/api/v1beta1"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/cluster-api/util"
)

// mapper finds the objects to look at when another one changed, after the mappers in controllers/helpers.go.
type mapper struct{ client client.Client }

func (m mapper) controlPlaneToCluster(ctx context.Context, object client.Object) []reconcile.Request {
	cluster := m.owner(ctx, object)
	if cluster == nil || !object.GetDeletionTimestamp().IsZero() {
		return nil
	}
	return m.ownerToCluster(ctx, cluster)
}

func (m mapper) clusterToControlPlane(ctx context.Context, object client.Object) []reconcile.Request {
	cluster := m.owner(ctx, object)
	if cluster == nil || !object.GetDeletionTimestamp().IsZero() {
		return nil
	}
	return m.ownerToControlPlane(ctx, cluster)
}

func (m mapper) ownerToCluster(_ context.Context, object client.Object) []reconcile.Request {
	cluster, ok := object.(*clusterv1.Cluster)
	if !ok {
		return nil
	}
	return request(cluster.Namespace, cluster.Spec.InfrastructureRef, infrav1.AzureManagedClusterKind)
}

func (m mapper) ownerToControlPlane(_ context.Context, object client.Object) []reconcile.Request {
	cluster, ok := object.(*clusterv1.Cluster)
	if !ok {
		return nil
	}
	return request(cluster.Namespace, cluster.Spec.ControlPlaneRef, infrav1.AzureManagedControlPlaneKind)
}

// machinePoolToControlPlane wakes the control plane for System pools only: the first one lets it be created.
func (m mapper) machinePoolToControlPlane(ctx context.Context, object client.Object) []reconcile.Request {
	machinePool, ok := object.(*clusterv1.MachinePool)
	if !ok {
		return nil
	}
	cluster, err := util.GetClusterByName(ctx, m.client, machinePool.Namespace, machinePool.Spec.ClusterName)
	if err != nil {
		return nil
	}
	pool := &infrav1.AzureManagedMachinePool{}
	key := client.ObjectKey{Namespace: machinePool.Namespace, Name: machinePool.Spec.Template.Spec.InfrastructureRef.Name}
	if err := m.client.Get(ctx, key, pool); err == nil && pool.Spec.Mode != string(infrav1.NodePoolModeSystem) {
		return nil
	}
	return m.ownerToControlPlane(ctx, cluster)
}

func (m mapper) machinePoolToPool(_ context.Context, object client.Object) []reconcile.Request {
	machinePool, ok := object.(*clusterv1.MachinePool)
	if !ok {
		return nil
	}
	return request(machinePool.Namespace, machinePool.Spec.Template.Spec.InfrastructureRef, infrav1.AzureManagedMachinePoolKind)
}

func (m mapper) controlPlaneToPools(ctx context.Context, object client.Object) []reconcile.Request {
	cluster := m.owner(ctx, object)
	if cluster == nil || !object.GetDeletionTimestamp().IsZero() {
		return nil
	}
	return m.ownerToPools(ctx, cluster)
}

func (m mapper) ownerToPools(ctx context.Context, object client.Object) []reconcile.Request {
	machinePools := &clusterv1.MachinePoolList{}
	err := m.client.List(ctx, machinePools, client.InNamespace(object.GetNamespace()),
		client.MatchingLabels{clusterv1.ClusterNameLabel: object.GetName()})
	if err != nil {
		return nil
	}
	var requests []reconcile.Request
	for i := range machinePools.Items {
		requests = append(requests, m.machinePoolToPool(ctx, &machinePools.Items[i])...)
	}
	return requests
}

// owner returns the Cluster that owns an object, nil if it cannot be found.
func (m mapper) owner(ctx context.Context, object client.Object) *clusterv1.Cluster {
	cluster, err := util.GetOwnerCluster(ctx, m.client, metav1.ObjectMeta{
		Namespace: object.GetNamespace(), OwnerReferences: object.GetOwnerReferences(),
	})
	if err != nil {
		return nil
	}
	return cluster
}

func request(namespace string, ref clusterv1.ContractVersionedObjectReference, kind string) []reconcile.Request {
	if ref.APIGroup != infrav1.GroupVersion.Group || ref.Kind != kind {
		return nil
	}
	return []reconcile.Request{{NamespacedName: client.ObjectKey{Namespace: namespace, Name: ref.Name}}}
}

// reference returns the namespaced name of a reference that may leave the namespace out.
func reference(ref *corev1.ObjectReference, namespace string) client.ObjectKey {
	if ref.Namespace != "" {
		namespace = ref.Namespace
	}
	return client.ObjectKey{Namespace: namespace, Name: ref.Name}
}
