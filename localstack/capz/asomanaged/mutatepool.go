package asomanaged

import (
	"context"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	infrav1 "sigs.k8s.io/cluster-api-provider-azure/api/v1beta1"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"

	"github.com/fleetwright/fleetwright/localstack/capz/asospec"
)

// poolMutator fills in the version and the number of nodes, and tells Cluster API who decides the latter. It follows
// pkg/mutators/azureasomanagedmachinepool.go.
func poolMutator(ctx context.Context, reader client.Client, machinePool *clusterv1.MachinePool) mutator {
	return func(objects []*unstructured.Unstructured) error {
		pool := find(objects, asospec.ManagedClustersAgentPool)
		if pool == nil {
			return reconcile.TerminalError(errNoAgentPool)
		}
		if version := machinePool.Spec.Template.Spec.Version; version != "" {
			reason := fmt.Sprintf("because MachinePool %s's spec.template.spec.version is %s", machinePool.Name, version)
			if err := pool.set(strings.TrimPrefix(version, "v"), reason, "spec", "orchestratorVersion"); err != nil {
				return err
			}
		}
		if err := sayWhoScales(pool, machinePool); err != nil {
			return err
		}
		return setCount(ctx, reader, pool, machinePool)
	}
}

var errNoAgentPool = fmt.Errorf("no %s ManagedClustersAgentPools defined in AzureASOManagedMachinePool spec.resources", asospec.ManagedClustersAgentPool.Group)

// sayWhoScales follows reconcileAutoscaling.
func sayWhoScales(pool *found, machinePool *clusterv1.MachinePool) error {
	autoscaling, _, err := unstructured.NestedBool(pool.Object, "spec", "enableAutoScaling")
	if err != nil {
		return err
	}
	manager, managed := machinePool.Annotations[clusterv1.ReplicasManagedByAnnotation]
	switch {
	case autoscaling && !managed:
		if machinePool.Annotations == nil {
			machinePool.Annotations = map[string]string{}
		}
		machinePool.Annotations[clusterv1.ReplicasManagedByAnnotation] = infrav1.ReplicasManagedByAKS
	case autoscaling && manager != infrav1.ReplicasManagedByAKS:
		return fmt.Errorf("failed to enable autoscaling, replicas are already being managed by %s according to MachinePool %s's %s annotation",
			manager, machinePool.Name, clusterv1.ReplicasManagedByAnnotation)
	case !autoscaling && manager == infrav1.ReplicasManagedByAKS:
		delete(machinePool.Annotations, clusterv1.ReplicasManagedByAnnotation)
	}
	return nil
}

// setCount sets the number of nodes, unless an autoscaler decides it: then only where Azure has none yet.
func setCount(ctx context.Context, reader client.Client, pool *found, machinePool *clusterv1.MachinePool) error {
	if machinePool.Spec.Replicas == nil {
		return nil
	}
	if _, autoscaling := machinePool.Annotations[clusterv1.ReplicasManagedByAnnotation]; autoscaling {
		existing, err := get(ctx, reader, asospec.ManagedClustersAgentPool, machinePool.Namespace, pool.GetName())
		if client.IgnoreNotFound(err) != nil {
			return err
		}
		if _, counted := field(existing, "status", "count"); counted {
			return nil
		}
	}
	count := int64(*machinePool.Spec.Replicas)
	reason := fmt.Sprintf("because MachinePool %s's spec.replicas is %d", machinePool.Name, count)
	return pool.set(count, reason, "spec", "count")
}

// get returns an object of Azure Service Operator.
func get(ctx context.Context, reader client.Client, kind *asospec.Kind, namespace, name string) (*unstructured.Unstructured, error) {
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(kind.GroupVersionKind())
	err := reader.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, object)
	return object, err
}

// field returns the value at a path of an object. Null counts as none.
func field(object *unstructured.Unstructured, path ...string) (any, bool) {
	value, found, err := unstructured.NestedFieldNoCopy(object.Object, path...)
	return value, found && err == nil && value != nil
}

func text(object *unstructured.Unstructured, path ...string) string {
	value, _ := field(object, path...)
	found, _ := value.(string)
	return found
}
