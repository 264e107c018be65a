package nodepool

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/fleetwright/fleetwright/internal/azure/broker"
	"github.com/fleetwright/fleetwright/internal/azure/capacity"
	"github.com/fleetwright/fleetwright/internal/azure/identity"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/nodepool/replacement"
)

// Azure is what a replacement asks of Azure besides what CAPZ does. An operator
// without credentials has none: then nothing is known, and no single machine is
// removed.
type Azure interface {
	capacity.Source
	// DeleteMachines starts the deletion of just these machines of a pool.
	DeleteMachines(ctx context.Context, agentPoolID string, machineNames []string) error
	// CountNodes is the number of nodes a pool has in Azure; settled is false while
	// an operation changes it.
	CountNodes(ctx context.Context, agentPoolID string) (count int32, settled bool, err error)
}

// Azures are the ways to Azure, by the identity that each cluster is managed with.
type Azures interface {
	// For is the way for a cluster, nil when there is no identity for it. Errors of
	// type *identity.Refusal say what a person has to change.
	For(ctx context.Context, cluster capi.Cluster) (Azure, error)
}

// sameFor is one way for every cluster.
type sameFor struct{ azure Azure }

func (s sameFor) For(context.Context, capi.Cluster) (Azure, error) { return s.azure, nil }

// azureOf is the way to Azure for a cluster, nil when there is none.
func (r *Reconciler) azureOf(ctx context.Context, c capi.Cluster) (Azure, error) {
	if r.Azure == nil {
		return nil, nil
	}
	return r.Azure.For(ctx, c)
}

// defaultMaxPods is AKS' for pools that name no number: 30 with a flat network,
// else 110 or 250, which take no address of the virtual network.
const defaultMaxPods = 30

// observeAzure reads what Azure has left for the wanted pool. What cannot be
// read limits nothing: Azure has the last word.
func (r *Reconciler) observeAzure(ctx context.Context, o *observation) replacement.Azure {
	cluster, w := o.cluster, o.world
	out := replacement.Azure{Asked: true, Room: capacity.Unlimited}
	if cluster.SubscriptionID == "" || cluster.Location == "" {
		return out
	}
	azure, err := r.azureOf(ctx, cluster)
	if refused, ok := errors.AsType[*identity.Refusal](err); ok {
		out.NoMachines = refused.Error()
		return out
	}
	// An identity that could not be read now is there all the same.
	if out.Machines = err != nil || azure != nil; azure == nil {
		return out
	}
	spec := w.Nodepool.Spec
	nodes, pods := cluster.SubnetIDs(spec)
	query := capacity.Query{
		SubscriptionID: cluster.SubscriptionID, Location: cluster.Location, MachineType: spec.MachineType,
		Spot: spec.Type == "Spot", Zones: spec.Zones, NodeSubnetID: nodes, PodSubnetID: pods,
		Since: lastChange(w),
	}
	if o.live {
		query.Since = r.Clock.Now() // what is decided now is written now
	}
	answer, _ := azure.Capacity(o.asking(ctx), query) // the parts that failed say so
	maxPods := spec.MaxPods
	if maxPods == 0 {
		maxPods = defaultMaxPods
	}
	room, limit := capacity.Nodes(query, answer, networking(cluster, query).PerNode(maxPods))
	if room == 0 && refused(query, answer) {
		out.Refused = limit
		return out
	}
	out.Room, out.Limit = room, limit
	return out
}

// asking says of requests to Azure for whom they are. A Nodepool that is short of
// nodes goes before everything else.
func (o *observation) asking(ctx context.Context) context.Context {
	call := broker.Call{Cluster: o.cluster.Namespace + "/" + o.cluster.Name, Region: o.cluster.Location}
	if short(o.world) {
		call.Priority = broker.PriorityScaleUp
	}
	return broker.For(ctx, call)
}

// short is true for a Nodepool that was made and has fewer nodes than it asks for,
// or none, as when Azure has taken all of Spot: a pool that takes over from another
// one is not what makes it so. Nodes that could not be read are not missing.
func short(w replacement.World) bool {
	nodes, made, least := 0, false, w.Nodepool.Spec.Replicas
	if s := w.Nodepool.Spec.Scaling; s != nil {
		least = &s.Min
	}
	for _, p := range w.Pools {
		if !p.Deleting {
			nodes += len(p.Nodes)
			made = made || p.Provisioned || len(p.Nodes) > 0
		}
	}
	counted := w.Cluster.Provisioned && !w.Cluster.Deleting && w.Cluster.Unreachable == ""
	return made && counted && least != nil && nodes < int(*least)
}

// lastChange is when this Nodepool last changed what Azure has left.
func lastChange(w replacement.World) (last time.Time) {
	for _, p := range w.Pools {
		for _, at := range []time.Time{p.ProvisionStarted, p.Updated} {
			if at.After(last) {
				last = at
			}
		}
	}
	return last
}

// refused is true when the machine type cannot be had at all.
func refused(q capacity.Query, a capacity.Answer) bool {
	only := capacity.Answer{SKU: a.SKU}
	room, _ := capacity.Nodes(q, only, capacity.Addresses{})
	return room == 0
}

func networking(c capi.Cluster, q capacity.Query) capacity.Networking {
	switch {
	case strings.EqualFold(c.NetworkPlugin, "kubenet"):
		return capacity.Kubenet
	case strings.EqualFold(c.NetworkPluginMode, "overlay"):
		return capacity.Overlay
	case q.PodSubnetID != "":
		return capacity.PodSubnet
	case c.NetworkPlugin == "":
		return capacity.Overlay // what AKS makes of a cluster that names none takes no addresses for pods
	}
	return capacity.Flat
}

// deleteMachines removes the emptied machines of a batch.
func (r *Reconciler) deleteMachines(ctx context.Context, o *observation) error {
	azure, id, err := r.pool(ctx, o)
	if err != nil {
		return err
	}
	names := make([]string, 0, len(o.plan.Action.Nodes))
	for _, n := range o.plan.Action.Nodes {
		names = append(names, n.Name)
	}
	return azure.DeleteMachines(o.asking(ctx), id, names)
}

// matchSize writes Azure's own number down, so that asking for it again changes
// nothing. Anything else could make Azure choose machines to take away.
func (r *Reconciler) matchSize(ctx context.Context, o *observation, write func(int32) error) error {
	azure, id, err := r.pool(ctx, o)
	if err != nil {
		return err
	}
	count, settled, err := azure.CountNodes(o.asking(ctx), id)
	if err != nil || !settled {
		return err
	}
	return write(count)
}

// countNodes asks Azure how many nodes a pool has.
func (r *Reconciler) countNodes(ctx context.Context, o *observation, object string) replacement.Counted {
	out := replacement.Counted{Asked: true}
	azure, err := r.azureOf(ctx, o.cluster)
	id := o.pools[object].PoolID
	if err != nil || azure == nil || id == "" {
		return out
	}
	n, settled, err := azure.CountNodes(o.asking(ctx), id)
	if err == nil {
		out.Known, out.Nodes = settled, n
	}
	return out
}

// pool is the pool of the plan in Azure, and the way there.
func (r *Reconciler) pool(ctx context.Context, o *observation) (Azure, string, error) {
	azure, err := r.azureOf(ctx, o.cluster)
	if err != nil {
		return nil, "", err
	}
	p := o.pools[o.plan.Action.Object]
	if azure == nil || p.PoolID == "" {
		return nil, "", fmt.Errorf("the Azure resource id of pool %s is not known", p.Name)
	}
	return azure, p.PoolID, nil
}
