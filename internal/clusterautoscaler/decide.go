package clusterautoscaler

import (
	"fmt"
	"strings"
	"time"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/autoscalerprofile"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/drift"
	"github.com/fleetwright/fleetwright/internal/hold"
)

// world is what one look has shown.
type world struct {
	spec fleetwrightv1.AzureClusterAutoscalerSpec
	// wanted are the settings of the spec, as Azure writes them.
	wanted autoscalerprofile.Values
	hold   hold.Hold
	// deleting is about the object, leaving about its cluster.
	deleting, leaving bool
	// obstacle keeps the profile from being known; nil when it is.
	obstacle *obstacle
	// writer is what the profile is written to.
	writer fleetwrightv1.AutoscalerWriter
	// declared is CAPZ's object; empty when Azure is the writer.
	declared capi.AutoscalerProfile
	// azure is what Azure has; known is false when nobody tells, and unknown says why. live is true when Azure itself was asked, and not
	// the object of Azure Service Operator.
	azure       autoscalerprofile.InAzure
	known, live bool
	unknown     string
	// making is true while the cluster is being made.
	making bool
	// applied is true when Azure was seen to have this very profile before.
	applied bool
	// history is of the writes about this profile, if something differs.
	history []drift.Write
}

// obstacle is why nothing can be said about the profile.
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
	// working: this look does something, or what was done is on its way.
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
	// remember writes down on the object that Azure has the profile.
	remember action = "Remember"
	// write gives the settings their values in CAPZ's object, writeAzure in Azure.
	write      action = "Write"
	writeAzure action = "WriteAzure"
	// giveUp takes the settings back and then lets go.
	giveUp action = "GiveUp"
	// release leaves the settings as they are, takes our name off CAPZ's object, and lets go.
	release action = "Release"
	// letGo removes the finalizer.
	letGo action = "LetGo"
)

// plan is what follows from a world.
type plan struct {
	verdict verdict
	action  action
	// known is false when it cannot be said whether the profile is applied.
	known bool
	// reason and message are those of condition Applied, or of Deleting for an object that is being deleted.
	reason, message string
	// drift is what a difference means; the zero Verdict when there is none.
	drift drift.Verdict
	// again is when to look again, 0 when the next sweep or watch is soon enough.
	again time.Duration
}

// writes is true for a plan that gives the settings their values.
func (p plan) writes() bool { return p.action == write || p.action == writeAzure }

// String is the plan on one line, for the log.
func (p plan) String() string {
	return fmt.Sprintf("%s %s (%s: %s)", p.verdict, p.action, p.reason, p.message)
}

// Pauses between two looks at what only time or a person changes.
const (
	// soon is for what follows at once.
	soon = time.Second
	// slotPause is between two tries while another operation runs on the cluster, and between two looks at our own.
	slotPause = 30 * time.Second
	// personPause is between two tries of what a person has to change where no watch tells of it.
	personPause = 10 * time.Minute
)

// decide is the next thing for a profile: the first question whose answer is no. It is a function of its arguments.
func decide(w world, now time.Time) plan {
	switch {
	case w.deleting:
		return decideRemoval(w)
	case w.obstacle != nil:
		return plan{verdict: w.obstacle.verdict, action: nothing, known: true, reason: w.obstacle.reason, message: w.obstacle.message, again: w.obstacle.again}
	case w.throughCAPZ():
		return decideCAPZ(w, now)
	}
	return decideARM(w, now)
}

func (w world) throughCAPZ() bool {
	return w.writer != "" && w.writer != fleetwrightv1.AutoscalerWriterARM
}

// decideCAPZ is about a profile that CAPZ's object holds: the object is written, and CAPZ, Azure Service Operator and Azure follow. The
// object itself is the queue for the cluster's one operation, so that there is no slot to wait for here.
func decideCAPZ(w world, now time.Time) plan {
	if contended := w.declared.Contended(w.wanted); contended != nil {
		return plan{verdict: stuck, action: nothing, known: true, reason: fleetwrightv1.ReasonContendedByAnotherManager, message: contended.Error(), again: personPause}
	}
	if w.declared.NeedsWrite(w.wanted) {
		p := w.difference(w.declared.Declared, now)
		if len(p.drift.Fields) == 0 {
			// Only names are missing, or what the spec does not have any more is still there.
			p.message = fmt.Sprintf("%s %s is written", w.declared.Kind, w.declared.Object)
		}
		return w.unlessHeld(p)
	}
	return w.decideFollowed(now)
}

// decideFollowed is about what Azure has made of an object that is as it should be.
func (w world) decideFollowed(now time.Time) plan {
	written := fmt.Sprintf("written to %s %s", w.declared.Kind, w.declared.Object)
	switch {
	case !w.known && w.making:
		return plan{verdict: waiting, action: nothing, known: true, reason: fleetwrightv1.ReasonWaitingForCluster, message: written + "; the cluster is being made"}
	case !w.known:
		return plan{verdict: waiting, action: nothing, reason: fleetwrightv1.ReasonNotReadable, message: written + "; " + w.unknown, again: personPause}
	}
	differing := autoscalerprofile.Differing(w.wanted, w.azure.Values)
	if len(differing) == 0 {
		return w.inForce()
	}
	switch progress := w.declared.Progress; {
	case progress.State == capi.Failed:
		return plan{verdict: stuck, action: nothing, known: true, reason: fleetwrightv1.ReasonAzureRefused, message: written + ", and refused: " + progress.Message, again: personPause}
	case progress.State == capi.Done && w.applied:
		return w.healBehind(w.difference(w.azure.Values, now))
	}
	return plan{
		verdict: working, action: nothing, known: true, reason: fleetwrightv1.ReasonUnconfirmed,
		message: written + "; Azure does not show it yet: " + sentence(w.wanted, w.azure.Values, differing),
	}
}

