package capi

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/fleetwright/fleetwright/internal/agentpool"
)

// Pool is a provider pool: a MachinePool and its infrastructure object, told
// together.
type Pool struct {
	// Object is the name both have, Name the AKS agent pool's.
	Object, Name string
	// UID is the MachinePool's, empty when it is missing; InfraUID likewise.
	UID, InfraUID types.UID
	// Flavor is the kind of its infrastructure object.
	Flavor string
	// PoolID is the agent pool's Azure resource id, empty while it is not known.
	PoolID string
	// SubnetID and PodSubnetID are the Azure resource ids of the subnets its nodes
	// and pods get their addresses from, empty while they are not known.
	SubnetID, PodSubnetID string
	Created               time.Time
	// Since is when the pool was asked for: clusterctl's move makes its objects
	// anew.
	Since    time.Time
	Deleting bool
	// Nodepool and NodepoolUID say whose it is; empty for pools that people
	// made.
	Nodepool, NodepoolUID string
	Fingerprint           string
	// Topology is true when the Cluster's topology makes the pool.
	Topology bool
	// Unmarked is true when one of its two objects does not say whose it is: Adopt
	// was cut off, or somebody took the marks off.
	Unmarked         bool
	ProvisionStarted time.Time
	DrainStarted     time.Time
	// EmptySince is when it was found empty on its way out, zero while it is not.
	EmptySince time.Time
	// ReplacesNodes is the number of nodes that served when it was made in their
	// place, 0 when that is not known.
	ReplacesNodes int32
	// Carried are the autoscaler's bounds from before the pool was kept from
	// growing, nil when it never was.
	Carried *agentpool.Scaling
	Spec    agentpool.Spec
	// PublicName is the value of label fleetwright.io/nodepool on its nodes, by which tenants select it; empty for none. It stays on a pool that was
	// let go of.
	PublicName string
	// MachineLabels are those of the MachinePool's template.
	MachineLabels map[string]string
	// ProviderIDs are the machines CAPZ lists for the pool.
	ProviderIDs []string
	// Ready is the infrastructure's contract field: Azure made the pool.
	Ready bool
	// Operation is what Azure does with the pool (Creating, Updating,
	// Deleting), or empty; a refused deletion is none.
	Operation string
	// OperationSince is when the provider first said so, zero when it does not tell.
	OperationSince time.Time
	// Failure is Azure's last refusal, or empty; FailureSince is when CAPZ first
	// said it in these words.
	Failure      string
	FailureSince time.Time
	// Replicas is the number of nodes the pool aims at, which CAPZ writes back
	// while the autoscaler chooses it.
	Replicas *int32
	// Unsettled is true while a number that the pool got in place of its autoscaler
	// may still be lost: Settle has to be called until it is not.
	Unsettled bool

	// pinned and countLeft are what Flavor.Pin and LeaveCount wrote.
	pinned    *int32
	countLeft bool

	// made is the flavour's own proof that Azure has it.
	made bool
	// Updated is when we last wrote to one of the objects, zero when never.
	Updated time.Time
}

// Complete is true when both objects exist.
func (p Pool) Complete() bool { return p.UID != "" && p.InfraUID != "" }

// Made is true when Azure has the pool. CAPZ takes ready back whenever Azure
// fails; machines prove that the pool was made.
func (p Pool) Made() bool { return p.Ready || p.made || len(p.ProviderIDs) > 0 }

// updateGrace is how long a write of ours counts as an operation in flight when
// CAPZ shows none: it has to notice the change first.
const updateGrace = 30 * time.Second

// ReadPools reads all pools of the cluster, by name of their objects.
func (c Cluster) ReadPools(ctx context.Context, reader client.Reader, now time.Time) ([]Pool, error) {
	var machinePools clusterv1.MachinePoolList
	if err := reader.List(ctx, &machinePools, client.InNamespace(c.Namespace)); err != nil {
		return nil, fmt.Errorf("list MachinePools of %s/%s: %w", c.Namespace, c.Name, err)
	}
	infra, err := c.listPools(ctx, reader)
	if err != nil {
		return nil, err
	}
	var out []Pool
	add := func(mp *clusterv1.MachinePool, o *unstructured.Unstructured, f Flavor) error {
		related, err := readRelated(ctx, reader, f, o)
		if err != nil {
			return err
		}
		out = append(out, c.viewPool(Objects{mp, o, related, f}, now))
		return nil
	}
	for i := range machinePools.Items {
		mp := &machinePools.Items[i]
		ref := mp.Spec.Template.Spec.InfrastructureRef
		f := flavorOfPool(ref.Kind)
		if mp.Spec.ClusterName != c.Name || f == nil {
			continue
		}
		key := poolKey{ref.Kind, ref.Name}
		if err := add(mp, infra[key], f); err != nil {
			return nil, err
		}
		delete(infra, key)
	}
	for key, lone := range infra {
		// Only those that say which cluster they belong to; a person's object
		// that waits for its MachinePool does not.
		if ClusterOf(lone) != c.Name {
			continue
		}
		if err := add(nil, lone, flavorOfPool(key.kind)); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(out, func(a, b Pool) int { return strings.Compare(a.Object, b.Object) })
	return out, nil
}

// viewPool is a pool with what only its cluster tells.
func (c Cluster) viewPool(o Objects, now time.Time) Pool {
	p := o.View(now)
	p.PoolID = cmp.Or(p.PoolID, c.PoolID(p.Name))
	p.SubnetID = cmp.Or(p.SubnetID, c.subnetID(cmp.Or(p.Spec.Subnet, c.nodeSubnet)))
	p.PodSubnetID = cmp.Or(p.PodSubnetID, c.subnetID(p.Spec.PodSubnet))
	return p
}
