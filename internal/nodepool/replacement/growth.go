package replacement

import (
	"cmp"
	"fmt"

	"k8s.io/apimachinery/pkg/util/intstr"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/agentpool"
)

const (
	// defaultNodeCap is where the people this is built for keep their clusters.
	defaultNodeCap = 950
	// maxPoolNodes is the size of a scale set.
	maxPoolNodes = 1000
	// defaultSurge is a quarter, as CAPI and AKS advise a third.
	defaultSurge = "25%"
)

// room is how many more nodes there may be, and what binds.
type room struct {
	nodes int32
	limit string
}

// room is the narrowest of what the cluster may have and what Azure has left.
func (l *look) room() room {
	nodeCap := cmp.Or(l.Cluster.NodeCap, defaultNodeCap)
	have := l.clusterNodes()
	r := room{int32(max(nodeCap-have, 0)), fmt.Sprintf("the cluster has %d of at most %s", have, count(nodeCap, "node"))}
	if l.Azure.Asked && l.Azure.Limit != "" && l.Azure.Room < r.nodes {
		r = room{max(l.Azure.Room, 0), l.Azure.Limit}
	}
	return r
}

// CountNodes is how many nodes the cluster has, what is on its way included, and
// how many it may have.
func CountNodes(w World) (have, most int) {
	l := look{World: w}
	return l.clusterNodes(), cmp.Or(w.Cluster.NodeCap, defaultNodeCap)
}

// clusterNodes counts what is there and what is on its way.
func (l *look) clusterNodes() (n int) {
	for _, p := range l.Pools {
		n += max(p.count(), int(p.comes()))
	}
	for _, o := range l.Others {
		n += o.Nodes
	}
	return n
}

// goal is how many nodes the new pool must have in the end: the fixed number,
// or as many as served before.
func (l *look) goal() int32 { return wantedSize(l.bounds(), l.before(), 1) }

// before is the number of nodes that did the work before the change began.
func (l *look) before() int32 { return max(l.serving(), l.served()) }

// bounds are the wanted number of nodes with what the spec leaves open as the
// pool that serves has it.
func (l *look) bounds() agentpool.Spec { return inherit(l.Nodepool.Spec, l.outgoing) }

// serving is the number of nodes of the largest pool on its way out.
func (l *look) serving() (n int32) {
	for _, o := range l.outgoing {
		n = max(n, int32(min(o.count(), maxPoolNodes)))
	}
	return n
}

// served is the number of nodes before a shift made the old pool smaller, as
// far as it is known: the newest pool says what it was made in place of. Once
// the old pool was found empty, that is history.
func (l *look) served() int32 {
	if len(l.Pools) < 2 {
		return 0
	}
	last := len(l.Pools) - 1
	for _, p := range l.Pools[:last] {
		if !p.EmptySince.IsZero() {
			return 0
		}
	}
	return l.Pools[last].Replaces
}

// wantedSize is the number of nodes for a spec where serving nodes do the work
// now; otherwise stands for a number that nobody knows.
func wantedSize(spec agentpool.Spec, serving, otherwise int32) int32 {
	switch {
	case spec.Replicas != nil:
		return *spec.Replicas
	case spec.Scaling != nil:
		return min(max(serving, spec.Scaling.Min), spec.Scaling.Max)
	case serving > 0:
		return serving
	}
	return otherwise
}

// surge is how many more nodes than before a staged shift may have.
func (l *look) surge() int32 {
	budget := intstr.FromString(defaultSurge)
	if l.Nodepool.MaxSurge != nil {
		budget = *l.Nodepool.MaxSurge
	}
	before := max(l.before(), l.goal())
	n, err := intstr.GetScaledValueFromIntOrPercent(&budget, int(before), true)
	if err != nil {
		n = 1 // admission refuses what is neither
	}
	return int32(max(n, 1))
}

// way is how a pool is replaced, and why.
type way struct {
	strategy, why string
	// step is how many nodes the new pool may get now.
	step int32
	room room
}

// way chooses between a whole new pool and a shift in stages: the whole pool,
// where it fits.
func (l *look) way(more int32) way {
	w := way{room: l.room(), step: more, strategy: string(fleetwrightv1.ReplacementStrategyFullGreen)}
	w.why = fmt.Sprintf("%s fit: %s", count(int(more), "more node"), w.room.limit)
	fits := w.room.nodes >= more
	switch asked := l.Nodepool.Strategy; {
	case asked == w.strategy:
		w.why = "the spec asks for it"
		if !fits {
			w.step = 0
		}
	case asked == string(fleetwrightv1.ReplacementStrategyStagedShift):
		return l.stages(w, more, "the spec asks for it")
	case !fits && l.serving() > 0:
		return l.stages(w, more, fmt.Sprintf("a whole new pool needs %s, and %s", count(int(more), "more node"), w.room.limit))
	case !fits:
		w.step = 0
	}
	return w
}

// stages bounds a step by the surge budget, counted over all nodes of the pool.
func (l *look) stages(w way, more int32, why string) way {
	before := max(l.before(), l.goal()) // more nodes that somebody asks for do not wait for the drain
	var now int32
	for _, p := range l.Pools {
		now += max(int32(min(p.count(), maxPoolNodes)), p.comes())
	}
	for _, p := range l.outgoing {
		now -= int32(p.givenUp())
	}
	w.strategy, w.why = string(fleetwrightv1.ReplacementStrategyStagedShift), why
	if l.Azure.Asked && !l.Azure.Machines {
		w.step, w.room.limit = 0, "a shift in stages takes single machines away in Azure, for which the operator has no credentials"
		if why := l.Azure.NoMachines; why != "" {
			w.room.limit += ": " + why
		}
		return w
	}
	if surge := before + l.surge() - now; surge < w.room.nodes {
		w.room = room{max(surge, 0), fmt.Sprintf("maxSurge allows %s beside the %d of before", count(int(l.surge()), "node"), before)}
	}
	w.step = min(more, w.room.nodes)
	return w
}

// shifting is true while the wanted pool is still to grow in stages.
func (l *look) shifting() bool {
	return l.growsNow() && l.way(l.goal()-l.wanted.size()).strategy == string(fleetwrightv1.ReplacementStrategyStagedShift)
}

// growsNow is true while the wanted pool is smaller than it is to be and its
// number is ours to choose: an autoscaler at work finds it by itself.
func (l *look) growsNow() bool {
	if l.wanted == nil || l.takenOver() || l.wanted.size() >= l.goal() {
		return false
	}
	return l.wanted.Spec.Scaling == nil || l.keptFromGrowing()
}

// noRoom is the plan while the next nodes have no place.
func (l *look) noRoom(w way, purpose string) *Plan {
	plan := &Plan{
		Verdict: Waiting, Reason: fleetwrightv1.ReasonWaitingForCapacity, CheckAgain: later,
		Message: fmt.Sprintf("waits to %s: %s%s", purpose, w.room.limit, l.oldPoolServes()),
	}
	return l.halfWay(plan)
}

// halfWay keeps a wait from looking like rest when pods have begun to move.
func (l *look) halfWay(plan *Plan) *Plan {
	if l.wanted != nil && l.drainBegan() {
		plan.Verdict, plan.Step = Moving, string(fleetwrightv1.ReplacementStepWaitingForGreen)
	}
	return plan
}

// takenOver is true when no pool serves beside the wanted one.
func (l *look) takenOver() bool {
	for _, o := range l.outgoing {
		if !o.Deleting {
			return false
		}
	}
	return true
}

func ptrTo(n int32) *int32 { return &n }
