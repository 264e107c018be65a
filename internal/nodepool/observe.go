package nodepool

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/drain"
	"github.com/fleetwright/fleetwright/drain/ladder"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/freeze"
	"github.com/fleetwright/fleetwright/internal/nodepool/membership"
	"github.com/fleetwright/fleetwright/internal/nodepool/preflight"
	"github.com/fleetwright/fleetwright/internal/nodepool/replacement"
	"github.com/fleetwright/fleetwright/internal/workload"
)

// agentPoolLabel is AKS' own label of a node's pool.
const agentPoolLabel = workload.PoolLabel

// observation is one reading of everything a Nodepool depends on, and the plan
// that follows.
type observation struct {
	world   replacement.World
	plan    replacement.Plan
	cluster capi.Cluster
	// shared is true while the nodes are from a reading that began before this look.
	shared bool
	// live is true for a look past the cache, right before a write.
	live bool
	// holdChanges is when a Freeze begins or ends by its own times, zero when none
	// does.
	holdChanges time.Time
	// pools are the Nodepool's pools with what the planner does not need.
	pools map[string]capi.Pool
	// all are the cluster's pools, whoever they belong to.
	all []capi.Pool
	// nodes is the workload cluster's API, nil while it is not reachable.
	nodes kubernetes.Interface
	// drains are the evictions the drain engine would do, by pool object, and
	// policies what they were decided by.
	drains   map[string]drain.Plan
	policies map[string]drain.Policy
	// followed are the pools of which a drain that runs told, and no live look.
	followed map[string]bool
	// steps are what the ladder has done at this look, or had to say, and climbErr
	// what it could not do.
	steps    []ladder.Step
	climbErr error
}

// maxReadings bounds how often a plan may ask for more within one look; each
// answer asks for less than the one before.
const maxReadings = 16

// readNodes is how a look reads the Nodes of a workload cluster.
type readNodes func(context.Context, types.NamespacedName) (workload.Reading, error)

// look observes and decides. Pods, and what Azure has left, are read only when
// the plan asks for them.
func (r *Reconciler) look(ctx context.Context, reader client.Reader, np *fleetwrightv1.Nodepool) (*observation, error) {
	return r.lookWith(ctx, reader, true, r.Clusters.Nodes, np)
}

// firstLook is one that most often finds nothing to do, and may share its
// reading of the nodes with other Nodepools of the cluster. It reads them anew
// before it decides to do anything; see standsOnShared.
func (r *Reconciler) firstLook(ctx context.Context, np *fleetwrightv1.Nodepool) (*observation, error) {
	return r.lookWith(ctx, r.Client, false, r.Clusters.RecentNodes, np)
}

func (r *Reconciler) lookWith(ctx context.Context, reader client.Reader, live bool, nodes readNodes, np *fleetwrightv1.Nodepool) (*observation, error) {
	c, err := r.observeCluster(ctx, reader, nodes, clusterKey(np))
	if err != nil {
		return nil, err
	}
	c.live = live
	o := r.decideOn(ctx, c, r.observe(c, np), np)
	r.queue.note(np, replacement.WishOf(o.plan), r.Clock.Now())
	if o.plan.Action.Kind != replacement.None {
		if o.world.Ahead = r.queue.ahead(np, r.Clock.Now()); len(o.world.Ahead) > 0 {
			o = r.decideOn(ctx, c, o, np)
		}
	}
	return o, nil
}

// decideOn decides on what was observed, or on nodes read anew where that is
// not enough.
func (r *Reconciler) decideOn(ctx context.Context, c *clusterReading, o *observation, np *fleetwrightv1.Nodepool) *observation {
	if r.decide(ctx, o, np); !standsOnShared(o) {
		return o
	}
	c.read(ctx, r.Clusters.Nodes, clusterKey(np))
	anew := r.observe(c, np)
	anew.world.Ahead = o.world.Ahead
	r.decide(ctx, anew, np)
	return anew
}

// standsOnShared is true for a plan that cannot be left to a reading of the
// nodes that is seconds old: one that is carried out on this very look, or that
// asks for pods. What the drain engine reads anew by itself, the old nodes and
// their pods, is not all that an eviction rests on: the new nodes must be ready
// too. So nodes are never older than the pods, and nothing is opened, evicted
// or marked on a shared reading. Actions that need the slot are looked at anew
// anyway.
func standsOnShared(o *observation) bool {
	kind := o.plan.Action.Kind
	return o.shared && (len(o.plan.NeedsPods)+len(o.plan.NeedsFit) > 0 || kind != replacement.None && !needsSlot(o.plan.Action))
}

