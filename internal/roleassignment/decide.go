package roleassignment

import (
	"fmt"
	"time"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/azure/roles"
	"github.com/fleetwright/fleetwright/internal/drift"
	"github.com/fleetwright/fleetwright/internal/hold"
)

// world is what one look has shown.
type world struct {
	spec fleetwrightv1.AzureRoleAssignmentSpec
	hold hold.Hold
	// deleting is about the object, leaving about its cluster.
	deleting, leaving bool
	// obstacle keeps the assignment from being known; nil when it is.
	obstacle *obstacle
	// wanted is the assignment under the name that Fleetwright gives. Without an obstacle all of it is known.
	wanted roles.Assignment
	// found is the equal assignment that Azure has, under whatever name; nil for none.
	found *roles.Assignment
	// marked is true when the object's annotation knows what was found; applied when it knows of one for this principal.
	marked, applied bool
	// gone is who deleted it, as far as Azure tells, and history is of the writes about it before; only if it was there and is missing.
	gone    drift.Look
	history []drift.Write
	// left are the assignments that go with a deleted object, as they were found. shared are the other objects that have one of them, by
	// the key of its id.
	left   []roles.Assignment
	shared map[string]string
}

// obstacle is why nothing can be said about the assignment.
type obstacle struct {
	verdict         verdict
	reason, message string
	again           time.Duration
}

// verdict is how things stand.
type verdict string

const (
	// done: there is nothing to do.
	done verdict = "Done"
	// working: this look does something.
	working verdict = "Working"
	// waiting: something else has to happen first, by itself.
	waiting verdict = "Waiting"
	// held: somebody asked for it to be left undone.
	held verdict = "Held"
	// stuck: a person has to act.
	stuck verdict = "Stuck"
)

// action is the one thing that a look does.
type action string

const (
	nothing action = "None"
	// remember writes down on the object what was found.
	remember action = "Remember"
	// assign makes the assignment.
	assign action = "Assign"
	// unassign deletes target from Azure.
	unassign action = "Unassign"
	// letGo removes the finalizer.
	letGo action = "LetGo"
)

// plan is what follows from a world.
type plan struct {
	verdict verdict
	action  action
	// target is what is deleted.
	target roles.Assignment
	// reason and message are those of condition Assigned, or of Deleting for an object that is being deleted.
	reason, message string
	// drift is what a missing assignment means; the zero Verdict when it is not missing.
	drift drift.Verdict
	// again is when to look again, 0 when the next sweep or watch is soon enough.
	again time.Duration
}

// String is the plan on one line, for the log.
func (p plan) String() string {
	return fmt.Sprintf("%s %s (%s: %s)", p.verdict, p.action, p.reason, p.message)
}

// Pauses between two looks at what only time or a person changes.
const (
	// soon is for what follows at once.
	soon = time.Second
	// identityPause is between two questions for an identity that nothing tells of; watches tell the rest.
	identityPause = 30 * time.Second
	// personPause is between two tries of what a person has to change outside the cluster: a right that is granted is not told to us.
	personPause = 10 * time.Minute
)

// decide is the next thing for an assignment: the first question whose answer is no. It is a function of its arguments.
func decide(w world, now time.Time) plan {
	switch {
	case w.deleting:
		return decideRemoval(w)
	case w.obstacle != nil:
		return plan{verdict: w.obstacle.verdict, action: nothing, reason: w.obstacle.reason, message: w.obstacle.message, again: w.obstacle.again}
	case w.found != nil:
		return decideFound(w)
	}
	return decideMissing(w, now)
}

func decideFound(w world) plan {
	p := plan{verdict: done, action: nothing, reason: fleetwrightv1.ReasonAssigned, message: describe(*w.found)}
	if !w.found.ByUs() && w.spec.ExistingPolicy == fleetwrightv1.ExistingPolicyReport {
		p.verdict, p.reason = waiting, fleetwrightv1.ReasonExistsElsewhere
		p.message = fmt.Sprintf("somebody else has made the same assignment, %s: delete it, or set existingPolicy to Adopt", w.found.ID)
		return p
	}
	if !w.marked && !w.hold.Everything() {
		p.action = remember
	}
	return p
}

