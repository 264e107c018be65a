package nodepool

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/drain"
	"github.com/fleetwright/fleetwright/internal/nodepool/replacement"
)

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
