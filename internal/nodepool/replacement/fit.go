package replacement

import (
	"fmt"
	"slices"
	"strconv"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// Fit is whether the pods of nodes that leave have a place on those that stay, by
// the scheduler's own word.
type Fit struct {
	// Of are the pods that were asked about.
	Of []PodsOf
	// Untold is why that cannot be told; empty when it can.
	Untold string
	// Unfit is how many of them have no place.
	Unfit int
	// Worst names one of the pods of which the most have none, Alike counts those
	// with it, and Why is what the scheduler would say.
	Worst, Why string
	Alike      int
	// Short is how many nodes more would give a place to those that only lack room.
	Short int
}

// Answers is true for an answer about just these pods, or for one that more than
// these have a place.
func (f Fit) Answers(of []PodsOf) bool {
	within := func(asked PodsOf) bool {
		return slices.ContainsFunc(f.Of, func(p PodsOf) bool {
			return p.Object == asked.Object && (p.Nodes == nil || asked.Nodes != nil && containsAll(p.Nodes, asked.Nodes))
		})
	}
	fitting := f.Unfit == 0 && f.Untold == ""
	return f.About(of) || fitting && !slices.ContainsFunc(of, func(asked PodsOf) bool { return !within(asked) })
}

func containsAll(all, some []string) bool {
	return !slices.ContainsFunc(some, func(s string) bool { return !slices.Contains(all, s) })
}

// About is true for the answer about just these pods.
func (f Fit) About(of []PodsOf) bool {
	return slices.EqualFunc(f.Of, of, func(a, b PodsOf) bool { return a.Object == b.Object && slices.Equal(a.Nodes, b.Nodes) })
}

// doTheirPodsFit is asked before the first node of pools is closed: the pods that
// leave must have a place. Once they are on their way it is not asked again. A
// Nodepool that is deleted was asked to go, whether or not its pods find another
// place, and a person may ask the same of any other.
func (l *look) doTheirPodsFit(pools []Pool) *Plan {
	var of []PodsOf
	open, begun := false, false
	for _, p := range pools {
		leave := slices.DeleteFunc(slices.Clone(p.Nodes), func(n Node) bool { return n.Quarantined })
		if p.Deleting || p.soaks() || len(leave) == 0 {
			continue
		}
		pods := PodsOf{Object: p.Object}
		if len(leave) < len(p.Nodes) {
			pods.Nodes = namesOf(leave) // what is on nodes that were given up stays there
		}
		of = append(of, pods)
		open = open || slices.ContainsFunc(leave, func(n Node) bool { return !n.Cordoned })
		begun = begun || !p.DrainStarted.IsZero() && (l.wanted == nil || p.DrainStarted.After(l.wanted.Created))
	}
	if len(of) == 0 || l.Nodepool.Deleting || begun && !open {
		return nil
	}
	plan := l.doPodsFit(of, fmt.Sprintf("pool %s", pools[0].Name))
	if plan == nil {
		return nil
	}
	return l.halfWay(plan)
}

// doesTheBatchFit is the same for one step of a shift. What is on its way already
// goes on. New nodes get ready one by one, and each adds to the batch; so it is
// first asked about as many as the step may come to, which answers for fewer, and
// about those whose turn it is when these are too many.
func (l *look) doesTheBatchFit(p Pool) *Plan {
	batch, open := l.batch(p)
	if len(open) == 0 || len(batch) == len(p.Nodes) {
		return nil // all that is left goes at once, which is asked about where it begins
	}
	of := []PodsOf{{Object: p.Object, Nodes: namesOf(batch)}}
	if most, _ := l.batchFor(p, int(l.wanted.size())); len(most) > len(batch) && !l.known(of) {
		if all := []PodsOf{{Object: p.Object, Nodes: namesOf(most)}}; !l.known(all) {
			of = all
		}
	}
	plan := l.doPodsFit(of, fmt.Sprintf("%s of pool %s", count(len(batch), "node"), p.Name))
	if plan == nil || len(plan.NeedsFit) > 0 {
		return plan
	}
	if going := slices.DeleteFunc(batch, func(n Node) bool { return !n.Cordoned }); len(going) > 0 {
		return l.shiftBatch(p, going)
	}
	return l.halfWay(plan)
}

// known is true once there is an answer about the pods.
func (l *look) known(of []PodsOf) bool {
	return slices.ContainsFunc(l.Fits, func(f Fit) bool { return f.Answers(of) })
}

func (l *look) doPodsFit(of []PodsOf, what string) *Plan {
	if l.Nodepool.SkipFitCheck {
		return nil
	}
	at := slices.IndexFunc(l.Fits, func(f Fit) bool { return f.Answers(of) })
	if at < 0 {
		return &Plan{
			Verdict: Moving, CheckAgain: soon, NeedsFit: of,
			Step: string(fleetwrightv1.ReplacementStepWaitingForGreen), Reason: fleetwrightv1.ReasonWaitingForGreen,
			Message: fmt.Sprintf("whether the pods on %s have a place elsewhere is not known yet", what),
		}
	}
	f := l.Fits[at]
	switch {
	case f.Untold != "":
		return &Plan{
			Verdict: Waiting, Reason: fleetwrightv1.ReasonPodsDoNotFit, CheckAgain: later,
			Message: fmt.Sprintf("whether the pods on %s have a place elsewhere cannot be told: %s; it is tried again, or %s", what, f.Untold, l.skipFitCheck()),
		}
	case f.Unfit == 0:
		return nil
	}
	message := fmt.Sprintf("%s on %s would have no place: pod %s", count(f.Unfit, "pod"), what, f.Worst)
	if f.Alike > 1 {
		message += fmt.Sprintf(" and %d like it", f.Alike-1)
	}
	message += ": " + f.Why
	if f.Short > 0 {
		message += fmt.Sprintf("; %s would make room", count(f.Short, "more node"))
	}
	return &Plan{
		Verdict: Waiting, Reason: fleetwrightv1.ReasonPodsDoNotFit, CheckAgain: later,
		Message: message + "; make room, change the pod, let a rule of spec.drain skip it, or " + l.skipFitCheck(),
	}
}

// skipFitCheck is how a person who knows better goes on.
func (l *look) skipFitCheck() string {
	generation := "<metadata.generation>" // of a spec that is proposed only
	if g := l.Nodepool.Generation; g > 0 {
		generation = strconv.FormatInt(g, 10)
	}
	return fmt.Sprintf("annotate the Nodepool with %s=%s to go on all the same", fleetwrightv1.AnnotationSkipFitCheck, generation)
}

func namesOf(nodes []Node) []string {
	names := make([]string, 0, len(nodes))
	for _, n := range nodes {
		names = append(names, n.Name)
	}
	slices.Sort(names)
	return names
}
