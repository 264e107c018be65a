package replacement

import (
	"fmt"
	"strings"
	"time"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/agentpool"
)

// areAskedPoolsOurs takes pools over that exist already, or tells what taking
// them over would change. A pool of ours that was adopted and replaced since is
// missed by nobody.
func (l *look) areAskedPoolsOurs() *Plan {
	for _, a := range l.Adoptable {
		note := l.adoption(a)
		if a.Mine || len(l.Pools) > 0 && note != nil && !note.Action.writes() && note.Wish == nil {
			// What serves is not held up by what is only told.
			continue
		}
		return note
	}
	return nil
}

// adoption is what is done about one pool that is asked for; nil when it is
// ours, or was and is gone.
func (l *look) adoption(a Adoptable) *Plan {
	switch {
	case a.Mine, !a.Found && len(l.Pools) > 0:
		return nil
	case !a.Found:
		return &Plan{
			Verdict: Stuck, Reason: fleetwrightv1.ReasonMachinePoolNotFound, CheckAgain: later,
			Message: fmt.Sprintf("spec.adoption names MachinePool %s, which Cluster %s does not have: name one that exists, or take the line out to have a new pool made", a.Object, l.Cluster.Name),
		}
	case a.Owner == l.Nodepool.Name:
		return &Plan{
			Verdict: Stuck, Reason: fleetwrightv1.ReasonAlreadyOwned, CheckAgain: later,
			Message: fmt.Sprintf("spec.adoption names MachinePool %s, which belongs to an earlier Nodepool of this name: %s", a.Object, l.takeItOver(a.Object)),
		}
	case a.Owner != "":
		return &Plan{
			Verdict: Stuck, Reason: fleetwrightv1.ReasonAlreadyOwned, CheckAgain: later,
			Message: fmt.Sprintf("spec.adoption names MachinePool %s, which belongs to Nodepool %s: delete that one with deletionPolicy Retain first", a.Object, a.Owner),
		}
	case a.Topology:
		return &Plan{
			Verdict: Stuck, Reason: fleetwrightv1.ReasonAlreadyOwned, CheckAgain: later,
			Message: fmt.Sprintf("spec.adoption names MachinePool %s, which Cluster %s makes from spec.topology.workers.machinePools and would make again: take it out there without deleting it first", a.Object, l.Cluster.Name),
		}
	case !l.Nodepool.Adopt:
		return &Plan{
			Verdict: Waiting, Reason: fleetwrightv1.ReasonDiffers, CheckAgain: whenIdle,
			Message: fmt.Sprintf("pool %s is not taken over yet: %s; set adoption.policy Adopt to go on", a.Name, l.adoptionDifference(a)),
		}
	}
	if plan := l.slot(Waiting, RankInPlace, "take over pool "+a.Name); plan != nil {
		return plan
	}
	return &Plan{
		Verdict: Moving, CheckAgain: soon,
		Step: string(fleetwrightv1.ReplacementStepAdopting), Reason: fleetwrightv1.ReasonUpdatingInPlace,
		Message: fmt.Sprintf("takes over pool %s (MachinePool %s): no node and no pod is touched", a.Name, a.Object),
		Action:  Action{Kind: AdoptPool, Object: a.Object, Pool: a.Name},
	}
}

// takeItOver says how the pool of an earlier Nodepool becomes this one's.
func (l *look) takeItOver(object string) string {
	return fmt.Sprintf("set annotation %s=%s on MachinePool %s and on its infrastructure object to take it over, or delete that MachinePool", fleetwrightv1.AnnotationNodepoolUID, l.Nodepool.UID, object)
}

// Adoption tells, in the words of the plan, of the first pool that is asked for
// and not this Nodepool's yet; empty when all are.
func Adoption(w World, now time.Time) (reason, message string) {
	l := newLook(w, now)
	for _, a := range l.Adoptable {
		if note := l.adoption(a); note != nil {
			return note.Reason, note.Message
		}
	}
	return "", ""
}

func (l *look) adoptionDifference(a Adoptable) string {
	inPlace, replace := agentpool.Split(agentpool.Changes(l.Nodepool.Spec, a.Spec))
	var parts []string
	if len(inPlace) > 0 {
		parts = append(parts, "it would be changed in place: "+agentpool.Describe(inPlace))
	}
	if len(replace) > 0 {
		parts = append(parts, "it would be replaced for "+agentpool.Describe(replace))
	}
	if len(parts) == 0 {
		return "it is as the spec says"
	}
	return strings.Join(parts, "; ")
}
