package nodepool

import (
	"context"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/drain"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/freeze"
	"github.com/fleetwright/fleetwright/internal/nodepool/membership"
	"github.com/fleetwright/fleetwright/internal/nodepool/preflight"
	"github.com/fleetwright/fleetwright/internal/nodepool/replacement"
	"github.com/fleetwright/fleetwright/internal/workload"
)

// agentPoolLabel is AKS' own label of a node's pool.
const agentPoolLabel = workload.PoolLabel

// clusterReading is what all Nodepools of a cluster have in common.
type clusterReading struct {
	live    bool
	cluster capi.Cluster
	pools   []capi.Pool
	frozen  freeze.Effect
	// seen is empty until there are nodes to read, and when unread says why nothing
	// is known of them.
	seen   workload.Reading
	unread error
}

func (r *Reconciler) observeCluster(ctx context.Context, reader client.Reader, nodes readNodes, key types.NamespacedName) (*clusterReading, error) {
	cluster, err := capi.ReadCluster(ctx, reader, key)
	if err != nil {
		return nil, err
	}
	pools, err := cluster.ReadPools(ctx, reader, r.Clock.Now())
	if err != nil {
		return nil, err
	}
	c := &clusterReading{cluster: cluster, pools: pools}
	// Past the cache: a Freeze made a moment ago counts.
	c.frozen = freeze.InEffect(ctx, r.Live, key.Namespace, cluster.Labels, r.Namespace, r.Clock.Now())
	c.read(ctx, nodes, key)
	return c, nil
}

func (r *Reconciler) observe(c *clusterReading, np *fleetwrightv1.Nodepool) *observation {
	o := &observation{
		world: replacement.World{Nodepool: wanted(np, c.cluster, c.frozen, r.Clock.Now()), Cluster: viewCluster(c.cluster)},
		pools: map[string]capi.Pool{}, drains: map[string]drain.Plan{}, policies: map[string]drain.Policy{}, followed: map[string]bool{}, cluster: c.cluster, holdChanges: c.frozen.CheckAgain,
		all: c.pools, nodes: c.seen.API, shared: c.seen.Shared, live: c.live,
	}
	if c.unread != nil {
		o.world.Cluster.Unreachable = c.unread.Error()
	}
	o.addPools(np, c.pools, c.seen.Nodes)
	o.world.Adoptable = adoptable(np, c.pools)
	return o
}

// read reads the Nodes of the workload cluster, once there are any to read. It
// does so for a Nodepool on hold, too, because its status goes on counting them.
func (c *clusterReading) read(ctx context.Context, nodes readNodes, key types.NamespacedName) {
	if c.cluster.Provisioned && !c.cluster.Deleting && len(c.pools) > 0 {
		c.seen, c.unread = nodes(ctx, key)
	}
}

func viewCluster(c capi.Cluster) replacement.Cluster {
	return replacement.Cluster{
		Name: c.Name, Found: c.Found, Deleting: c.Deleting, Provisioned: c.Provisioned,
		Version: c.Version, WantedVersion: c.WantedVersion, Operation: c.Operation, NodeCap: int(c.NodeCap),
	}
}

// adoptable are the pools that a Nodepool asks to take over, as they were found.
func adoptable(np *fleetwrightv1.Nodepool, pools []capi.Pool) []replacement.Adoptable {
	var out []replacement.Adoptable
	for _, name := range np.Spec.Adoption.MachinePools {
		a := replacement.Adoptable{Object: name}
		for _, p := range pools {
			if p.Object == name {
				mine := p.Nodepool == np.Name && p.NodepoolUID == string(np.UID)
				a = replacement.Adoptable{Object: name, Found: true, Owner: p.Nodepool, Mine: mine && !p.Unmarked, Topology: p.Topology, Name: p.Name, Spec: p.Spec}
				if mine {
					a.Owner = ""
				}
			}
		}
		out = append(out, a)
	}
	return out
}

func (o *observation) addPools(np *fleetwrightv1.Nodepool, all []capi.Pool, nodes []workload.Node) {
	members := matchNodes(all, nodes)
	byName := make(map[string]*workload.Node, len(nodes))
	for i := range nodes {
		byName[nodes[i].Name] = &nodes[i]
	}
	for _, p := range all {
		mine := members[p.Name]
		own := viewNodes(mine.Nodes, byName)
		listed := len(p.ProviderIDs)
		if p.InfraUID == "" {
			// CAPI's list is not kept up to date without CAPZ's: only what is still
			// seen of it counts.
			listed = len(own)
		}
		if p.Nodepool != np.Name || p.NodepoolUID != string(np.UID) {
			o.world.Others = append(o.world.Others, viewNeighbour(p, own))
			continue
		}
		o.pools[p.Object] = p
		o.world.Pools = append(o.world.Pools, replacement.Pool{
			Name: p.Name, Object: p.Object, UID: string(p.UID), Fingerprint: p.Fingerprint, Created: p.Created,
			Deleting: p.Deleting, Incomplete: !p.Complete(), Spec: p.Spec,
			Provisioned: p.Made(), Operation: p.Operation, Failure: p.Failure, FailureSince: p.FailureSince,
			OperationSince: p.OperationSince, Updated: p.Updated,
			ProvisionStarted: p.ProvisionStarted, DrainStarted: p.DrainStarted,
			EmptySince: p.EmptySince, Carried: p.Carried, Replaces: p.ReplacesNodes,
			Size: p.Replicas, Members: listed, Unlisted: len(mine.Unlisted), Nodes: own, IdentityConflict: mine.Conflict,
		})
	}
}

func matchNodes(pools []capi.Pool, nodes []workload.Node) map[string]membership.Members {
	claims := make([]membership.Pool, 0, len(pools))
	for _, p := range pools {
		claims = append(claims, membership.Pool{Name: p.Name, ProviderIDs: p.ProviderIDs})
	}
	said := make([]membership.Node, 0, len(nodes))
	for i := range nodes {
		said = append(said, membership.Node{
			Name: nodes[i].Name, ProviderID: nodes[i].ProviderID, PoolLabel: nodes[i].Labels[agentPoolLabel],
		})
	}
	return membership.Match(claims, said)
}

func viewNeighbour(p capi.Pool, nodes []replacement.Node) replacement.Neighbour {
	return replacement.Neighbour{
		Name: p.Name, Owner: p.Nodepool, Object: p.Object, Mode: p.Spec.Mode, Operation: p.Operation, OperationSince: p.OperationSince, Failure: p.Failure, Deleting: p.Deleting,
		Nodes: max(len(nodes), len(p.ProviderIDs)), ReadyNodes: replacement.Pool{Nodes: nodes}.ReadyNodes(),
	}
}

func viewNodes(names []string, byName map[string]*workload.Node) []replacement.Node {
	out := make([]replacement.Node, 0, len(names))
	for _, name := range names {
		n := byName[name]
		out = append(out, replacement.Node{
			Name: n.Name, UID: string(n.UID), ProviderID: n.ProviderID,
			Cordoned: n.Unschedulable, CordonedByUs: n.CordonedByUs, Quarantined: n.Quarantined, Version: n.KubeletVersion,
			Zone: preflight.ZoneOf(n.Labels), Ready: n.Ready && !n.Deleting, ReadySince: n.ReadySince,
		})
	}
	return out
}
