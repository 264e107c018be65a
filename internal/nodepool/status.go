package nodepool

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/blang/semver/v4"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/drain"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/nodepool/replacement"
	"github.com/fleetwright/fleetwright/internal/ownobject"
)

// report writes the status of what was seen, planned and done, also when acting
// failed, and speaks of it (events, counters) only once it is saved.
func (r *Reconciler) report(ctx context.Context, np *fleetwrightv1.Nodepool, o *observation, actErr error) error {
	before := np.DeepCopy()
	o.dateBlockers(before.Status.Replacement.Blockers, r.Clock.Now())
	np.Status = r.status(before, o, actErr)
	// Nothing is decided by the forecast, so what cannot be read is no reason to stop.
	report, known, err := r.foresee(ctx, o, np)
	if err != nil {
		logf.FromContext(ctx).Info("The forecast of the drain is missing", "error", err.Error())
	}
	if known {
		np.Status.Replacement.Forecast = forecastStatus(report, o.plan.PeakNodes)
	}
	if err := ownobject.WriteStatus(ctx, r.Client, before, np, capi.FieldOwner); err != nil {
		return err
	}
	actionsTotal.Count(string(o.plan.Action.Kind), actErr)
	r.announce(before, np, o, actErr)
	return nil
}

// status is a report made from scratch; the former one only lends the times at
// which conditions changed, and the debt counted so far.
func (r *Reconciler) status(np *fleetwrightv1.Nodepool, o *observation, actErr error) fleetwrightv1.NodepoolStatus {
	s := fleetwrightv1.NodepoolStatus{ObservedGeneration: np.Generation, Version: lowestVersion(o.world.Pools), Flavor: o.cluster.Flavor}
	if w := o.world.Nodepool.Window; w.Closed && !w.Opens.IsZero() {
		s.NextWindowTime = metav1.NewTime(w.Opens)
	}
	total, ready := 0, 0
	for _, p := range o.world.Pools {
		total += len(p.Nodes)
		ready += p.ReadyNodes()
		s.Pools = append(s.Pools, poolStatus(p, o.plan))
	}
	s.Pools = listPools(s.Pools)
	s.Replicas, s.ReadyReplicas = count32(total), count32(ready)
	s.Replacement = replacementStatus(o)
	s.DrainDebt = settleDebt(np.Status.DrainDebt, o.blockers(), r.Clock.Now())
	s.Conditions = conditions(np, o, worstBlocker(o, r.Clock.Now()), actErr, r.Clock.Now())
	return s
}

func poolStatus(p replacement.Pool, plan replacement.Plan) fleetwrightv1.NodepoolPoolStatus {
	role := fleetwrightv1.PoolRoleOutgoing
	switch {
	case p.Object == plan.Wanted && len(plan.Outgoing) == 0:
		role = fleetwrightv1.PoolRoleCurrent
	case p.Object == plan.Wanted:
		role = fleetwrightv1.PoolRoleIncoming
	}
	return fleetwrightv1.NodepoolPoolStatus{
		Name: p.Name, Role: role, MachinePool: p.Object, Version: lowestVersion([]replacement.Pool{p}),
		Replicas: count32(len(p.Nodes)), ReadyReplicas: count32(p.ReadyNodes()),
	}
}

// listPools keeps to the API's bounds: a status that breaks one is refused as a
// whole, just when there is something to tell. Two pools of one name are told
// of by condition Stalled.
func listPools(pools []fleetwrightv1.NodepoolPoolStatus) []fleetwrightv1.NodepoolPoolStatus {
	slices.SortStableFunc(pools, func(a, b fleetwrightv1.NodepoolPoolStatus) int { return strings.Compare(a.Name, b.Name) })
	pools = slices.CompactFunc(pools, func(a, b fleetwrightv1.NodepoolPoolStatus) bool { return a.Name == b.Name })
	return pools[:min(len(pools), maxPools)]
}

// Bounds of status, as the API's schema has them; messages are shorter than
// they might be, because events allow 1024 bytes.
const (
	maxPools   = 4
	maxListed  = 10
	maxValue   = 512
	maxMessage = 1000
	maxVersion = 64
	maxBudget  = 253
	maxOwner   = 320
	maxNode    = 253
)

