package maintenanceconfiguration

import (
	"fmt"
	"time"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/drift"
	"github.com/fleetwright/fleetwright/internal/hold"
)

// world is what one look has shown.
type world struct {
	spec fleetwrightv1.AzureMaintenanceConfigurationSpec
	hold hold.Hold
	// deleting is about the object. clusterGone is true when there is no Cluster, or it is being deleted.
	deleting, clusterGone bool
	// obstacle keeps the window from being known; nil when it is.
	obstacle *obstacle
	// found is what Azure has, nil for none. fields are those in which it is not as declared.
	found  *inAzure
	fields []drift.Field
	// applied is true when the declared window was in Azure before; everApplied when any of this object's was.
	applied, everApplied bool
	// own is true when what Azure has is this object's: it is as declared, or as this object's window was when it was last seen in Azure.
	own bool
	// history is of the writes about the window, if it differs.
	history []drift.Write
}

// obstacle is why nothing can be said about the window.
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
	// remember writes down on the object that its window was found in Azure.
	remember action = "Remember"
	// write gives Azure the window.
	write action = "Write"
	// takeOut deletes the window from Azure, then lets go.
	takeOut action = "TakeOut"
	// letGo removes the finalizer.
	letGo action = "LetGo"
)

// plan is what follows from a world.
type plan struct {
	verdict verdict
	action  action
	// reason and message are those of condition Applied, or of Deleting for an object that is being deleted.
	reason, message string
	// drift is what a difference means; the zero Verdict when there is none.
	drift drift.Verdict
	// again is when to look again, 0 when the usual time is soon enough.
	again time.Duration
}

// String is the plan on one line, for the log.
func (p plan) String() string {
	return fmt.Sprintf("%s %s (%s: %s)", p.verdict, p.action, p.reason, p.message)
}

// decide is the next thing for a maintenance configuration. It is a function of its arguments.
func decide(w world, now time.Time) plan {
	switch {
	case w.deleting:
		return decideRemoval(w)
	case w.obstacle != nil:
		return plan{verdict: w.obstacle.verdict, action: nothing, reason: w.obstacle.reason, message: w.obstacle.message, again: w.obstacle.again}
	case len(w.fields) == 0:
		return decideSame(w)
	}
	p := plan{verdict: working, action: write, reason: fleetwrightv1.ReasonNotApplied}
	look := drift.Look{Fields: w.fields, Applied: w.applied}
	if w.found != nil {
		look.ChangedAt, look.ChangedBy = w.found.changedAt, w.found.changedBy
	}
	p.drift = drift.Decide(w.spec.DriftPolicy, look, w.history, now)
	p.message = p.drift.Message
	if p.drift.Action != drift.Apply {
		p.reason = p.drift.Reason
	}
	switch {
	case p.drift.Action == drift.Stop:
		p.verdict, p.action = stuck, nothing
	case p.drift.Action == drift.Report:
		p.verdict, p.action = waiting, nothing
	case p.drift.Action == drift.Adopt:
		p.verdict, p.action, p.reason = done, nothing, fleetwrightv1.ReasonDriftAdopted
	case w.hold.Everything():
		p.verdict, p.action, p.message = held, nothing, w.hold.Message+"; "+p.message
	}
	return p
}

func decideSame(w world) plan {
	p := plan{verdict: done, action: nothing, reason: fleetwrightv1.ReasonApplied, message: "Azure has the window as it is declared"}
	if !w.applied && !w.hold.Everything() {
		p.action = remember
	}
	return p
}
