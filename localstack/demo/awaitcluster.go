package demo

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// stalledPatience is how long an object may be Stalled before the story gives up: the operator may just not have seen yet
// what was applied before it.
const stalledPatience = 10 * time.Second

// spoken is an object that says how it is.
type spoken interface {
	client.Object
	GetConditions() []metav1.Condition
}

// awaitCreated follows the WorkloadCluster until it is ready, and tells where the time went.
func (s *story) awaitCreated(ctx context.Context) error {
	return s.await(ctx, "WorkloadCluster "+clusterName, func(ctx context.Context) (Progress, error) {
		cluster, waiting, err := s.readCluster(ctx)
		if err != nil || waiting != (Progress{}) {
			return waiting, err
		}
		s.report.Waterfall = waterfallOf(cluster)
		s.teller.tell(WaterfallSeen{At: time.Now(), Steps: s.report.Waterfall})
		return Progress{}, nil
	})
}

// awaitChanged follows the WorkloadCluster until it is what its spec says, and lets the Nodepool speak that is changed meanwhile.
func (s *story) awaitChanged(ctx context.Context) error {
	var clock phaseClock
	defer func() { s.phases = append(s.phases, clock.end(time.Now())...) }()
	return s.await(ctx, "WorkloadCluster "+clusterName, func(ctx context.Context) (Progress, error) {
		_, waiting, err := s.readCluster(ctx)
		if err != nil {
			return Progress{}, err
		}
		pool, words, err := s.changing(ctx)
		if err != nil {
			return Progress{}, err
		}
		s.teller.tell(s.seen(ctx, pool))
		if waiting == (Progress{}) {
			return waiting, nil
		}
		if words == (Progress{}) {
			clock.at(waiting.Reason, time.Now())
			return waiting, nil
		}
		words.About = "Nodepool " + pool.Name
		clock.at(strings.TrimPrefix(pool.Name, clusterName+"-")+": "+cmp.Or(words.Reason, unseen), time.Now())
		return words, nil
	})
}

// readCluster reads the WorkloadCluster and what it waits for; nothing once it is ready and as its spec says.
func (s *story) readCluster(ctx context.Context) (*fleetwrightv1.WorkloadCluster, Progress, error) {
	cluster := &fleetwrightv1.WorkloadCluster{}
	if err := s.management.Get(ctx, client.ObjectKey{Namespace: namespace, Name: clusterName}, cluster); err != nil {
		return nil, Progress{}, err
	}
	return cluster, waitsFor(cluster, cluster.Status.ObservedGeneration), stalled(cluster, time.Now())
}

// changing is the Nodepool that has something to wait for, with its words; the one that the story is about when none has.
func (s *story) changing(ctx context.Context) (*fleetwrightv1.Nodepool, Progress, error) {
	pools := &fleetwrightv1.NodepoolList{}
	if err := s.management.List(ctx, pools, client.InNamespace(namespace), client.MatchingLabels{fleetwrightv1.LabelWorkloadCluster: clusterName}); err != nil {
		return nil, Progress{}, err
	}
	var calm *fleetwrightv1.Nodepool
	for i := range pools.Items {
		pool := &pools.Items[i]
		if words := waitsFor(pool, pool.Status.ObservedGeneration); words != (Progress{}) {
			return pool, words, stalled(pool, time.Now())
		}
		if pool.Name == nodepoolName {
			calm = pool
		}
	}
	if calm == nil {
		return nil, Progress{}, fmt.Errorf("there is no Nodepool %s", nodepoolName)
	}
	return calm, Progress{}, nil
}

func stalled(object spoken, now time.Time) error {
	condition := find(object.GetConditions(), fleetwrightv1.ConditionStalled)
	if condition == nil || condition.Status != metav1.ConditionTrue || now.Sub(condition.LastTransitionTime.Time) < stalledPatience {
		return nil
	}
	return hopeless{fmt.Errorf("is Stalled, %s: %s", condition.Reason, condition.Message)}
}

// waitsFor is what keeps an object from being done, in its own words; nothing if it is done.
func waitsFor(object spoken, observed int64) Progress {
	if observed != object.GetGeneration() {
		return Progress{Text: "has not been looked at since the change"}
	}
	for _, kind := range []string{fleetwrightv1.ConditionReady, fleetwrightv1.ConditionUpToDate} {
		if waiting := unless(find(object.GetConditions(), kind), "has no conditions yet"); waiting != (Progress{}) {
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

// unseen is the phase of an object that has not been looked at since it was changed.
const unseen = "Unseen"

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
	phase = cmp.Or(phase, unseen)
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
