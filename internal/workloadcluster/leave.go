package workloadcluster

import (
	"cmp"
	"strings"
	"time"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/workloadcluster/addons"
	"github.com/fleetwright/fleetwright/internal/workloadcluster/teardown"
)

// leave decides about a WorkloadCluster that is being deleted. Package teardown knows the order.
func (p *plan) leave(w world, now time.Time) {
	next := teardown.Next(teardownWorld(w), now)
	p.leaving, p.leavingMessage, p.gone, p.checkAgain = next.Reason, next.Message, next.Gone, next.CheckAgain
	cluster := target{kindCluster, w.name()}
	if next.Release || p.letGo(w, next) {
		p.release(w)
		return
	}
	if next.Unlabel {
		p.actions = append(p.actions, action{verb: unlabel, target: cluster})
	}
	// The Cluster first: nothing is taken away from one that cannot be deleted (see act), and while it goes everything still knows it.
	for _, part := range next.Delete {
		if part.Kind == kindCluster {
			p.actions = append(p.actions, action{verb: remove, target: cluster})
		}
	}
	for _, part := range next.Delete {
		t := target{part.Kind, part.Name}
		if c := w.child(t); c != nil && c.ours {
			p.actions = append(p.actions, action{verb: remove, target: t, child: c, spec: c.untold(told(w), fieldReconcile, fieldDeletionPolicy)})
		}
	}
	if next.Reason == fleetwrightv1.ReasonDeletionProtected {
		return
	}
	for _, c := range w.children() {
		switch {
		case w.stray(c): // it may be of another cluster
			p.gone = false
			p.actions = append(p.actions, action{verb: release, target: c.target, child: c})
		case c.ours && c.deleting():
			p.lasting = append(p.lasting, c)
			p.tellLeaving(w, c)
		}
	}
}

// letGo is true for what belongs to a Cluster that is not ours, or not any more: it lives on, and what it has must not be taken from it.
func (p *plan) letGo(w world, next teardown.Plan) bool {
	if !w.state.Found || w.state.Ours || next.Gone || next.Reason != fleetwrightv1.ReasonDeletingCluster && next.Reason != fleetwrightv1.ReasonReleasingAddresses {
		return false
	}
	p.leaving = fleetwrightv1.ReasonRetaining
	p.leavingMessage = "Cluster " + w.name() + " is not this WorkloadCluster's and stays, with everything that belongs to it"
	return true
}

// release lets go of everything that is ours.
func (p *plan) release(w world) {
	if w.hasCluster() {
		p.actions = append(p.actions, action{verb: release, target: target{kindCluster, w.name()}})
	}
	for _, c := range w.children() {
		if !c.ours {
			continue
		}
		let := action{verb: release, target: c.target, child: c}
		if c.written() && c.spec[fieldDeletionPolicy] == string(fleetwrightv1.DeletionPolicyDelete) {
			// We told it so for as long as it was to go with its entry. Nobody stands before it any more, and it serves.
			let.spec = map[string]any{fieldDeletionPolicy: string(fleetwrightv1.DeletionPolicyRetain)}
		}
		p.actions = append(p.actions, let)
	}
}

// hasCluster is true while there is a Cluster of ours, or what the making of one has left.
func (w world) hasCluster() bool { return w.state.Found && w.state.Ours || w.state.Leftover }

func (w world) child(t target) *child {
	for _, c := range w.children() {
		if c.target == t {
			return c
		}
	}
	return nil
}

// teardownWorld is what is left.
func teardownWorld(w world) teardown.World {
	out := teardown.World{
		Policy: cmp.Or(w.object.Spec.DeletionPolicy, fleetwrightv1.DeletionPolicyProtect), Deleted: w.object.DeletionTimestamp.Time, ClusterServes: w.state.Found && w.state.Ours && w.state.Reachable,
		Addons: leftovers(w), AddonLabels: len(addonLabelsOf(w)) > 0, Claim: partOf(w.claim),
	}
	if w.config != nil && !w.stray(w.config) {
		out.Config = partOf(w.config)
	}
	if w.hold.Disruption() {
		out.Held, out.HeldReason = w.hold.Message, w.hold.Reason
	}
	if w.hasCluster() {
		out.Cluster = teardown.Part{Kind: kindCluster, Name: w.name(), Deleting: w.state.Deleting, Words: w.state.DeletingWords}
	}
	for i := range w.nodepools {
		if part := partOf(&w.nodepools[i]); part.Name != "" && !w.stray(&w.nodepools[i]) {
			out.Nodepools = append(out.Nodepools, part)
		}
	}
	return out
}

// partOf is nothing for what is not there or not ours.
func partOf(c *child) teardown.Part {
	if c == nil || !c.ours {
		return teardown.Part{}
	}
	return teardown.Part{Kind: c.kind, Name: c.name, Deleting: c.deleting(), Words: c.words()}
}

// leftovers are what installers still have for the cluster and are taking out.
func leftovers(w world) []string {
	var out []string
	for _, a := range w.addons {
		left := addons.Left(a.addon, a.observed)
		if a.unread != "" && a.addon.Kind == fleetwrightv1.AddonKindHelmChartProxy {
			left = string(a.addon.Kind) + " " + a.addon.Name + ", which cannot be read: " + a.unread
		}
		if left != "" {
			out = append(out, left)
		}
	}
	return out
}

// addonLabelsOf are the labels that the Cluster has for its add-ons.
func addonLabelsOf(w world) []string {
	var out []string
	more := map[string]bool{}
	for _, a := range w.addons {
		for label := range a.addon.ClusterLabels {
			more[label] = true
		}
	}
	for label := range w.state.Labels {
		if _, users := w.object.Labels[label]; !users && (more[label] || strings.HasPrefix(label, fleetwrightv1.LabelAddonPrefix)) {
			out = append(out, label)
		}
	}
	return out
}
