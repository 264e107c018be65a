package nodepool

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/fleetwright/fleetwright/internal/azure/capacity"
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

// defaultMaxPods is AKS' for pools that name no number: 30 with a flat network,
// else 110 or 250, which take no address of the virtual network.
const defaultMaxPods = 30

// observeAzure reads what Azure has left for the wanted pool. What cannot be
// read limits nothing: Azure has the last word.
func (r *Reconciler) observeAzure(ctx context.Context, o *observation) replacement.Azure {
	cluster, w := o.cluster, o.world
	out := replacement.Azure{Asked: true, Room: capacity.Unlimited}
	if r.Azure == nil || cluster.SubscriptionID == "" || cluster.Location == "" {
		return out
	}
	out.Machines = true
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
	answer, _ := r.Azure.Capacity(ctx, query) // the parts that failed say so
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
	id, err := r.poolID(o)
	if err != nil {
		return err
	}
	names := make([]string, 0, len(o.plan.Action.Nodes))
	for _, n := range o.plan.Action.Nodes {
		names = append(names, n.Name)
	}
	return r.Azure.DeleteMachines(ctx, id, names)
}

// matchSize writes Azure's own number down, so that asking for it again changes
// nothing. Anything else could make Azure choose machines to take away.
func (r *Reconciler) matchSize(ctx context.Context, o *observation, write func(int32) error) error {
	id, err := r.poolID(o)
	if err != nil {
		return err
	}
	count, settled, err := r.Azure.CountNodes(ctx, id)
	if err != nil || !settled {
		return err
	}
	return write(count)
}

// countNodes asks Azure how many nodes a pool has.
func (r *Reconciler) countNodes(ctx context.Context, o *observation, object string) replacement.Counted {
	out := replacement.Counted{Asked: true}
	id := o.pools[object].PoolID
	if r.Azure == nil || id == "" {
		return out
	}
	n, settled, err := r.Azure.CountNodes(ctx, id)
	if err == nil {
		out.Known, out.Nodes = settled, n
	}
	return out
}

func (r *Reconciler) poolID(o *observation) (string, error) {
	p := o.pools[o.plan.Action.Object]
	if r.Azure == nil || p.PoolID == "" {
		return "", fmt.Errorf("the Azure resource id of pool %s is not known", p.Name)
	}
	return p.PoolID, nil
}
