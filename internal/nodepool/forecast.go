package nodepool

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/drain"
	"github.com/fleetwright/fleetwright/internal/nodepool/preflight"
	"github.com/fleetwright/fleetwright/internal/nodepool/replacement"
)

// forecastAge is how long what was found on old nodes is told and used: volumes
// and selectors of running pods hardly change, and reading them is dear.
const forecastAge = time.Minute

// forecastTimeout is how long the status waits for a forecast, a fraction of what
// a reconcile has.
const forecastTimeout = 20 * time.Second

// forecasts keep what the last preflight of a pool found. Losing them at a
// restart makes it be read again.
type forecasts struct {
	mu sync.Mutex
	by map[types.UID]map[string]forecast
}

// forecast is what was found by the drain policy of one generation of the spec.
type forecast struct {
	at         time.Time
	generation int64
	report     preflight.Report
}

func (f *forecasts) of(np *fleetwrightv1.Nodepool, object string, now time.Time) (preflight.Report, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	kept, found := f.by[np.UID][object]
	return kept.report, found && kept.generation == np.Generation && now.Sub(kept.at) < forecastAge
}

func (f *forecasts) keep(np *fleetwrightv1.Nodepool, object string, report preflight.Report, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.by == nil {
		f.by = map[types.UID]map[string]forecast{}
	}
	for uid, of := range f.by {
		maps.DeleteFunc(of, func(_ string, kept forecast) bool { return now.Sub(kept.at) > rememberedFor })
		if len(of) == 0 {
			delete(f.by, uid)
		}
	}
	if f.by[np.UID] == nil {
		f.by[np.UID] = map[string]forecast{}
	}
	f.by[np.UID][object] = forecast{now, np.Generation, report}
}

// forget drops what is kept of a Nodepool that is done or gone.
func (f *forecasts) forget(nodepool types.UID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.by, nodepool)
}

// pinned is the number of pods per zone that a volume keeps there. Of a part of a
// pool, which is another one each time, nothing is kept.
func (r *Reconciler) pinned(ctx context.Context, o *observation, np *fleetwrightv1.Nodepool, of replacement.PodsOf, snapshot drain.Snapshot, policy drain.Policy, now time.Time) (map[string]int, error) {
	whole := of.Nodes == nil
	if report, found := r.forecasts.of(np, of.Object, now); found && whole {
		return report.ZonesNeeded, nil
	}
	complete, err := preflight.Complete(ctx, o.nodes, snapshot)
	if err != nil {
		return nil, err
	}
	report := preflight.Look(complete, policy, now)
	if whole {
		r.forecasts.keep(np, of.Object, report, now)
	}
	return report.ZonesNeeded, nil
}

// foresee tells what draining the old pool would meet, before anything of it is
// closed. What could not be read is no reason to stop: nothing is decided by it.
func (r *Reconciler) foresee(ctx context.Context, o *observation, np *fleetwrightv1.Nodepool) (preflight.Report, bool, error) {
	pool := leaving(o)
	if pool == nil || o.nodes == nil || o.world.Cluster.Unreachable != "" {
		return preflight.Report{}, false, nil
	}
	now := r.Clock.Now()
	if report, found := r.forecasts.of(np, pool.Object, now); found {
		return report, true, nil
	}
	if !pool.DrainStarted.IsZero() {
		return preflight.Report{}, false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, forecastTimeout)
	defer cancel()
	report, err := r.lookAhead(ctx, o, np, pool, now)
	if err != nil {
		return preflight.Report{}, false, fmt.Errorf("look ahead at the pods of pool %s: %w", pool.Name, err)
	}
	r.forecasts.keep(np, pool.Object, report, now)
	return report, true, nil
}

// lookAhead says where the pods would go only once the nodes are there that will
// take them, and by an answer that this look has already, if there is one. A look
// that asked about other nodes had that for its own; it is not all done twice.
func (r *Reconciler) lookAhead(ctx context.Context, o *observation, np *fleetwrightv1.Nodepool, pool *replacement.Pool, now time.Time) (preflight.Report, error) {
	of, nodes := []replacement.PodsOf{{Object: pool.Object}}, refsOf(pool.Nodes, nil)
	if found, known := r.fits.of(np, of, nodes, now); known && found.fit.About(of) && takesOver(o) {
		return found.report, nil
	}
	asked := slices.ContainsFunc(o.world.Fits, func(f replacement.Fit) bool { return !f.About(of) })
	if takesOver(o) && !asked {
		found, err := r.findPlaces(ctx, o, np, of, nodes, now)
		return found.report, err
	}
	release, err := r.fits.search(ctx)
	if err != nil {
		return preflight.Report{}, err
	}
	defer release()
	snapshot, policy, err := r.readPods(ctx, o, np, of, nodes)
	if err != nil {
		return preflight.Report{}, err
	}
	return preflight.Look(snapshot, policy, now), nil
}

// takesOver is true once the pool is there that the pods of the one that leaves may
// go to, or when none is to take over.
func takesOver(o *observation) bool {
	for _, p := range o.world.Pools {
		if p.Object == o.plan.Wanted {
			return p.ReadyNodes() > 0 && (p.Size == nil || p.ReadyNodes() >= int(*p.Size))
		}
	}
	return o.world.Nodepool.Deleting
}

// leaving is the pool that a replacement empties, nil when none is.
func leaving(o *observation) *replacement.Pool {
	objects := o.plan.Outgoing
	for i := range o.world.Pools {
		p := &o.world.Pools[i]
		for _, object := range objects {
			if p.Object == object && len(p.Nodes) > 0 && !p.Deleting {
				return p
			}
		}
	}
	return nil
}

func forecastStatus(report preflight.Report, peak int) fleetwrightv1.ReplacementForecast {
	out := fleetwrightv1.ReplacementForecast{Nodes: count32(report.Nodes), Pods: count32(report.PodsToMove)}
	if peak > 0 {
		out.PeakNodes = count32(peak)
	}
	if report.WithoutEnd == 0 {
		out.DrainSecondsLow, out.DrainSecondsHigh = seconds(report.Estimate.Low), seconds(report.Estimate.High)
	}
	for _, w := range report.Warnings() {
		if len(out.Warnings) == maxListed {
			break
		}
		out.Warnings = append(out.Warnings, clip(w, maxValue))
	}
	return out
}

func seconds(d time.Duration) *int32 { return count32(int(d.Round(time.Second).Seconds())) }
