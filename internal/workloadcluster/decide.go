package workloadcluster

import (
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/workloadcluster/render"
)

const (
	// unwatchedPause is how soon is looked at what no watch tells of, while a step is not done: Azure's refusals, objects in the workload cluster.
	unwatchedPause = 10 * time.Second
	// addonPause is how soon the add-ons of a cluster that is ready are looked at again.
	addonPause = 5 * time.Minute
	// obstaclePause is how soon is looked whether what is in the way has gone, where no watch tells of it: a namespace's labels, a Secret, an object
	// of somebody else.
	obstaclePause = time.Minute
)

// decide says what is to be done about a world, and how everything is.
func decide(w world, in *intention, now time.Time) plan {
	var p plan
	if w.deleting() {
		p.leave(w, now)
	} else {
		p.stay(w, in)
	}
	p.holdBack(w)
	p.see(w, in)
	p.schedule(w, in, now)
	return p
}

// stay decides about a WorkloadCluster that is to be.
func (p *plan) stay(w world, in *intention) {
	if p.obstacle = obstructed(w, in); p.obstacle != nil {
		return
	}
	if p.wantClaim(w, in); in.waits {
		return
	}
	if !w.state.Found || !w.state.Ours || len(w.state.Changes) > 0 || w.state.Unmarked {
		p.actions = append(p.actions, action{verb: apply, target: target{kindCluster, w.name()}})
	}
	for i := range in.nodepools {
		p.want(w, in.nodepools[i], w.nodepool(in.nodepools[i].name))
	}
	if in.config != nil {
		p.want(w, *in.config, w.config)
	}
	p.prune(w, in)
}

// prune decides about what is there and is not to be.
func (p *plan) prune(w world, in *intention) {
	coming := w.coming(in)
	for _, c := range w.children() {
		switch {
		case !c.ours || c.kind == kindClaim || in.wants(c.target):
		case w.stray(c):
			p.strays = append(p.strays, c)
		case c.kind == kindNodepool && coming != "" && !c.deleting():
			p.removing, p.waitsFor = append(p.removing, c), coming
		default:
			p.drop(w, c)
		}
	}
}

// stray is true for an object that has our label, is not in the spec and was never written by us: a copy, or one that came back from a backup. Nobody
// has said that it may go, or wait. While it cannot be told what the spec has, there is none.
func (w world) stray(c *child) bool {
	if !c.ours || c.written() || w.unmerged != "" || c.kind == kindClaim {
		return false
	}
	if c.kind == kindConfig {
		return render.Config(w.input()) == nil
	}
	return !slices.ContainsFunc(w.effective.Spec.Nodepools, func(pool fleetwrightv1.WorkloadClusterNodepool) bool {
		return render.NodepoolName(w.name(), pool.Name) == c.name
	})
}

// coming is a Nodepool that is to be and has no nodes yet, empty for none: what a pool is removed for, such as one of another name, comes first.
// One that is stuck is not waited for.
func (w world) coming(in *intention) string {
	for i := range in.nodepools {
		is := w.nodepool(in.nodepools[i].name)
		if is == nil || is.ours && is.stalled() == "" && !meta.IsStatusConditionTrue(is.object.GetConditions(), fleetwrightv1.ConditionAvailable) {
			return in.nodepools[i].name
		}
	}
	return ""
}

// wantClaim decides about the claim. It is made once: a cluster keeps its ranges, so of one that is there only the mode is changed. If it is lost and
// its ranges are kept, the new one finds them again; if they are not, see cramped.
func (p *plan) wantClaim(w world, in *intention) {
	switch is := w.claim; {
	case is == nil && in.claim != nil:
		p.actions = append(p.actions, action{verb: create, target: in.claim.target, spec: in.claim.spec})
	case is == nil, !is.ours && (in.claim == nil || !takesOver(w, is)):
	case !is.ours, len(is.untold(told(w), fieldReconcile)) > 0:
		p.actions = append(p.actions, action{verb: tell, target: is.target, child: is, spec: is.untold(told(w), fieldReconcile)})
	}
}

// want decides about an object that is to be.
func (p *plan) want(w world, want wanted, is *child) {
	switch {
	case is == nil:
		p.actions = append(p.actions, action{verb: create, target: want.target, spec: want.spec})
	case !is.ours && !takesOver(w, is):
	case is.deleting():
		p.tellLeaving(w, is)
	case !is.ours || is.lacks(want.spec):
		p.actions = append(p.actions, action{verb: apply, target: is.target, child: is, spec: want.spec})
	}
}

