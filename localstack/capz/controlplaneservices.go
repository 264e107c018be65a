package capz

import (
	"context"
	"fmt"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"

	infrav1 "sigs.k8s.io/cluster-api-provider-azure/api/v1beta1"
	clusterv1beta1 "sigs.k8s.io/cluster-api/api/core/v1beta1"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"

	"github.com/fleetwright/fleetwright/localstack/capz/armclient"
	"github.com/fleetwright/fleetwright/localstack/capz/desired"
	"github.com/fleetwright/fleetwright/localstack/capz/resource"
)

// controlPlaneServices is one round over everything in Azure that a control plane consists of, after
// controllers/azuremanagedcontrolplane_reconciler.go.
type controlPlaneServices struct {
	client  client.Client
	azure   *armclient.Client
	keeper  *resource.Keeper
	cluster *clusterv1.Cluster
	plane   *infrav1.AzureManagedControlPlane
	pools   []desired.Pool
}

// service is one kind of resource: CAPZ's name for it, the condition that reports it, and what it does.
type service struct {
	name      string
	condition clusterv1beta1.ConditionType
	put       func(context.Context) error
	remove    func(context.Context) error
}

// services returns the services in the order of creation.
func (s *controlPlaneServices) services() []service {
	return []service{
		{"group", infrav1.ResourceGroupReadyCondition, s.putGroups, s.removeGroups},
		{"virtualnetworks", infrav1.VNetReadyCondition, s.putNetwork, s.removeNetwork},
		{"subnets", infrav1.SubnetsReadyCondition, s.putSubnet, s.removeSubnet},
		{"managedcluster", infrav1.ManagedClusterRunningCondition, s.putManagedCluster, s.removeManagedCluster},
		// Nothing in the stand-in makes private endpoints, fleet members or extensions; CAPZ reports even none as ready.
		{"privateendpoints", infrav1.PrivateEndpointsReadyCondition, none, none},
		{"fleetsmember", infrav1.FleetReadyCondition, none, none},
		{"extension", infrav1.AKSExtensionsReadyCondition, none, none},
	}
}

func none(context.Context) error { return nil }

// reconcile creates and updates, one service after the other; a later one does not start before the earlier is done.
func (s *controlPlaneServices) reconcile(ctx context.Context) error {
	for _, each := range s.services() {
		err := each.put(ctx)
		markPut(s.plane, each.condition, each.name, err)
		if err != nil {
			return fmt.Errorf("failed to reconcile AzureManagedControlPlane service %s: %w", each.name, err)
		}
	}
	return nil
}

// delete deletes in the reverse order, each service wholly before the next.
func (s *controlPlaneServices) delete(ctx context.Context) error {
	for _, each := range slices.Backward(s.services()) {
		err := each.remove(ctx)
		markDelete(s.plane, each.condition, each.name, err)
		if err != nil {
			return fmt.Errorf("failed to delete AzureManagedControlPlane service %s: %w", each.name, err)
		}
	}
	return nil
}

// groups are the resource groups of the cluster and, where it is another, of its network.
func (s *controlPlaneServices) groups() []string {
	own, network := s.plane.Spec.ResourceGroupName, s.plane.Spec.VirtualNetwork.ResourceGroup
	if network != "" && network != own {
		return []string{own, network}
	}
	return []string{own}
}

func (s *controlPlaneServices) putGroups(ctx context.Context) error {
	for _, name := range s.groups() {
		_, err := s.keeper.Ensure(ctx, s.azure, resource.Spec{
			ID: desired.ResourceGroupID(s.plane, name), APIVersion: desired.GroupVersion,
			Desired: s.body(desired.ResourceGroup(s.plane, s.cluster.Name, name)), Adopt: s.owned,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *controlPlaneServices) removeGroups(ctx context.Context) error {
	for _, name := range s.groups() {
		if err := s.removeOwned(ctx, desired.ResourceGroupID(s.plane, name), desired.GroupVersion); err != nil {
			return err
		}
	}
	return nil
}

func (s *controlPlaneServices) putNetwork(ctx context.Context) error {
	_, err := s.keeper.Ensure(ctx, s.azure, resource.Spec{
		ID: desired.NetworkID(s.plane), APIVersion: desired.NetworkVersion,
		Desired: s.body(desired.Network(s.plane, s.cluster.Name)), Adopt: s.owned,
	})
	return err
}

func (s *controlPlaneServices) removeNetwork(ctx context.Context) error {
	return s.removeOwned(ctx, desired.NetworkID(s.plane), desired.NetworkVersion)
}

func (s *controlPlaneServices) subnetID() string {
	return desired.SubnetID(s.plane, s.plane.Spec.VirtualNetwork.Subnet.Name)
}

// putSubnet makes the subnet where it is missing, and changes it only in a network that CAPZ made: subnets have no tags.
func (s *controlPlaneServices) putSubnet(ctx context.Context) error {
	network, err := s.azure.Get(ctx, desired.NetworkID(s.plane), desired.NetworkVersion)
	if err != nil {
		return fmt.Errorf("get virtual network: %w", err)
	}
	_, err = s.keeper.Ensure(ctx, s.azure, resource.Spec{
		ID: s.subnetID(), APIVersion: desired.NetworkVersion,
		Desired: s.body(desired.Subnet(s.plane)),
		Adopt:   func(armclient.Body) bool { return s.owned(network) },
	})
	return err
}

func (s *controlPlaneServices) removeSubnet(ctx context.Context) error {
	network, err := s.azure.Get(ctx, desired.NetworkID(s.plane), desired.NetworkVersion)
	if armclient.IsNotFound(err) || err == nil && !s.owned(network) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("get virtual network: %w", err)
	}
	return s.keeper.Remove(ctx, s.azure, s.subnetID(), desired.NetworkVersion)
}

// removeOwned deletes a resource that carries this cluster's tag, and leaves any other alone.
func (s *controlPlaneServices) removeOwned(ctx context.Context, id, apiVersion string) error {
	existing, err := s.azure.Get(ctx, id, apiVersion)
	if armclient.IsNotFound(err) || err == nil && !s.owned(existing) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("get %s: %w", id, err)
	}
	return s.keeper.Remove(ctx, s.azure, id, apiVersion)
}

func (s *controlPlaneServices) owned(existing armclient.Body) bool {
	return desired.Owned(existing, s.cluster.Name)
}

func (*controlPlaneServices) body(body armclient.Body) func(armclient.Body) (armclient.Body, error) {
	return func(armclient.Body) (armclient.Body, error) { return body, nil }
}
