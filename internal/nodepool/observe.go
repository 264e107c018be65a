package nodepool

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/drain"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/nodepool/membership"
	"github.com/fleetwright/fleetwright/internal/nodepool/replacement"
	"github.com/fleetwright/fleetwright/internal/workload"
)

// agentPoolLabel is AKS' own label of a node's pool.
const agentPoolLabel = "kubernetes.azure.com/agentpool"

// observation is one reading of everything a Nodepool depends on, and the plan
// that follows.
type observation struct {
	world replacement.World
	plan  replacement.Plan
	// pools are the Nodepool's pools with what the planner does not need.
	pools map[string]capi.Pool
	// nodes is the workload cluster's API, nil while it is not reachable.
	nodes kubernetes.Interface
	// drains are the evictions the drain engine would do, by pool object.
	drains map[string]drain.Plan
}

// look observes and decides. Pods are read only when the plan asks for them.
func (r *Reconciler) look(ctx context.Context, reader client.Reader, np *fleetwrightv1.Nodepool) (*observation, error) {
	o, err := r.observe(ctx, reader, np)
	if err != nil {
		return nil, err
	}
	now := r.Clock.Now()
	for o.plan = replacement.Next(o.world, now); len(o.plan.NeedsPods) > 0; o.plan = replacement.Next(o.world, now) {
		for _, object := range o.plan.NeedsPods {
			if err := r.observePods(ctx, o, np, object, now); err != nil {
				// Without the pods nothing is decided about them.
				o.world.Cluster.Unreachable = err.Error()
			}
		}
	}
	return o, nil
}

func (r *Reconciler) observe(ctx context.Context, reader client.Reader, np *fleetwrightv1.Nodepool) (*observation, error) {
	key := clusterKey(np)
	cluster, err := capi.ReadCluster(ctx, reader, key)
	if err != nil {
		return nil, err
	}
	all, err := capi.ReadPools(ctx, reader, key, r.Clock.Now())
	if err != nil {
		return nil, err
	}
	o := &observation{
		world: replacement.World{Nodepool: wanted(np, cluster), Cluster: viewCluster(cluster)},
		pools: map[string]capi.Pool{}, drains: map[string]drain.Plan{},
	}
	nodes, err := r.observeNodes(ctx, o, key, all)
	if err != nil {
		o.world.Cluster.Unreachable = err.Error()
	}
	o.addPools(np, all, nodes)
	return o, nil
}

// observeNodes reads the Nodes of the workload cluster, once there are any to
// read. An error means that nothing is known of them.
func (r *Reconciler) observeNodes(ctx context.Context, o *observation, key types.NamespacedName, pools []capi.Pool) ([]corev1.Node, error) {
	if !o.world.Cluster.Provisioned || o.world.Cluster.Deleting || len(pools) == 0 {
		return nil, nil
	}
	api, err := r.Clusters.Get(ctx, key)
	if err != nil {
		return nil, err
	}
	nodes, err := workload.ListNodes(ctx, api)
	if err != nil {
		r.Clusters.Forget(key)
		return nil, err
	}
	o.nodes = api
	return nodes, nil
}

func viewCluster(c capi.Cluster) replacement.Cluster {
	return replacement.Cluster{
		Name: c.Name, Found: c.Found, Deleting: c.Deleting, Provisioned: c.Provisioned,
		Version: c.Version, WantedVersion: c.WantedVersion, Operation: c.Operation,
	}
}

func (o *observation) addPools(np *fleetwrightv1.Nodepool, all []capi.Pool, nodes []corev1.Node) {
	members := matchNodes(all, nodes)
	byName := make(map[string]*corev1.Node, len(nodes))
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
			ProvisionStarted: p.ProvisionStarted, DrainStarted: p.DrainStarted,
			Size: p.Replicas, Members: listed, Unlisted: len(mine.Unlisted), Nodes: own, IdentityConflict: mine.Conflict,
		})
	}
}

func matchNodes(pools []capi.Pool, nodes []corev1.Node) map[string]membership.Members {
	claims := make([]membership.Pool, 0, len(pools))
	for _, p := range pools {
		claims = append(claims, membership.Pool{Name: p.Name, ProviderIDs: p.ProviderIDs})
	}
	said := make([]membership.Node, 0, len(nodes))
	for i := range nodes {
		said = append(said, membership.Node{
			Name: nodes[i].Name, ProviderID: nodes[i].Spec.ProviderID, PoolLabel: nodes[i].Labels[agentPoolLabel],
		})
	}
	return membership.Match(claims, said)
}

func viewNeighbour(p capi.Pool, nodes []replacement.Node) replacement.Neighbour {
	return replacement.Neighbour{
		Name: p.Name, Owner: p.Nodepool, Object: p.Object, Mode: p.Spec.Mode, Operation: p.Operation, Failure: p.Failure, Deleting: p.Deleting,
		ReadyNodes: replacement.Pool{Nodes: nodes}.ReadyNodes(),
	}
}

func viewNodes(names []string, byName map[string]*corev1.Node) []replacement.Node {
	out := make([]replacement.Node, 0, len(names))
	for _, name := range names {
		n := byName[name]
		_, ours := n.Annotations[fleetwrightv1.AnnotationCordoned]
		view := replacement.Node{
			Name: n.Name, UID: string(n.UID), ProviderID: n.Spec.ProviderID,
			Cordoned: n.Spec.Unschedulable, CordonedByUs: ours, Version: n.Status.NodeInfo.KubeletVersion,
		}
		for _, c := range n.Status.Conditions {
			if c.Type == corev1.NodeReady {
				view.Ready, view.ReadySince = c.Status == corev1.ConditionTrue, c.LastTransitionTime.Time
			}
		}
		if !n.DeletionTimestamp.IsZero() {
			view.Ready = false
		}
		out = append(out, view)
	}
	return out
}

// errPoolUnread is a plan that asks for the pods of a pool nobody read.
var errPoolUnread = errors.New("its nodes were not read")

func (r *Reconciler) observePods(ctx context.Context, o *observation, np *fleetwrightv1.Nodepool, object string, now time.Time) error {
	for i := range o.world.Pools {
		p := &o.world.Pools[i]
		if p.Object != object || o.nodes == nil {
			continue
		}
		refs := make([]drain.NodeRef, 0, len(p.Nodes))
		for _, n := range p.Nodes {
			refs = append(refs, drain.NodeRef{Name: n.Name, UID: types.UID(n.UID)})
		}
		snapshot, err := drain.Observe(ctx, o.nodes, refs, drain.Policy{})
		if err != nil {
			return fmt.Errorf("read the pods of pool %s: %w", p.Name, err)
		}
		snapshot.Refusals = r.refusals.of(np.UID)
		plan := drain.Decide(snapshot, drain.Policy{}, now)
		o.drains[object] = plan
		p.Drain = replacement.Drain{
			Known: true, Closed: plan.Cordoned(), Remaining: plan.Remaining, Staying: plan.Staying(), Summary: plan.Summary, CheckAgain: plan.CheckAgain,
		}
		return nil
	}
	return fmt.Errorf("read the pods of %s: %w", object, errPoolUnread)
}
