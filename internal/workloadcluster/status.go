package workloadcluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/condition"
	"github.com/fleetwright/fleetwright/internal/ownobject"
	"github.com/fleetwright/fleetwright/internal/workloadcluster/waterfall"
)

// maxPools, maxAddons and maxRanges are how many of each status tells of, as the schema has it: one more, and it would not be written at all.
const (
	maxPools  = 64
	maxAddons = 32
	maxRanges = 8
)

// report writes the status of what was seen and done, also when something failed, and speaks of it once it is saved.
func (r *Reconciler) report(ctx context.Context, object *fleetwrightv1.WorkloadCluster, o *observation, failed failures) error {
	before, now := object.DeepCopy(), r.Clock.Now()
	o.plan.blame(o.world, failed)
	object.Status = status(before, o, now)
	if err := ownobject.WriteStatus(ctx, r.Client, before, object, FieldOwner); err != nil {
		return err
	}
	r.announce(before, object, o, failed)
	return nil
}

// blame says of the steps for which something failed that it did.
func (p *plan) blame(w world, failed failures) {
	for t, err := range failed {
		if apierrors.IsConflict(err) {
			continue
		}
		reason, stuck := fleetwrightv1.ReasonCreating, ""
		switch {
		case errors.Is(err, capi.ErrNotOurs):
			reason, stuck = fleetwrightv1.ReasonClusterNameTaken, fleetwrightv1.ReasonClusterNameTaken
		case apierrors.IsInvalid(err):
			reason, stuck = fleetwrightv1.ReasonInvalidSpec, fleetwrightv1.ReasonInvalidSpec
		}
		message := t.String() + ": " + err.Error()
		if p.leaving != "" {
			p.leavingMessage += "; " + message
			continue
		}
		for i := range p.pools {
			if pool := &p.pools[i]; t == pool.target(w) {
				pool.Ready, pool.Reason, pool.message, pool.stuck = metav1.ConditionFalse, reason, message, stuck
			}
		}
		if s := p.stepOf(t); s != nil {
			s.no(reason, message)
			if stuck != "" {
				s.stuck = stuck
			}
		}
	}
}

// stepOf is the step that an object belongs to. The additional config's are several; the first that is declared stands for them.
func (p *plan) stepOf(t target) *step {
	names := map[string][]fleetwrightv1.WorkloadClusterStepName{
		kindClaim: {fleetwrightv1.WorkloadClusterStepAddresses}, kindCluster: {fleetwrightv1.WorkloadClusterStepInfrastructure},
		kindNodepool: {fleetwrightv1.WorkloadClusterStepNodepools},
		kindConfig: {
			fleetwrightv1.WorkloadClusterStepRoleAssignments, fleetwrightv1.WorkloadClusterStepAutoscaler, fleetwrightv1.WorkloadClusterStepAzureSettings,
		},
	}
	for i := range p.steps {
		if s := &p.steps[i]; slices.Contains(names[t.kind], s.name) && (s.declared || t.kind != kindConfig) {
			return s
		}
	}
	return nil
}

// status is a report made from scratch; the former one only lends times.
func status(before *fleetwrightv1.WorkloadCluster, o *observation, now time.Time) fleetwrightv1.WorkloadClusterStatus {
	w, p := o.world, &o.plan
	set := condition.Stamp(conditions(w, p), before.Status.Conditions, before.Generation, now)
	s := fleetwrightv1.WorkloadClusterStatus{
		Conditions: set, ObservedGeneration: before.Generation, Version: w.state.Version, Class: w.class.key, EffectiveHash: w.effective.Hash,
		Addresses: first(o.intent.bound, maxRanges), ReadyTime: before.Status.ReadyTime,
	}
	if !w.state.Provisioned {
		s.Version = ""
	}
	seen, nodes := make([]waterfall.Seen, 0, len(p.steps)), int32(0)
	for i := range p.steps {
		seen = append(seen, p.steps[i].seen())
		if s.Step == "" && !p.steps[i].done {
			s.Step = p.steps[i].name
		}
	}
	s.Steps = waterfall.Steps(seen, before.Status.Steps, now)
	for i := range p.pools {
		if n := p.pools[i].ReadyReplicas; n != nil {
			nodes += *n
		}
		if len(s.Nodepools) < maxPools {
			s.Nodepools = append(s.Nodepools, p.pools[i].WorkloadClusterNodepoolStatus)
		}
	}
	for i := range first(p.addons, maxAddons) {
		s.Addons = append(s.Addons, p.addons[i].WorkloadClusterAddonStatus)
	}
	s.ReadyNodes = &nodes
	if ready := set[0]; s.ReadyTime.IsZero() && ready.Status == metav1.ConditionTrue {
		s.ReadyTime = readyTime(s.Steps, now)
	}
	if o.world.deleting() {
		s.Addresses = before.Status.Addresses
	}
	return s
}