func replacementStatus(o *observation) fleetwrightv1.ReplacementStatus {
	s := fleetwrightv1.ReplacementStatus{
		Step:     fleetwrightv1.ReplacementStep(o.plan.Step),
		Strategy: fleetwrightv1.ReplacementStrategy(o.plan.Strategy), StrategyMessage: clip(o.plan.StrategyMessage, maxValue),
	}
	for _, c := range o.plan.Changes {
		s.Changes = append(s.Changes, fleetwrightv1.ReplacementChange{
			Field: c.Field, From: clip(c.From, maxValue), To: clip(c.To, maxValue), Effect: fleetwrightv1.ChangeEffect(c.Effect),
		})
	}
	if len(o.plan.Outgoing) == 0 {
		return s
	}
	for _, p := range o.world.Pools {
		// The newest pool was made for it, whether it comes or is taken back.
		if len(o.world.Pools) > 1 && p.ProvisionStarted.After(s.StartedTime.Time) {
			s.StartedTime = metav1.NewTime(p.ProvisionStarted)
		}
	}
	nodes, drained, pods, known := 0, 0, 0, false
	var blockers []drain.Blocker
	for _, p := range o.world.Pools {
		if !slices.Contains(o.plan.Outgoing, p.Object) {
			continue
		}
		nodes += len(p.Nodes)
		plan, read := o.drains[p.Object]
		if !read && (p.Deleting || !p.EmptySince.IsZero()) {
			drained, known = drained+len(p.Nodes), true // it was empty then
		}
		known = known || read
		drained += plan.NodesEmpty()
		pods += plan.Remaining
		blockers = append(blockers, plan.Blockers...)
	}
	if s.NodesTotal = count32(nodes); known {
		s.NodesDrained, s.PodsRemaining, s.BlockersTotal = count32(drained), count32(pods), count32(len(blockers))
	}
	for _, b := range blockers[:min(len(blockers), maxListed)] {
		if b.Pod.Name == "" {
			continue
		}
		s.Blockers = append(s.Blockers, blockerStatus(b))
	}
	return s
}

// dateBlockers dates blockers whose beginning the cluster's own objects do not
// tell from the report that named them first. Without that report the time starts
// anew.
func (o *observation) dateBlockers(before []fleetwrightv1.DrainBlocker, now time.Time) {
	for object, plan := range o.drains {
		plan.Blockers = slices.Clone(plan.Blockers)
		for i := range plan.Blockers {
			if b := &plan.Blockers[i]; b.Since.IsZero() {
				b.Since = firstReported(*b, before, now)
			}
		}
		o.drains[object] = plan
	}
}

func firstReported(b drain.Blocker, before []fleetwrightv1.DrainBlocker, now time.Time) time.Time {
	for _, known := range before {
		if known.Namespace == b.Pod.Namespace && known.Pod == b.Pod.Name && known.Reason == string(b.Reason) && !known.SinceTime.IsZero() {
			return known.SinceTime.Time
		}
	}
	return now
}

// blockedAfter is how long a budget may refuse before it is called a blocker:
// refusing while a pod starts is what budgets are for. What can never pass is
// called a blocker at once.
const blockedAfter = 2 * time.Minute

func worstBlocker(o *observation, now time.Time) *drain.Blocker {
	for _, b := range o.blockers() {
		if b.Stuck(now, blockedAfter) {
			return &b
		}
	}
	return nil
}

func lowestVersion(pools []replacement.Pool) string {
	var versions []semver.Version
	for _, p := range pools {
		for _, n := range p.Nodes {
			if v, err := semver.ParseTolerant(n.Version); err == nil {
				versions = append(versions, v)
			}
		}
	}
	if len(versions) == 0 {
		return ""
	}
	return clip("v"+slices.MinFunc(versions, semver.Version.Compare).String(), maxVersion)
}

// clip keeps a text within a bound, in bytes.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most-len("...")], "") + "..."
}

func count32(n int) *int32 { return ptr.To(int32(min(max(n, 0), 1<<31-1))) }
