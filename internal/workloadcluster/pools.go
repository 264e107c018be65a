package workloadcluster

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/workloadcluster/render"
)

// poolSaid is how one node pool is.
type poolSaid struct {
	fleetwrightv1.WorkloadClusterNodepoolStatus

	// child is the Nodepool, nil when it is not there.
	child *child
	// message begins with the Nodepool's name.
	message  string
	stuck    string
	removing bool
}

// poolsSaid are the pools of the spec, in its order, and those that are to be no more.
func poolsSaid(w world, in *intention, p *plan) []poolSaid {
	var out []poolSaid
	known := map[string]bool{}
	for _, pool := range w.effective.Spec.Nodepools {
		t := target{kindNodepool, render.NodepoolName(w.name(), pool.Name)}
		known[t.name] = true
		if w.deleting() && w.nodepool(t.name) == nil {
			continue // it has gone, and is not made again
		}
		out = append(out, poolIs(w, in, p, pool.Name, t))
	}
	for i := range w.nodepools {
		if c := &w.nodepools[i]; c.ours && !known[c.name] && !slices.Contains(p.strays, c) {
			out = append(out, poolLeaves(w, c))
		}
	}
	return out
}

func poolIs(w world, in *intention, p *plan, name string, t target) poolSaid {
	out := poolSaid{child: w.nodepool(t.name)}
	out.Name = name
	no := func(reason, message string) {
		out.Ready, out.Reason, out.message = metav1.ConditionFalse, reason, message
	}
	switch {
	case out.child == nil && in.waits:
		no(fleetwrightv1.ReasonWaitingForAddresses, t.String()+": it is made when the cluster's ranges of addresses are bound")
	case out.child == nil:
		no(fleetwrightv1.ReasonCreating, t.String()+": it is not there yet")
	case foreignTo(w, out.child):
		no(fleetwrightv1.ReasonNameTaken, nameTaken(t))
		out.stuck, out.child = fleetwrightv1.ReasonNameTaken, nil
	case out.child.deleting():
		no(fleetwrightv1.ReasonRemoving, t.String()+": "+leavingWords(w, out.child))
		out.stuck = out.child.stalled()
		out.report()
	default:
		out.Ready, out.Reason, out.message = out.child.said(fleetwrightv1.ConditionReady)
		out.stuck = out.child.stalled()
		if p.pending(t) && !w.hold.Everything() && out.child.lacksIn(in) {
			// What it says is about its former spec.
			out.Ready, out.Reason, out.stuck = metav1.ConditionUnknown, fleetwrightv1.ReasonNotReported, ""
			out.message = t.String() + ": it has said nothing about its present spec yet"
		}
		out.report()
	}
	return out
}

// leavingWords say why a pool of the spec is being deleted, and what that waits for.
func leavingWords(w world, c *child) string {
	if w.deleting() {
		return "it is being removed" + about(c)
	}
	return "somebody has deleted it, and it is made anew when it is gone" + about(c)
}

// about quotes what an object says of its deletion.
func about(c *child) string {
	if words := c.words(); words != "" {
		return ": " + words
	}
	return ""
}

// lacksIn is true when a Nodepool gets another spec.
func (c *child) lacksIn(in *intention) bool {
	for i := range in.nodepools {
		if in.nodepools[i].target == c.target {
			return c.lacks(in.nodepools[i].spec)
		}
	}
	return false
}

func poolLeaves(w world, c *child) poolSaid {
	out := poolSaid{child: c}
	out.Name = c.name
	if w.unmerged != "" || len(w.problems) > 0 || w.deleting() {
		// It cannot be told, or does not matter, whether the spec has it.
		out.Ready, out.Reason, out.message = c.said(fleetwrightv1.ConditionReady)
	} else {
		out.removing = true
		out.Ready, out.Reason, out.message = metav1.ConditionFalse, fleetwrightv1.ReasonRemoving, c.target.String()+": it is being removed"+about(c)
	}
	out.stuck = c.stalled()
	out.report()
	return out
}

// target is the Nodepool, whether it is there or not.
func (s *poolSaid) target(w world) target {
	if s.child != nil {
		return s.child.target
	}
	return target{kindNodepool, render.NodepoolName(w.name(), s.Name)}
}

// report takes the Nodepool's numbers over.
func (s *poolSaid) report() {
	status := s.child.object.(*fleetwrightv1.Nodepool).Status
	s.Version, s.ReadyReplicas = status.Version, status.ReadyReplicas
}
