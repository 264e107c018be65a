package nodepool

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/drain"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/nodepool/fit"
	"github.com/fleetwright/fleetwright/internal/nodepool/preflight"
	"github.com/fleetwright/fleetwright/internal/nodepool/replacement"
)

// fitAge is how long an answer counts that was found by reading all pods of a
// cluster: the looks before one action ask the same, and so does each look while
// pods have no place. One that took longer than a second counts fitAge times as
// many, so that a large cluster that waits costs a thirtieth of a processor.
const fitAge = 30 * time.Second

// fits keep the last answer of each Nodepool. Losing them makes it be looked for
// again.
type fits struct {
	mu sync.Mutex
	by map[types.UID]answer
}

// answer is by the drain policy of one generation of the spec, and for just these
// nodes.
type answer struct {
	at         time.Time
	lasts      time.Duration
	generation int64
	nodes      []drain.NodeRef
	fit        replacement.Fit
}

func (f *fits) of(np *fleetwrightv1.Nodepool, of []replacement.PodsOf, nodes []drain.NodeRef, now time.Time) (replacement.Fit, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	a := f.by[np.UID]
	return a.fit, a.fit.About(of) && a.generation == np.Generation && slices.Equal(a.nodes, nodes) && now.Sub(a.at) < a.lasts
}

func (f *fits) keep(np *fleetwrightv1.Nodepool, nodes []drain.NodeRef, found replacement.Fit, took time.Duration, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.by == nil {
		f.by = map[types.UID]answer{}
	}
	f.by[np.UID] = answer{now, max(fitAge, took*time.Duration(fitAge.Seconds())), np.Generation, nodes, found}
}

// forget drops what is kept of a Nodepool that is done or gone.
func (f *fits) forget(nodepool types.UID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.by, nodepool)
}

// skipsFitCheck is true when a person wants the pods of this very spec to move, place or no place.
func skipsFitCheck(np *fleetwrightv1.Nodepool) bool {
	return np.Generation > 0 && np.Annotations[fleetwrightv1.AnnotationSkipFitCheck] == strconv.FormatInt(np.Generation, 10)
}

// observeFit looks for a place for pods that are to leave.
func (r *Reconciler) observeFit(ctx context.Context, o *observation, np *fleetwrightv1.Nodepool, of []replacement.PodsOf, now time.Time) error {
	var nodes []drain.NodeRef
	for _, some := range of {
		if p := poolOf(o, some.Object); p != nil {
			nodes = append(nodes, refsOf(p.Nodes, some.Nodes)...)
		}
	}
	found, known := r.fits.of(np, of, nodes, now)
	if !known {
		report, err := r.findPlaces(ctx, o, np, of, nodes, now)
		if err != nil {
			return fmt.Errorf("look for a place for the pods of pool %s: %w", of[0].Object, err)
		}
		found = viewFit(of, *report.Fit)
		done := r.Clock.Now()
		r.fits.keep(np, nodes, found, done.Sub(now), done)
		if len(of) == 1 && of[0].Nodes == nil {
			r.forecasts.keep(np, of[0].Object, report, now)
		}
	}
	o.world.Fits = append(o.world.Fits, found)
	return nil
}

func poolOf(o *observation, object string) *replacement.Pool {
	for i := range o.world.Pools {
		if p := &o.world.Pools[i]; p.Object == object {
			return p
		}
	}
	return nil
}

func viewFit(of []replacement.PodsOf, report fit.Report) replacement.Fit {
	out := replacement.Fit{Of: of, Unfit: report.Unfit, Short: report.Short}
	if len(report.Misfits) > 0 {
		worst := report.Misfits[0]
		out.Worst, out.Alike, out.Why = worst.Namespace+"/"+worst.Name, worst.Pods, worst.Message
	}
	return out
}

// findPlaces reads all pods of the cluster once, and tells what emptying the nodes
// would meet and whether their pods fit elsewhere.
func (r *Reconciler) findPlaces(
	ctx context.Context, o *observation, np *fleetwrightv1.Nodepool, of []replacement.PodsOf, nodes []drain.NodeRef, now time.Time,
) (preflight.Report, error) {
	if o.nodes == nil {
		return preflight.Report{}, errPoolUnread
	}
	// Rules can be for the pods of one pool. Where several leave at once, the oldest's are those of all.
	policy, err := r.drainPolicyOf(ctx, o.cluster, np, o.pools[of[0].Object])
	if err != nil {
		return preflight.Report{}, err
	}
	snapshot, err := preflight.Observe(ctx, o.nodes, nodes, policy)
	if err != nil {
		return preflight.Report{}, err
	}
	world, err := snapshot.Fit(ctx, o.nodes, policy, now)
	if err != nil {
		return preflight.Report{}, err
	}
	world.Growth = growth(o, of, world.Nodes)
	places, err := fit.Check(ctx, world)
	if err != nil {
		return preflight.Report{}, err
	}
	report := preflight.Look(snapshot, policy, now)
	report.Fit = &places
	return report, nil
}

// growth is how many nodes the autoscaler may add to the pools that stay, the one
// that takes over first, within what the cluster may have. A pool to which Azure
// refuses nodes gets none.
func growth(o *observation, leaving []replacement.PodsOf, nodes []*corev1.Node) []fit.Growth {
	have, most := replacement.CountNodes(o.world)
	room := max(most-have, 0)
	var out []fit.Growth
	for _, p := range wantedFirst(o) {
		if p.Deleting || slices.ContainsFunc(leaving, func(of replacement.PodsOf) bool { return of.Object == p.Object }) {
			continue
		}
		g := fit.Growth{Pool: p.Name}
		for _, n := range nodes {
			if n.Labels[agentPoolLabel] == p.Name {
				g.Like = append(g.Like, n.Name)
			}
		}
		if len(g.Like) == 0 {
			continue // what its nodes are like is not known
		}
		if p.Spec.Scaling != nil && p.Failure == "" {
			g.More = min(max(int(p.Spec.Scaling.Max)-max(len(g.Like), len(p.ProviderIDs)), 0), room)
			room -= g.More
		}
		out = append(out, g)
	}
	return out
}

func wantedFirst(o *observation) []capi.Pool {
	pools := slices.Clone(o.all)
	slices.SortStableFunc(pools, func(a, b capi.Pool) int {
		switch o.plan.Wanted {
		case a.Object:
			return -1
		case b.Object:
			return 1
		}
		return 0
	})
	return pools
}
