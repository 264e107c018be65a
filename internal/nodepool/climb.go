package nodepool

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/drain/ladder"
	"github.com/fleetwright/fleetwright/internal/condition"
	"github.com/fleetwright/fleetwright/internal/nodepool/replacement"
)

// climbTakes bounds the ladder's part of a look, webhooks included: the permission
// to evict must be renewed in time. What was not done is done by the next look.
const climbTakes = 10 * time.Second

// drainID names the drain of a pool to the ladder. It is the same at every look,
// and no other pool has it.
func drainID(np *fleetwrightv1.Nodepool, object string) string { return np.Namespace + "/" + object }

// climbs are the pools of which pods are to leave now, and are helped where they
// cannot: the one that is drained, and those of which nodes were given up.
// Whatever holds evictions back holds this, too.
func climbs(o *observation) (objects []string) {
	if o.world.Nodepool.Hold.Reason != "" {
		return nil
	}
	switch {
	case evicts(o):
		objects = append(objects, o.plan.Action.Object)
	case o.plan.Reason != fleetwrightv1.ReasonDrainQuarantined || o.plan.Action.Kind != replacement.None:
		return nil
	}
	for _, p := range o.world.Pools {
		_, known := o.drains[p.Object]
		if known && p.Drain.Closed && len(p.Drain.Quarantined) > 0 && !slices.Contains(objects, p.Object) {
			objects = append(objects, p.Object)
		}
	}
	return objects
}

// climb takes the steps of the ladder that are due. Whatever becomes of them, the
// drain goes on, and the next look tries again.
func (r *Reconciler) climb(ctx context.Context, np *fleetwrightv1.Nodepool, o *observation) {
	ctx, cancel := context.WithTimeout(ctx, climbTakes)
	defer cancel()
	for _, object := range climbs(o) {
		steps, _, err := r.step(ctx, np, o, object)
		o.steps = append(o.steps, steps...)
		if err != nil && !apierrors.IsConflict(err) {
			o.climbErr = errors.Join(o.climbErr, fmt.Errorf("help the drain of pool %s: %w", o.pools[object].Name, err))
		}
	}
	if o.climbErr != nil {
		logf.FromContext(ctx).Error(o.climbErr, "The ladder is tried again at the next look")
	}
}

// step takes the steps that are due for one pool, and returns those that were
// taken or that only tell something, and what is still to be put back after them.
func (r *Reconciler) step(ctx context.Context, np *fleetwrightv1.Nodepool, o *observation, object string) (taken []ladder.Step, open []string, err error) {
	plan, policy, now := o.drains[object], o.policies[object], r.Clock.Now()
	facts, err := ladder.Observe(ctx, o.nodes, drainID(np, object), plan, policy, now)
	if err != nil {
		return nil, nil, err
	}
	log := logf.FromContext(ctx).WithValues("pool", o.pools[object].Name)
	var errs []error
	steps := afterPause(ladder.Decide(plan, facts, policy, now), pauseEnded(np, now), now)
	left := slices.Clone(steps)
	for _, s := range steps {
		if ctx.Err() != nil {
			errs = append(errs, ctx.Err())
			break
		}
		if err := ladder.Act(ctx, o.nodes, s, r.Notifier); err != nil {
			errs = append(errs, err)
			if s.Action != ladder.ActionNotify {
				continue
			}
		}
		if s.Action == ladder.ActionPutBack {
			left = slices.DeleteFunc(left, func(done ladder.Step) bool { return done.Action == s.Action && done.Object == s.Object })
		}
		taken = append(taken, s)
		log.V(loudness(s)).Info("Helping the drain", "action", s.Action, "object", s.Object.String(), "message", s.String())
	}
	return taken, ladder.Outstanding(left), errors.Join(errs...)
}

// loudness is that of a step in the log: what is only told is told at every look.
func loudness(s ladder.Step) int {
	if s.Action == ladder.ActionSkipped || s.Action == ladder.ActionStanding {
		return 1
	}
	return 0
}

// putBack takes back what the ladder has changed for the drain of a pool, before
// machines of it go. While a part of a pool is taken away, what helps the rest
// stays. An error means that something is left. Nodes that are opened again do not
// wait for it; see uncordon.
func (r *Reconciler) putBack(ctx context.Context, np *fleetwrightv1.Nodepool, o *observation) error {
	switch a := o.plan.Action; {
	case a.Kind == replacement.DeleteMachines:
		return r.putBackPart(ctx, np, o)
	case a.Kind == replacement.DeletePool, a.Kind == replacement.MarkEmpty, a.Kind == replacement.ReleasePool:
	case a.Kind == replacement.ResizePool && a.Replicas == 0:
	default:
		return nil
	}
	return putBackAll(ctx, np, o)
}

func putBackAll(ctx context.Context, np *fleetwrightv1.Nodepool, o *observation) error {
	if unreadable(o) {
		return nil
	}
	a := o.plan.Action
	if err := ladder.PutBackAll(ctx, o.nodes, drainID(np, a.Object)); err != nil {
		return fmt.Errorf("put back what was changed for the drain of pool %s: %w", a.Pool, err)
	}
	return nil
}

// unreadable is true for a cluster that does not answer: what was changed in it goes
// with it, or it was never drained.
func unreadable(o *observation) bool { return o.nodes == nil || o.world.Cluster.Unreachable != "" }

var errOutstanding = errors.New("the nodes stay until then")

func (r *Reconciler) putBackPart(ctx context.Context, np *fleetwrightv1.Nodepool, o *observation) error {
	if unreadable(o) {
		return nil
	}
	a := o.plan.Action
	steps, open, err := r.step(ctx, np, o, a.Object)
	o.steps = append(o.steps, steps...)
	if err != nil {
		return fmt.Errorf("put back what was changed for the drain of pool %s: %w", a.Pool, err)
	}
	if len(open) > 0 {
		return fmt.Errorf("%s: %w", open[0], errOutstanding)
	}
	return nil
}

// announceSteps emits an event for each step of the ladder, in its words.
func (r *Reconciler) announceSteps(np *fleetwrightv1.Nodepool, o *observation) {
	for _, s := range o.steps {
		kind := corev1.EventTypeNormal
		if s.Action == ladder.ActionQuarantine || s.Action == ladder.ActionForce {
			kind = corev1.EventTypeWarning
		}
		// Without what it is about, events of two steps would be taken for one.
		about := &corev1.ObjectReference{APIVersion: s.Object.APIVersion, Kind: s.Object.Kind, Namespace: s.Object.Namespace, Name: s.Object.Name, UID: s.Object.UID}
		r.Recorder.Eventf(np, about, kind, "Drain"+string(s.Action), string(replacement.EvictPods), "%s", condition.Clip(s.String()))
	}
	if o.climbErr != nil {
		r.Recorder.Eventf(np, nil, corev1.EventTypeWarning, "DrainHelpFailed", string(replacement.EvictPods), "%s", condition.Clip(o.climbErr.Error()))
	}
}
