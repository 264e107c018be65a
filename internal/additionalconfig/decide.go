package additionalconfig

import (
	"fmt"
	"maps"
	"reflect"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/additionalconfig/section"
	"github.com/fleetwright/fleetwright/internal/ownobject"
)

const (
	// clusterPatience is how long a config waits for its Cluster before a person is called.
	clusterPatience = 10 * time.Minute
	// nameTakenPause is how soon it is looked whether a name is free or taken: nothing tells of objects that are not ours.
	nameTakenPause = time.Minute
)

// decide says what is to be done about a world, and how everything is.
func decide(w world, now time.Time) plan {
	if w.deleting {
		return leave(w)
	}
	var p plan
	for i := range w.wanted {
		p.want(w, w.wanted[i])
	}
	for _, f := range w.found {
		if f.ours && !w.wants(f.target) {
			p.drop(w, f)
		}
	}
	if !w.clusterFound {
		// Nothing is known of who holds what back, and nobody needs it yet.
		p.unknownCluster, p.actions = true, nil
		overdue := w.created.Add(clusterPatience)
		if p.clusterOverdue = !now.Before(overdue); !p.clusterOverdue {
			p.checkAgain = overdue
		}
		return p
	}
	p.holdBack(w)
	p.expectNews(w)
	for i := range p.resources {
		if reason := p.resources[i].Reason; reason == fleetwrightv1.ReasonNameTaken || reason == fleetwrightv1.ReasonCreating {
			p.checkAgain = now.Add(nameTakenPause)
		}
	}
	return p
}

// want decides about an object that a section asks for.
func (p *plan) want(w world, want wanted) {
	r := resource{AdditionalResource: fleetwrightv1.AdditionalResource{
		Kind: want.kind, Name: want.name, Section: want.section.Name, Ready: metav1.ConditionFalse,
	}}
	is, exists := w.find(want.target)
	if exists && is.ours {
		want.spec = asWritten(want, is)
	}
	switch {
	case !exists:
		r.Reason, r.message = fleetwrightv1.ReasonCreating, "it is not there yet"
		p.actions = append(p.actions, action{verb: create, target: want.target, spec: want.spec})
	case !is.ours:
		r.Reason, r.stuck = fleetwrightv1.ReasonNameTaken, fleetwrightv1.ReasonNameTaken
		r.message = "an object of this name exists and is not owned by this AzureClusterAdditionalConfig: delete it, or take the entry out"
	case is.deleting:
		r.Reason, r.message = fleetwrightv1.ReasonReplacing, "it is being removed and made anew"+about(is.conditions, fleetwrightv1.ConditionDeleting)
		r.stuck = stalled(is)
		p.tellLeaving(w, is)
	case differ(want.section.Fixed, want.spec, is.spec):
		r.Reason, r.message = fleetwrightv1.ReasonReplacing, "what cannot be changed in it was changed: it is removed and made anew"
		p.actions = append(p.actions, action{verb: remove, target: is.target, uid: is.uid, version: is.version, spec: w.untold(is, fieldReconcile, fieldDeletionPolicy)})
	case !is.labelled || ownobject.Lacks(want.spec, is.spec, is.owned):
		r.Ready, r.Reason, r.message, r.stuck = said(is)
		p.actions = append(p.actions, action{verb: apply, target: is.target, uid: is.uid, version: is.version, spec: want.spec})
	default:
		r.Ready, r.Reason, r.message, r.stuck = said(is)
	}
	p.resources = append(p.resources, r)
}

// drop decides about an object of ours that nothing asks for.
func (p *plan) drop(w world, is found) {
	r := resource{
		AdditionalResource: fleetwrightv1.AdditionalResource{Kind: is.kind, Name: is.name, Ready: metav1.ConditionFalse, Reason: fleetwrightv1.ReasonRemoving},
		message:            "it is being removed" + about(is.conditions, fleetwrightv1.ConditionDeleting),
	}
	if is.deleting {
		r.stuck = stalled(is)
		p.tellLeaving(w, is)
	} else {
		p.actions = append(p.actions, action{verb: remove, target: is.target, uid: is.uid, version: is.version, spec: w.untold(is, fieldReconcile, fieldDeletionPolicy)})
	}
	p.resources = append(p.resources, r)
}

