package demo

import (
	"context"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// stalledPatience is how long a Nodepool may be Stalled before the story gives up: the operator may just not have seen yet
// what was applied before it.
const stalledPatience = 10 * time.Second

// awaitPool follows a Nodepool until it is what its spec says, and shows its pools while it changes.
func (s *story) awaitPool(ctx context.Context, name string) error {
	var clock phaseClock
	defer func() { s.phases = append(s.phases, clock.end(time.Now())...) }()
	return s.await(ctx, "Nodepool "+name, func(ctx context.Context) (Progress, error) {
		pool := &fleetwrightv1.Nodepool{}
		if err := s.management.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, pool); err != nil {
			return Progress{}, err
		}
		if err := stalled(pool, time.Now()); err != nil {
			return Progress{}, err
		}
		waiting := waitsFor(pool)
		if waiting == (Progress{}) {
			s.teller.tell(s.seen(ctx, pool))
			return waiting, nil
		}
		clock.at(waiting.Reason, time.Now())
		s.teller.tell(s.seen(ctx, pool))
		return waiting, nil
	})
}

func stalled(pool *fleetwrightv1.Nodepool, now time.Time) error {
	condition := find(pool.Status.Conditions, fleetwrightv1.ConditionStalled)
	if condition == nil || condition.Status != metav1.ConditionTrue || now.Sub(condition.LastTransitionTime.Time) < stalledPatience {
		return nil
	}
	return hopeless{fmt.Errorf("is Stalled, %s: %s", condition.Reason, condition.Message)}
}

// waitsFor is what keeps a Nodepool from being done, in its own words; nothing if it is done.
func waitsFor(pool *fleetwrightv1.Nodepool) Progress {
	if pool.Status.ObservedGeneration != pool.Generation {
		return Progress{Text: "has not been looked at since the change"}
	}
	for _, kind := range []string{fleetwrightv1.ConditionReady, fleetwrightv1.ConditionUpToDate} {
		if waiting := unless(find(pool.Status.Conditions, kind), "has no conditions yet"); waiting != (Progress{}) {
			return waiting
		}
	}
	return Progress{}
}

func (s *story) seen(ctx context.Context, pool *fleetwrightv1.Nodepool) PoolsSeen {
	seen := PoolsSeen{
		At:       time.Now(),
		PodsLeft: int(ptr.Deref(pool.Status.Replacement.PodsRemaining, 0)),
		Drained:  int(ptr.Deref(pool.Status.Replacement.NodesDrained, 0)),
		Total:    int(ptr.Deref(pool.Status.Replacement.NodesTotal, 0)),
	}
	for _, p := range pool.Status.Pools {
		one := Pool{
			Name: p.Name, Role: string(p.Role), Version: p.Version,
			Nodes: int(ptr.Deref(p.Replicas, 0)), Ready: int(ptr.Deref(p.ReadyReplicas, 0)),
		}
		one.Machine = s.options.Flavour.machineType(ctx, s.management, p.MachinePool)
		seen.Pools = append(seen.Pools, one)
	}
	roles := []string{string(fleetwrightv1.PoolRoleOutgoing), string(fleetwrightv1.PoolRoleCurrent), string(fleetwrightv1.PoolRoleIncoming)}
	slices.SortStableFunc(seen.Pools, func(a, b Pool) int { return slices.Index(roles, a.Role) - slices.Index(roles, b.Role) })
	return seen
}

// phaseClock adds up how long something was in each of its phases.
type phaseClock struct {
	phases []PhaseTime
	since  time.Time
}

func (c *phaseClock) at(phase string, now time.Time) {
	if last := len(c.phases) - 1; last >= 0 {
		if c.phases[last].Phase == phase {
			return
		}
		c.phases[last].Seconds = now.Sub(c.since).Seconds()
	}
	if phase == "" {
		phase = "Unseen"
	}
	if last := len(c.phases) - 1; last < 0 || c.phases[last].Phase != phase {
		c.phases, c.since = append(c.phases, PhaseTime{Phase: phase}), now
	}
}

func (c *phaseClock) end(now time.Time) []PhaseTime {
	if last := len(c.phases) - 1; last >= 0 {
		c.phases[last].Seconds = now.Sub(c.since).Seconds()
	}
	return c.phases
}