// describe says what was found, and what it does not do.
func describe(a roles.Assignment) string {
	text := "assigned"
	if !a.ByUs() {
		text = "adopted, made by somebody else as " + a.ID
	}
	if a.Condition != "" {
		text += "; a condition that somebody set narrows what it allows"
	}
	return text
}

func decideMissing(w world, now time.Time) plan {
	p := plan{verdict: working, action: assign, reason: fleetwrightv1.ReasonNotAssigned, message: "the assignment is made"}
	look := drift.Look{Fields: []drift.Field{{Path: drift.Missing}}}
	if w.applied {
		look = w.gone
	}
	p.drift = drift.Decide(w.spec.DriftPolicy, look, w.history, now)
	if p.drift.Action != drift.Apply {
		p.reason, p.message = p.drift.Reason, p.drift.Message
	}
	switch {
	case p.drift.Action == drift.Stop:
		p.verdict, p.action = stuck, nothing
	case p.drift.Action == drift.Report:
		p.verdict, p.action = waiting, nothing
	case p.drift.Action == drift.Adopt:
		p.verdict, p.action = done, nothing
		// The spec cannot be made to say that there is none.
		p.message = "it is missing; driftPolicy Adopt lives with it: delete this AzureRoleAssignment if nobody needs it"
	case w.hold.Everything():
		p.verdict, p.action = held, nothing
		p.message = w.hold.Message
	case w.leaving:
		p.verdict, p.action = waiting, nothing
		p.message = fmt.Sprintf("Cluster %s is being deleted, so nothing is assigned any more", w.spec.ClusterName)
	}
	return p
}

// decideRemoval says what happens to the assignments of an object that is deleted: those that Fleetwright made and no other object has
// are deleted one by one; those that were adopted stay.
func decideRemoval(w world) plan {
	p := plan{verdict: working, action: letGo, reason: fleetwrightv1.ReasonReleasing, message: "nothing is left to delete in Azure"}
	switch {
	case w.spec.DeletionPolicy == fleetwrightv1.DeletionPolicyProtect:
		return plan{verdict: held, action: nothing, reason: fleetwrightv1.ReasonDeletionProtected, message: "deletionPolicy is Protect: set it to Delete or Retain"}
	case w.hold.Everything():
		return plan{verdict: held, action: nothing, reason: w.hold.Reason, message: w.hold.Message}
	case w.spec.DeletionPolicy == fleetwrightv1.DeletionPolicyRetain:
		p.reason, p.message = fleetwrightv1.ReasonRetaining, "the assignment stays in Azure"
		return p
	case w.obstacle != nil:
		return plan{
			verdict: w.obstacle.verdict, action: nothing, reason: w.obstacle.reason, again: w.obstacle.again,
			message: w.obstacle.message + "; deletionPolicy Retain leaves the assignment in Azure",
		}
	}
	for _, a := range w.left {
		if other := w.shared[key(a.ID)]; !a.ByUs() || other != "" {
			continue
		}
		if w.hold.Disruption() {
			return plan{verdict: held, action: nothing, reason: w.hold.Reason, message: fmt.Sprintf("%s; the assignment stays meanwhile", w.hold.Message)}
		}
		p.action, p.target = unassign, a
		p.message = fmt.Sprintf("role assignment %s is deleted", a.ID)
		return p
	}
	for _, a := range w.left {
		if other := w.shared[key(a.ID)]; other != "" {
			p.message = fmt.Sprintf("AzureRoleAssignment %s has the same assignment, so it stays", other)
		} else {
			p.message = fmt.Sprintf("%s was made by somebody else, so it stays", a.ID)
		}
	}
	return p
}