// tellLeaving passes on what an object that is being removed has to know: whether it may go on, and what it leaves in Azure.
func (p *plan) tellLeaving(w world, is found) {
	if fields := w.untold(is, fieldReconcile, fieldDeletionPolicy); len(fields) > 0 {
		p.actions = append(p.actions, action{verb: tell, target: is.target, uid: is.uid, version: is.version, spec: fields})
	}
}

// leave decides about a config that is being deleted: everything that is ours goes first.
func leave(w world) plan {
	var p plan
	for _, f := range w.found {
		if f.ours {
			p.drop(w, f)
		}
	}
	switch {
	case w.policy == fleetwrightv1.DeletionPolicyProtect:
		p.actions = nil
		p.leaving, p.leavingMessage = fleetwrightv1.ReasonDeletionProtected, "deletionPolicy is Protect: set it to Delete or Retain"
		return p
	case len(p.resources) == 0:
		p.gone = true
		p.leaving, p.leavingMessage = fleetwrightv1.ReasonDeletingResources, "everything is gone"
		return p
	}
	first := p.resources[0]
	p.leaving = fleetwrightv1.ReasonDeletingResources
	p.leavingMessage = fmt.Sprintf("what is left: %d, the first is %s: %s", len(p.resources), first.target(), first.message)
	p.holdBack(w)
	return p
}

// holdBack keeps actions back that somebody asks to leave. Objects are told of the config's own pause all the same: that is how it
// reaches them.
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
	if !w.paused {
		return
	}
	for _, f := range w.found {
		if fields := w.untold(f, fieldReconcile); f.ours && len(fields) > 0 {
			p.actions = append(p.actions, action{verb: tell, target: f.target, uid: f.uid, version: f.version, spec: fields})
		}
	}
}

// expectNews takes nothing for granted of objects that get another spec now: what they say is about the former one.
func (p *plan) expectNews(w world) {
	for _, a := range p.actions {
		is, exists := w.find(a.target)
		if a.verb != apply || !exists || !ownobject.Lacks(a.spec, is.spec, is.owned) {
			continue
		}
		for i := range p.resources {
			if r := &p.resources[i]; r.target() == a.target {
				r.Ready, r.Reason, r.message, r.stuck = notReported()
			}
		}
	}
}

// untold are those of the config's fields that an object does not have as the config says.
func (w world) untold(f found, fields ...string) map[string]any {
	var out map[string]any
	for _, field := range fields {
		if f.spec[field] != w.told[field] {
			if out == nil {
				out = map[string]any{}
			}
			out[field] = w.told[field]
		}
	}
	return out
}

// asWritten is the spec that is wanted, with those of the fixed fields as the object has them that mean the same.
func asWritten(want wanted, is found) map[string]any {
	out := want.spec
	for _, field := range want.section.Fixed {
		same := want.section.Same != nil && !reflect.DeepEqual(want.spec[field], is.spec[field]) &&
			want.section.Same(field, section.Written{Spec: want.spec}, section.Written{Spec: is.spec, Annotations: is.annotations})
		if same {
			out = maps.Clone(out)
			out[field] = is.spec[field]
		}
	}
	return out
}

func differ(fields []string, a, b map[string]any) bool {
	for _, field := range fields {
		if !reflect.DeepEqual(a[field], b[field]) {
			return true
		}
	}
	return false
}

// said is what an object says about its present spec.
func said(f found) (ready metav1.ConditionStatus, reason, message, stuck string) {
	c := meta.FindStatusCondition(f.conditions, fleetwrightv1.ConditionReady)
	if c == nil || c.ObservedGeneration < f.generation {
		return notReported()
	}
	return c.Status, c.Reason, c.Message, stalled(f)
}

func notReported() (ready metav1.ConditionStatus, reason, message, stuck string) {
	return metav1.ConditionUnknown, fleetwrightv1.ReasonNotReported, "it has said nothing about its present spec yet", ""
}

func stalled(f found) string {
	if c := meta.FindStatusCondition(f.conditions, fleetwrightv1.ConditionStalled); c != nil && c.Status == metav1.ConditionTrue && c.ObservedGeneration >= f.generation {
		return c.Reason
	}
	return ""
}

// about quotes a condition that is True.
func about(conditions []metav1.Condition, kind string) string {
	if c := meta.FindStatusCondition(conditions, kind); c != nil && c.Status == metav1.ConditionTrue && c.Message != "" {
		return ": " + c.Message
	}
	return ""
}
