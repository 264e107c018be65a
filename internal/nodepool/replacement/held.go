package replacement

import (
	"github.com/fleetwright/fleetwright/internal/agentpool"
)

// held is what the wanted pool is to look like now: as the spec says, but for
// its size while an old pool still serves. It grows by what there is room for,
// and the autoscaler must not make it smaller before it has taken over.
func (l *look) held() agentpool.Spec {
	spec, p := l.Nodepool.Spec, l.wanted
	wanted := l.bounds()
	if spec.Replicas == nil && spec.Scaling == nil && p.Carried != nil {
		wanted.Scaling = p.Carried
	}
	size := p.size()
	switch {
	case l.takenOver():
		if spec.Replicas == nil {
			spec.Scaling = wanted.Scaling
		}
	case l.growsNow():
		spec.Scaling, spec.Replicas = nil, ptrTo(size+l.step())
	case spec.Replicas == nil && wanted.Scaling != nil:
		least := size
		if p.Spec.Scaling != nil && !l.keptFromGrowing() {
			least = p.Spec.Scaling.Min
		}
		spec.Scaling = withLeast(*wanted.Scaling, least)
	}
	return l.feasible(spec)
}

// step is how many nodes the wanted pool gets now. One that Azure refused is not
// asked for again with more.
func (l *look) step() int32 {
	if !l.wanted.Provisioned {
		return 0
	}
	return l.way(l.goal() - l.wanted.size()).step
}

// feasible is the spec as far as AKS takes it now, and nobody holds it back.
func (l *look) feasible(spec agentpool.Spec) agentpool.Spec {
	p, size := l.wanted, l.wanted.size()
	if b := spec.Scaling; b != nil && p.Spec.Scaling == nil && p.Provisioned && p.count() < int(b.Min) {
		// AKS takes bounds only of a pool that is within them.
		spec.Scaling, spec.Replicas = nil, ptrTo(b.Min)
	}
	if n := spec.Replicas; n != nil && *n < size && l.Nodepool.Hold.NonDisruptive {
		spec.Replicas = ptrTo(size)
	}
	return spec
}

// keptFromGrowing is true for a wanted pool whose autoscaler was held while it
// was on its way out.
func (l *look) keptFromGrowing() bool {
	p, bounds := l.wanted, l.bounds().Scaling
	if p.Carried != nil && l.Nodepool.Spec.Scaling == nil {
		bounds = p.Carried
	}
	return p.Carried != nil && p.Spec.Scaling != nil && bounds != nil && p.Spec.Scaling.Max < bounds.Max
}

// carried are the bounds to keep beside those that are written: the spec has
// none, and what is written is not what they are to be in the end.
func carried(spec agentpool.Spec, wanted *agentpool.Scaling, written agentpool.Spec) *agentpool.Scaling {
	if spec.Replicas != nil || spec.Scaling != nil || wanted == nil || written.Scaling != nil && *written.Scaling == *wanted {
		return nil
	}
	return wanted
}

// withLeast raises the lower bound, so that the autoscaler takes no node away.
func withLeast(bounds agentpool.Scaling, least int32) *agentpool.Scaling {
	bounds.Min = min(max(bounds.Min, least), bounds.Max)
	return &bounds
}