// takesOver is true for an object of somebody's that becomes ours: when adoption is asked for, and it is no other WorkloadCluster's.
func takesOver(w world, is *child) bool {
	return w.adopts() == fleetwrightv1.AdoptionPolicyAdopt && is.maker == ""
}

// drop decides about an object of ours that is to be no more.
func (p *plan) drop(w world, is *child) {
	p.removing = append(p.removing, is)
	if is.deleting() {
		p.tellLeaving(w, is)
		return
	}
	p.actions = append(p.actions, action{verb: remove, target: is.target, child: is, spec: is.untold(told(w), fieldReconcile, fieldDeletionPolicy)})
}

// tellLeaving passes on what an object that is being removed has to know: whether it may go on.
func (p *plan) tellLeaving(w world, is *child) {
	if fields := is.untold(told(w), fieldReconcile, fieldDeletionPolicy); len(fields) > 0 {
		p.actions = append(p.actions, action{verb: tell, target: is.target, child: is, spec: fields})
	}
}

// holdBack keeps actions back that somebody asks to leave. Objects are told of the WorkloadCluster's own pause, and of its end, all the same: that is
// how it reaches them, whatever else is in the way.
func (p *plan) holdBack(w world) {
	var now []action
	for _, a := range p.actions {
		if w.hold.Everything() || w.hold.Disruption() && a.disruptive() {
			p.held = append(p.held, a)
		} else {
			now = append(now, a)
		}
	}
	p.actions = now
	if w.hold.Everything() && !w.paused {
		return
	}
	for _, c := range w.children() {
		fields := c.untold(told(w), fieldReconcile)
		busy := slices.ContainsFunc(p.actions, func(a action) bool { return a.target == c.target })
		if c.ours && !w.stray(c) && !busy && len(fields) > 0 {
			p.actions = append(p.actions, action{verb: tell, target: c.target, child: c, spec: fields})
		}
	}
}

// pending is true when the plan writes, or would if it were not held back, what an object is to be.
func (p *plan) pending(t target) bool {
	for _, list := range [][]action{p.actions, p.held} {
		for _, a := range list {
			if a.target == t && (a.verb == create || a.verb == apply) {
				return true
			}
		}
	}
	return false
}

// does is true when the plan does that with an object now.
func (p *plan) does(t target, v verb) bool {
	return slices.ContainsFunc(p.actions, func(a action) bool { return a.target == t && a.verb == v })
}

// schedule says when to look again.
func (p *plan) schedule(w world, in *intention, now time.Time) {
	earliest := func(at time.Time) {
		if at.After(now) && (p.checkAgain.IsZero() || at.Before(p.checkAgain)) {
			p.checkAgain = at
		}
	}
	switch {
	case w.deleting():
		if w.state.Leftover {
			earliest(now.Add(unwatchedPause)) // kinds that are not served when the operator starts are not watched
		}
	case p.obstacle != nil || p.nameTaken():
		earliest(now.Add(obstaclePause))
	case p.unwatched(w):
		earliest(now.Add(unwatchedPause))
	case len(w.addons) > 0:
		earliest(now.Add(addonPause))
	}
	earliest(in.versions.CheckAgain)
}

// unwatched is true while something is not done that no watch tells of: objects of Azure Service Operator, those of installers and in the workload
// cluster.
func (p *plan) unwatched(w world) bool {
	for i := range p.steps {
		switch s := &p.steps[i]; {
		case s.done:
		case s.name == fleetwrightv1.WorkloadClusterStepInfrastructure && w.state.Found, s.name == fleetwrightv1.WorkloadClusterStepAddons && w.state.Reachable:
			return true
		}
	}
	return false
}

// nameTaken is true while somebody else has a name that is needed: nothing tells of such objects.
func (p *plan) nameTaken() bool {
	return slices.ContainsFunc(p.steps, func(s step) bool { return s.stuck == fleetwrightv1.ReasonNameTaken })
}

// heldBack tells who holds what back.
func heldBack(w world, p *plan) string {
	lines := make([]string, 0, len(p.held))
	for _, a := range p.held {
		lines = append(lines, a.String())
	}
	const most = 3
	return fmt.Sprintf("%s; held back: %s", w.hold.Message, some(lines, most))
}