// decide plans, and reads what the plan asks for until it asks for nothing.
func (r *Reconciler) decide(ctx context.Context, o *observation, np *fleetwrightv1.Nodepool) {
	now := r.Clock.Now()
	for range maxReadings {
		o.plan = replacement.Next(o.world, now)
		if standsOnShared(o) || len(o.plan.NeedsPods)+len(o.plan.NeedsCount)+len(o.plan.NeedsFit) == 0 && !o.plan.NeedsAzure {
			return
		}
		for i := range o.world.Pools {
			if p := &o.world.Pools[i]; slices.Contains(o.plan.NeedsCount, p.Object) {
				p.Counted = r.countNodes(ctx, o, p.Object)
			}
		}
		if o.plan.NeedsAzure {
			o.world.Azure = r.observeAzure(ctx, o)
		}
		for _, of := range o.plan.NeedsPods {
			o.withoutPods(r.observePods(ctx, o, np, of, now))
		}
		if of := o.plan.NeedsFit; len(of) > 0 {
			o.withoutPods(r.observeFit(ctx, o, np, of, now))
		}
	}
}

// withoutPods keeps anything from being decided about pods that could not be read.
func (o *observation) withoutPods(err error) {
	switch {
	case errors.Is(err, capi.ErrInvalidDrainRule):
		o.world.Nodepool.BrokenRule = err.Error()
	case err != nil:
		o.world.Cluster.Unreachable = err.Error()
	}
}

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

// errPoolUnread is a plan that asks for the pods of a pool nobody read.
var errPoolUnread = errors.New("its nodes were not read")

func (r *Reconciler) observePods(ctx context.Context, o *observation, np *fleetwrightv1.Nodepool, of replacement.PodsOf, now time.Time) error {
	for i := range o.world.Pools {
		p := &o.world.Pools[i]
		if p.Object != of.Object || o.nodes == nil {
			continue
		}
		policy, err := r.drainPolicyOf(ctx, o.cluster, np, o.pools[of.Object])
		if err != nil {
			return err
		}
		o.policies[of.Object] = policy
		if r.follow(o, np, p, of, now) {
			return nil
		}
		snapshot, err := drain.Observe(ctx, o.nodes, refsOf(p.Nodes, of.Nodes), policy)
		if err != nil {
			return fmt.Errorf("read the pods of pool %s: %w", p.Name, err)
		}
		plan := drain.Decide(snapshot, policy, now)
		o.drains[of.Object], o.followed[of.Object] = plan, false
		p.Drain = viewDrain(of.Nodes, plan)
		// Volumes matter to pods that are to leave; to ask for them lists all pods of
		// the cluster, and nodes that were given up may be waited for for weeks.
		if plan.Remaining > 0 && (p.Drain.Elsewhere > 0 || !p.Drain.Closed) {
			if p.Drain.Pinned, err = r.pinned(ctx, o, np, of, snapshot, policy, now); err != nil {
				return fmt.Errorf("read the volumes of pool %s: %w", p.Name, err)
			}
		}
		return nil
	}
	return fmt.Errorf("read the pods of %s: %w", of.Object, errPoolUnread)
}

// follow takes the word of the drain that runs for a pool, which spares a reading
// of all pods. When the plan asks for the whole pool and a part of it is drained,
// that part is what matters; should it not be, the plan asks again, and a live
// look answers.
func (r *Reconciler) follow(o *observation, np *fleetwrightv1.Nodepool, p *replacement.Pool, of replacement.PodsOf, now time.Time) bool {
	order, word, runs := r.drains.following(client.ObjectKeyFromObject(np), np.UID, p.Object, now)
	part := of.Nodes == nil && order.of != nil && !p.Drain.Known
	if !runs || !reflect.DeepEqual(order.policy, o.policies[p.Object]) {
		return false // what it says is by a policy that counts no more
	}
	if !part && !slices.Equal(order.of, of.Nodes) || !slices.Equal(order.nodes, refsOf(p.Nodes, order.of)) {
		return false
	}
	o.drains[p.Object], o.followed[p.Object] = word.plan, true
	p.Drain = viewDrain(order.of, word.plan)
	p.Drain.Pinned = word.pinned
	return true
}

// refsOf are those of the nodes that are named; nil names all.
func refsOf(nodes []replacement.Node, named []string) []drain.NodeRef {
	refs := make([]drain.NodeRef, 0, len(nodes))
	for _, n := range nodes {
		if named == nil || slices.Contains(named, n.Name) {
			refs = append(refs, drain.NodeRef{Name: n.Name, UID: types.UID(n.UID)})
		}
	}
	return refs
}

func viewDrain(of []string, plan drain.Plan) replacement.Drain {
	out := replacement.Drain{
		Known: true, Of: of, Closed: plan.Cordoned(), Remaining: plan.Remaining, Elsewhere: plan.Remaining,
		Staying: plan.Staying(), Summary: plan.Summary, CheckAgain: plan.CheckAgain,
	}
	for _, n := range plan.Nodes {
		if n.Quarantined && n.Remaining > 0 {
			out.Quarantined = append(out.Quarantined, n.Name)
			out.Elsewhere -= n.Remaining
		}
	}
	return out
}
