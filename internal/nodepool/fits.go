package nodepool

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/drain"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/nodepool/fit"
	"github.com/fleetwright/fleetwright/internal/nodepool/preflight"
	"github.com/fleetwright/fleetwright/internal/nodepool/replacement"
)

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
		var err error
		if found, err = r.findPlaces(ctx, o, np, of, nodes, now); err != nil {
			return fmt.Errorf("look for a place for the pods of pool %s: %w", of[0].Object, err)
		}
		if len(of) == 1 && of[0].Nodes == nil {
			r.forecasts.keep(np, of[0].Object, found.report, now)
		}
	}
	o.world.Fits = append(o.world.Fits, found.fit)
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

// findPlaces tells what emptying the nodes would meet and whether their pods fit
// elsewhere, and keeps the answer. That the scheduler's plugins do not work is an
// answer, and no word on the API server.
func (r *Reconciler) findPlaces(
	ctx context.Context, o *observation, np *fleetwrightv1.Nodepool, of []replacement.PodsOf, nodes []drain.NodeRef, now time.Time,
) (answer, error) {
	release, err := r.fits.search(ctx)
	if err != nil {
		return answer{}, err
	}
	defer release()
	began := r.Clock.Now()
	snapshot, policy, err := r.readPods(ctx, o, np, of, nodes)
	if err != nil {
		return answer{}, err
	}
	world, err := snapshot.Fit(ctx, o.nodes, policy, now)
	if err != nil {
		return answer{}, err
	}
	world.Growth = growth(o, of, world.Nodes)
	found := answer{nodes: nodes, report: preflight.Look(snapshot, policy, now)}
	switch places, err := fit.Check(ctx, world); {
	case err == nil:
		found.fit, found.report.Fit = viewFit(of, places), &places
	case ctx.Err() != nil:
		return answer{}, err
	default:
		found.fit = replacement.Fit{Of: of, Untold: err.Error()}
	}
	done := r.Clock.Now()
	r.fits.keep(np, found, done.Sub(began), done)
	return found, nil
}

// readPods reads all pods of the cluster once.
func (r *Reconciler) readPods(
	ctx context.Context, o *observation, np *fleetwrightv1.Nodepool, of []replacement.PodsOf, nodes []drain.NodeRef,
) (preflight.Snapshot, drain.Policy, error) {
	if o.nodes == nil {
		return preflight.Snapshot{}, drain.Policy{}, errPoolUnread
	}
	// Rules can be for the pods of one pool. Where several leave at once, the oldest's are those of all.
	policy, err := r.drainPolicyOf(ctx, o.cluster, np, o.pools[of[0].Object])
	if err != nil {
		return preflight.Snapshot{}, drain.Policy{}, err
	}
	snapshot, err := preflight.Observe(ctx, o.nodes, nodes, policy)
	return snapshot, policy, err
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
