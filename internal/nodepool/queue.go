package nodepool

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/nodepool/replacement"
)

// queue orders the Nodepools of a cluster that wait for its one slot. It holds
// what each would have done at its last look, and for no longer than it would
// have looked again: who cannot go on stands in nobody's way. Losing it at a
// restart costs the order until all have looked once.
type queue struct {
	mu     sync.Mutex
	claims map[types.NamespacedName]map[types.UID]claim
}

// claim is a Nodepool's wish for its cluster's slot.
type claim struct {
	name    string
	created metav1.Time
	wish    replacement.Wish
	at      time.Time
}

// claimAge is how long a wish is believed. Who waits for the slot looks again
// every 15 seconds at the latest.
const claimAge = 45 * time.Second

// note takes down what a Nodepool wishes for; nil is nothing.
func (q *queue) note(np *fleetwrightv1.Nodepool, wish *replacement.Wish, now time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	of := q.claims[clusterKey(np)]
	maps.DeleteFunc(of, func(_ types.UID, c claim) bool { return now.Sub(c.at) > rememberedFor })
	if wish == nil {
		if delete(of, np.UID); len(of) == 0 {
			delete(q.claims, clusterKey(np))
		}
		return
	}
	if q.claims == nil {
		q.claims = map[types.NamespacedName]map[types.UID]claim{}
	}
	if of == nil {
		of = map[types.UID]claim{}
		q.claims[clusterKey(np)] = of
	}
	of[np.UID] = claim{np.Name, np.CreationTimestamp, *wish, now}
}

// ahead are the Nodepools of the cluster whose turn comes before this one's, in
// order: more nodes first, then what is short, then what has begun, and of
// equals the older Nodepool.
func (q *queue) ahead(np *fleetwrightv1.Nodepool, now time.Time) []replacement.Turn {
	q.mu.Lock()
	defer q.mu.Unlock()
	of := q.claims[clusterKey(np)]
	mine, waits := of[np.UID]
	if !waits {
		return nil
	}
	var before []claim
	for uid, other := range of {
		if uid != np.UID && now.Sub(other.at) < claimAge && other.compare(mine) < 0 {
			before = append(before, other)
		}
	}
	slices.SortFunc(before, claim.compare)
	turns := make([]replacement.Turn, 0, len(before))
	for _, b := range before {
		turns = append(turns, replacement.Turn{Nodepool: b.name, Purpose: b.wish.Purpose})
	}
	return turns
}

func (c claim) compare(o claim) int {
	return cmp.Or(cmp.Compare(c.wish.Rank, o.wish.Rank), c.created.Compare(o.created.Time), cmp.Compare(c.name, o.name))
}
