package nodepool

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/drain"
	"github.com/fleetwright/fleetwright/internal/nodepool/preflight"
	"github.com/fleetwright/fleetwright/internal/nodepool/replacement"
)

const (
	// fitAge is how long an answer counts that was found by reading all pods of a
	// cluster: the looks before one action ask the same, and so does each look while
	// pods have no place. One that took longer than a second counts fitAge times as
	// many, so that a large cluster that waits costs a thirtieth of a processor.
	fitAge = 30 * time.Second

	// unfitAge is the longest that pods may be said to have no place: somebody who
	// has made room looks for the rollout to go on.
	unfitAge = 3 * time.Minute

	// maxSearches is how many clusters are searched for places at once, by all
	// workers. Each holds all pods of one, of which 30,000 take tens of megabytes.
	maxSearches = 2
)

// maxAnswers are kept of a Nodepool: a step of a shift may ask about two numbers of
// nodes.
const maxAnswers = 2

// fits keep the last answers of each Nodepool. Losing them makes them be looked for
// again.
type fits struct {
	mu        sync.Mutex
	by        map[types.UID][]answer
	searching chan struct{}
}

// answer is by the drain policy of one generation of the spec, and for these nodes.
type answer struct {
	at         time.Time
	lasts      time.Duration
	generation int64
	nodes      []drain.NodeRef
	fit        replacement.Fit
	// report is what emptying the nodes would meet, places included.
	report preflight.Report
}

// of is an answer to what is asked of the nodes: the very same, or that more than
// these can be emptied.
func (f *fits) of(np *fleetwrightv1.Nodepool, of []replacement.PodsOf, nodes []drain.NodeRef, now time.Time) (answer, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, a := range f.by[np.UID] {
		if a.lives(np, now) && a.fit.Answers(of) && a.isOf(of, nodes) {
			return a, true
		}
	}
	return answer{}, false
}

func (a answer) lives(np *fleetwrightv1.Nodepool, now time.Time) bool {
	return a.generation == np.Generation && now.Sub(a.at) < a.lasts
}

// isOf compares the nodes themselves, which may have been made anew under a name.
func (a answer) isOf(of []replacement.PodsOf, nodes []drain.NodeRef) bool {
	if a.fit.About(of) {
		return slices.Equal(a.nodes, nodes)
	}
	return !slices.ContainsFunc(nodes, func(n drain.NodeRef) bool { return !slices.Contains(a.nodes, n) })
}

// keep is told how long it took to find the answer.
func (f *fits) keep(np *fleetwrightv1.Nodepool, a answer, took time.Duration, now time.Time) {
	a.at, a.generation, a.lasts = now, np.Generation, max(fitAge, took*time.Duration(fitAge.Seconds()))
	if a.fit.Unfit > 0 || a.fit.Untold != "" {
		a.lasts = min(a.lasts, unfitAge)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.by == nil {
		f.by = map[types.UID][]answer{}
	}
	kept := slices.DeleteFunc(f.by[np.UID], func(b answer) bool { return !b.lives(np, now) || b.fit.About(a.fit.Of) })
	f.by[np.UID] = append(kept[max(0, len(kept)+1-maxAnswers):], a)
}

// forget drops what is kept of a Nodepool that is done or gone.
func (f *fits) forget(nodepool types.UID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.by, nodepool)
}

// search waits for one of maxSearches turns, and returns how to give it back.
func (f *fits) search(ctx context.Context) (release func(), err error) {
	f.mu.Lock()
	if f.searching == nil {
		f.searching = make(chan struct{}, maxSearches)
	}
	turns := f.searching
	f.mu.Unlock()
	select {
	case turns <- struct{}{}:
		return func() { <-turns }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("wait until other clusters are searched: %w", ctx.Err())
	}
}