// healBehind heals what was changed in Azure behind CAPZ's back. Azure Service Operator would write the very same values, but an hour
// later: nothing tells it to look now. So the one write to Azure is no second opinion, and only follows what Azure itself was asked.
func (w world) healBehind(p plan) plan {
	if p.action == write && !w.live {
		p = leftToASO(p)
	}
	return w.unlessHeld(w.inAzure(p))
}

// leftToASO is drift that Azure Service Operator heals, as it does in any case.
func leftToASO(p plan) plan {
	p.verdict, p.action, p.drift.Action, p.again = waiting, nothing, drift.Report, personPause
	p.message += "; Azure Service Operator writes it again at its next sync, which comes once an hour if its AZURE_SYNC_PERIOD says nothing else"
	return p
}

// decideARM is about a cluster that nobody but Azure has.
func decideARM(w world, now time.Time) plan {
	if len(autoscalerprofile.Differing(w.wanted, w.azure.Values)) == 0 {
		if w.azure.Busy != "" && !w.applied {
			return plan{
				verdict: working, action: nothing, known: true, reason: fleetwrightv1.ReasonUnconfirmed,
				message: "written to Azure; " + w.azure.Busy, again: slotPause,
			}
		}
		return w.inForce()
	}
	return w.unlessHeld(w.inAzure(w.difference(w.azure.Values, now)))
}

// inAzure makes a write one to Azure, in its turn: after the operation that runs on the cluster.
func (w world) inAzure(p plan) plan {
	if p.action != write {
		return p
	}
	p.action = writeAzure
	if w.azure.Busy != "" && !w.hold.Everything() {
		p.verdict, p.action, p.reason, p.again = waiting, nothing, fleetwrightv1.ReasonWaitingForSlot, slotPause
		p.message = w.azure.Busy + ", and Azure takes one operation at a time; then it is written: " + p.message
	}
	return p
}

// inForce is about a profile that Azure has.
func (w world) inForce() plan {
	p := plan{verdict: done, action: nothing, known: true, reason: fleetwrightv1.ReasonApplied, message: "Azure has every setting as declared"}
	if _, unreadable := autoscalerprofile.Settings(w.azure.Values); len(unreadable) > 0 {
		p.message += "; what it has of others cannot be shown: " + strings.Join(unreadable, ", ")
	}
	if !w.applied && !w.hold.Everything() {
		p.action = remember
	}
	return p
}

// difference is what follows from values that are not the wanted ones, where they are written.
func (w world) difference(found autoscalerprofile.Values, now time.Time) plan {
	p := plan{verdict: working, action: write, known: true, reason: fleetwrightv1.ReasonNotApplied}
	p.drift = drift.Decide(w.spec.DriftPolicy, w.look(found), w.history, now)
	if p.drift.Message != "" {
		p.message = p.drift.Message
	}
	switch p.drift.Action {
	case drift.Stop:
		p.verdict, p.action, p.reason = stuck, nothing, p.drift.Reason
	case drift.Report:
		p.verdict, p.action, p.reason = waiting, nothing, p.drift.Reason
	case drift.Adopt:
		p.verdict, p.action, p.reason = done, nothing, fleetwrightv1.ReasonDriftAdopted
	case drift.Heal:
		p.reason = p.drift.Reason
	case drift.Apply, drift.Leave:
	}
	return p
}

// look is the difference as package drift takes it.
func (w world) look(found autoscalerprofile.Values) drift.Look {
	l := drift.Look{Applied: w.applied}
	for _, key := range autoscalerprofile.Differing(w.wanted, found) {
		l.Fields = append(l.Fields, drift.Field{Path: autoscalerprofile.NameOf(key), Declared: w.wanted[key], Found: found[key]})
	}
	switch {
	case w.throughCAPZ() && w.declared.NeedsWrite(w.wanted):
		l.ChangedBy = w.declared.ListOwner
	case w.live:
		l.ChangedAt, l.ChangedBy = w.azure.ChangedAt, w.azure.ChangedBy
	}
	return l
}

// unlessHeld keeps a write back while somebody asks for that.
func (w world) unlessHeld(p plan) plan {
	if !p.writes() {
		return p
	}
	switch {
	case w.hold.Everything():
		p.verdict, p.action, p.reason = held, nothing, fleetwrightv1.ReasonNotApplied
		p.message = w.hold.Message
	case w.leaving:
		p.verdict, p.action, p.reason = waiting, nothing, fleetwrightv1.ReasonNotApplied
		p.message = fmt.Sprintf("Cluster %s is being deleted, so nothing is written any more", w.spec.ClusterName)
	}
	return p
}

// sentence lists what differs, at most three settings with their values.
func sentence(wanted, found autoscalerprofile.Values, differing []string) string {
	const most = 3
	var parts []string
	for i, key := range differing {
		if i == most {
			parts = append(parts, fmt.Sprintf("and %d more", len(differing)-most))
			break
		}
		parts = append(parts, drift.Field{Path: autoscalerprofile.NameOf(key), Declared: wanted[key], Found: found[key]}.String())
	}
	return strings.Join(parts, ", ")
}
