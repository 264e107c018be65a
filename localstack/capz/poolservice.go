package capz

import (
	"context"
	"fmt"
	"slices"
	"time"

	"k8s.io/utils/ptr"

	infrav1 "sigs.k8s.io/cluster-api-provider-azure/api/v1beta1"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	v1beta1conditions "sigs.k8s.io/cluster-api/util/deprecated/v1beta1/conditions"

	"github.com/fleetwright/fleetwright/localstack/capz/armclient"
	"github.com/fleetwright/fleetwright/localstack/capz/desired"
	"github.com/fleetwright/fleetwright/localstack/capz/resource"
)

// agentPools is CAPZ's name for the service behind pools.
const agentPools = "agentpools"

// poolService is one round over a pool, after controllers/azuremanagedmachinepool_reconciler.go.
type poolService struct {
	azure   *armclient.Client
	keeper  *resource.Keeper
	requeue time.Duration
	plane   *infrav1.AzureManagedControlPlane
	pool    desired.Pool
}

func (s *poolService) id() string   { return desired.AgentPoolID(s.plane, s.pool.Infra) }
func (s *poolService) name() string { return ptr.Deref(s.pool.Infra.Spec.Name, "") }

// reconcile creates or updates the pool and reports its machines.
func (s *poolService) reconcile(ctx context.Context) error {
	infra := s.pool.Infra
	if infra.Spec.SubnetName == nil {
		infra.Spec.SubnetName = ptr.To(s.plane.Spec.VirtualNetwork.Subnet.Name)
	}
	existing, err := s.keeper.Ensure(ctx, s.azure, resource.Spec{
		ID: s.id(), APIVersion: desired.ContainerServiceVersion,
		Exact:   desired.ExactPoolProperties(),
		Lagging: []string{"count", "enableAutoScaling"}, // CAPZ reads them from the status of Azure Service Operator's object
		Desired: func(existing armclient.Body) (armclient.Body, error) {
			return desired.AgentPool(s.plane, s.pool, existing)
		},
		Blocked: func() string { return s.clusterBusy(ctx) },
	})
	if err == nil && v1beta1conditions.Get(infra, infrav1.AgentPoolsReadyCondition) == nil {
		// CAPZ's first look only makes the Azure Service Operator's object, also for a pool that came with its cluster.
		err = resource.NewInProgress("PUT", s.id(), s.requeue)
	}
	if err == nil {
		s.followAutoscaler(existing)
	}
	markPut(infra, infrav1.AgentPoolsReadyCondition, agentPools, err)
	if err != nil {
		return fmt.Errorf("failed to reconcile machine pool %s: %w", s.name(), err)
	}
	return s.reportMachines(ctx)
}

// clusterBusy says why AKS would refuse a change of a pool now, as Azure Service Operator finds out before it asks
// (managed_clusters_agent_pool_extensions.go). A failed look is no reason: then AKS answers for itself.
func (s *poolService) clusterBusy(ctx context.Context) string {
	managed, err := s.azure.Get(ctx, desired.ManagedClusterID(s.plane), desired.ContainerServiceVersion)
	if err != nil || managed.Settled() {
		return ""
	}
	return fmt.Sprintf("Managed cluster %q is in provisioning state %q", s.plane.Name, managed.ProvisioningState())
}

// followAutoscaler tells Cluster API who decides the number of nodes, and the number as it was at the last look, after
// azure/services/agentpools/agentpools.go.
func (s *poolService) followAutoscaler(existing armclient.Body) {
	machinePool := s.pool.MachinePool
	if !existing.Bool("properties", "enableAutoScaling") {
		delete(machinePool.Annotations, clusterv1.ReplicasManagedByAnnotation)
		return
	}
	if machinePool.Annotations == nil {
		machinePool.Annotations = map[string]string{}
	}
	machinePool.Annotations[clusterv1.ReplicasManagedByAnnotation] = "true"
	if count, found := existing.Int("properties", "count"); found {
		machinePool.Spec.Replicas = ptr.To(int32(count))
	}
}

// reportMachines finds the pool's scale set in the node resource group by its tag and takes the machines' ids from it.
func (s *poolService) reportMachines(ctx context.Context) error {
	group := s.plane.Spec.NodeResourceGroupName
	sets, err := s.azure.List(ctx, desired.ScaleSetsID(s.plane), desired.ComputeVersion)
	if err != nil {
		return fmt.Errorf("failed to list vmss in resource group %s: %w", group, err)
	}
	index := slices.IndexFunc(sets, func(set armclient.Body) bool {
		return set.Tags()["poolName"] == s.name() || set.Tags()["aks-managed-poolName"] == s.name()
	})
	if index < 0 {
		missing := fmt.Errorf("failed to find vm scale set in resource group %s matching pool named %s", group, s.name())
		return resource.NewTransient(missing, s.requeue)
	}
	machines, err := s.azure.List(ctx, desired.ScaleSetsID(s.plane)+"/"+sets[index].String("name")+"/virtualMachines", desired.ComputeVersion)
	if err != nil {
		return fmt.Errorf("failed to reconcile machine pool %s: %w", s.name(), err)
	}
	ids := make([]string, 0, len(machines))
	for _, machine := range machines {
		id, err := desired.ProviderID(machine.String("id"))
		if err != nil {
			return fmt.Errorf("failed to parse instance ID %s: %w", machine.String("id"), err)
		}
		ids = append(ids, id)
	}
	slices.Sort(ids)
	s.pool.Infra.Spec.ProviderIDList = ids
	s.pool.Infra.Status.Replicas = int32(len(ids))
	return nil
}

// delete removes the pool from AKS.
func (s *poolService) delete(ctx context.Context) error {
	err := s.keeper.Remove(ctx, s.azure, s.id(), desired.ContainerServiceVersion)
	markDelete(s.pool.Infra, infrav1.AgentPoolsReadyCondition, agentPools, err)
	if err != nil {
		return fmt.Errorf("failed to delete machine pool %s: %w", s.name(), err)
	}
	return nil
}
