package nodepool

import (
	"context"
	"errors"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/drain"
	"github.com/fleetwright/fleetwright/drain/ladder"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/nodepool/replacement"
	"github.com/fleetwright/fleetwright/internal/workload"
)

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
