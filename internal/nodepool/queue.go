package nodepool

import (
	"cmp"
	"slices"
	"time"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/nodepool/replacement"
)

// claim is a Nodepool's wish for its cluster's slot.
type claim struct {
	nodepool *fleetwrightv1.Nodepool
	plan     replacement.Plan
}

// rank orders wishes: more nodes are needed now; a change in place is short;
// what has begun ends before something else begins.
func (c claim) rank() int {
	switch a := c.plan.Action; {
	case a.Grows:
		return 0
	case a.Kind == replacement.UpdatePool, a.Kind == replacement.AdoptPool:
		return 1
	case a.Kind != replacement.CreatePool:
		return 2
	}
	return 3
}

func (c claim) compare(o claim) int {
	return cmp.Or(
		cmp.Compare(c.rank(), o.rank()),
		c.nodepool.CreationTimestamp.Compare(o.nodepool.CreationTimestamp.Time),
		cmp.Compare(c.nodepool.Name, o.nodepool.Name))
}

// ahead are the Nodepools of the cluster whose turn comes before this one's, in
// order. It is worked out from what they would do now, not kept anywhere, so
// that all of them come to the same order. Pods are not read for it: a deletion
// that depends on them takes its turn when it is due. One whose last write
// failed lets the others pass.
func (r *Reconciler) ahead(c *clusterReading, np *fleetwrightv1.Nodepool, plan replacement.Plan) []replacement.Turn {
	mine := claim{np, plan}
	now := r.Clock.Now()
	var before []claim
	for i := range c.nodepools {
		other := &c.nodepools[i]
		if other.Name == np.Name || r.failures.recent(other.UID, now) {
			continue
		}
		wish := claim{other, replacement.Next(r.observe(c, other).withoutAzure(), now)}
		if needsSlot(wish.plan.Action) && wish.compare(mine) < 0 {
			before = append(before, wish)
		}
	}
	slices.SortFunc(before, claim.compare)
	turns := make([]replacement.Turn, 0, len(before))
	for _, b := range before {
		turns = append(turns, replacement.Turn{Nodepool: b.nodepool.Name, Purpose: b.plan.Message})
	}
	return turns
}

// withoutAzure is the world with no limit of Azure's: what it has left is asked
// for when the turn comes.
func (o *observation) withoutAzure() replacement.World {
	w := o.world
	w.Azure = replacement.Azure{Asked: true, Room: 1 << 30, Machines: true}
	return w
}

// failurePause is how long a Nodepool whose write failed lets others pass.
const failurePause = 2 * time.Minute