// first are the first entries, so many at most.
func first[E any](all []E, most int) []E { return all[:min(len(all), most)] }

// readyTime is when the last step ended.
func readyTime(steps []fleetwrightv1.WorkloadClusterStep, now time.Time) metav1.Time {
	last := metav1.Time{}
	for i := range steps {
		if last.Before(&steps[i].FinishedTime) {
			last = steps[i].FinishedTime
		}
	}
	if last.IsZero() {
		last = metav1.NewTime(now)
	}
	return last
}

// conditions are all conditions of a WorkloadCluster, made anew each time. Ready comes first.
func conditions(w world, p *plan) []metav1.Condition {
	stalled, why := stuck(p)
	set := []metav1.Condition{readyCondition(w, p, stalled, why), p.available, p.upToDate}
	for i := range p.steps {
		s := &p.steps[i]
		set = append(set, condition.New(s.condition(), s.status, s.reason, "%s", s.message))
	}
	set = append(set, pausedCondition(w, p), condition.Deleting(p.leaving != "", p.leaving, p.leavingMessage))
	if p.adopted != nil {
		set = append(set, *p.adopted)
	}
	if stalled != "" {
		set = append(set, condition.New(fleetwrightv1.ConditionStalled, metav1.ConditionTrue, stalled, "%s", why))
	}
	return set
}

// readyCondition sums up: what the WorkloadCluster waits for before anything is written, the first step that is not done, what is held back,
// what is not gone yet.
func readyCondition(w world, p *plan, stalled, why string) metav1.Condition {
	no := func(reason, format string, args ...any) metav1.Condition {
		return condition.New(fleetwrightv1.ConditionReady, metav1.ConditionFalse, reason, format, args...)
	}
	done, first := 0, (*step)(nil)
	for i := range p.steps {
		switch s := &p.steps[i]; {
		case s.done:
			done++
		case first == nil:
			first = s
		}
	}
	switch {
	case p.leaving != "":
		return no(p.leaving, "%s", p.leavingMessage)
	case p.obstacle != nil:
		return no(p.obstacle.reason, "%s", p.obstacle.message)
	case first != nil:
		return condition.New(fleetwrightv1.ConditionReady, first.status, first.notReady(), "%d of %d steps done; %s", done, len(p.steps), first.message)
	case stalled != "":
		return no(stalled, "%s", why)
	case len(p.held) > 0:
		return no(fleetwrightv1.ReasonHeldBack, "%s", heldBack(w, p))
	case len(p.strays) > 0:
		return no(fleetwrightv1.ReasonNameTaken, "%s", stray(p.strays[0]))
	case len(p.removing) > 0:
		if p.waitsFor != "" {
			return no(fleetwrightv1.ReasonRemoving, "%s is removed when Nodepool %s has its nodes", p.removing[0].target, p.waitsFor)
		}
		return no(fleetwrightv1.ReasonRemoving, "%s is being removed%s", p.removing[0].target, about(p.removing[0]))
	}
	return condition.New(fleetwrightv1.ConditionReady, metav1.ConditionTrue, fleetwrightv1.ReasonReady, "all %d steps are done", len(p.steps))
}

func pausedCondition(w world, p *plan) metav1.Condition {
	kind := fleetwrightv1.ConditionPaused
	switch {
	case w.hold.Reason == "":
		return condition.New(kind, metav1.ConditionFalse, fleetwrightv1.ReasonNotPaused, "")
	case len(p.held) > 0:
		return condition.New(kind, metav1.ConditionTrue, w.hold.Reason, "%s", heldBack(w, p))
	}
	return condition.New(kind, metav1.ConditionTrue, w.hold.Reason, "%s; this object holds nothing back, and each Nodepool tells of itself", w.hold.Message)
}

// stuck is the first reason for which nothing goes on until a person acts.
func stuck(p *plan) (reason, message string) {
	switch {
	case p.leaving == fleetwrightv1.ReasonDeletionProtected:
		return "", ""
	case p.leaving != "":
		return p.leavingStuck()
	case p.obstacle != nil:
		if p.obstacle.stalled {
			return p.obstacle.reason, p.obstacle.message
		}
		return "", ""
	case p.stuckVersion != "":
		return p.stuckVersion, p.upToDate.Message
	}
	for i := range p.steps {
		if s := &p.steps[i]; s.stuck != "" {
			return s.stuck, s.message
		}
	}
	if len(p.strays) > 0 {
		return fleetwrightv1.ReasonNameTaken, stray(p.strays[0])
	}
	for _, c := range p.removing {
		if reason := c.stalled(); reason != "" {
			return reason, fmt.Sprintf("%s: %s", c.target, c.condition(fleetwrightv1.ConditionStalled).Message)
		}
	}
	return "", ""
}

func stray(c *child) string {
	return fmt.Sprintf("%s: it carries label %s and was not made of this WorkloadCluster: take the label off, or name it in the spec", c.target, fleetwrightv1.LabelWorkloadCluster)
}
