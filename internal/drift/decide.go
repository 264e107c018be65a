package drift

import (
	"fmt"
	"slices"
	"time"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// Three opposite writes within an hour are no drift but another manager.
const (
	oppositeWrites = 3
	contentionSpan = time.Hour
)

// Action is what is to be done.
type Action string

// The actions.
const (
	// Leave means: everything is as declared.
	Leave Action = "Leave"
	// Apply means: the spec was never in force; write it. This is no drift.
	Apply Action = "Apply"
	// Heal means: write the declared values once.
	Heal Action = "Heal"
	// Report means: write nothing; the object is not ready.
	Report Action = "Report"
	// Adopt means: write nothing; the object is ready, and its status says what the spec would have to say.
	Adopt Action = "Adopt"
	// Stop means: write nothing; somebody else writes the opposite again and again, and a person has to decide.
	Stop Action = "Stop"
)

// Look is what one GET has shown.
type Look struct {
	// Fields is what Compare said of it.
	Fields []Field
	// Applied tells whether the present spec was in force before. Without, a difference is work to be done and no drift.
	Applied bool
	// ChangedAt is when Azure says it was changed last, zero if it does not say. ChangedBy is by whom, empty likewise.
	ChangedAt time.Time
	ChangedBy string
}

// Write is one change of the thing in Azure, ours or another's.
type Write struct {
	At   time.Time
	Ours bool
	// By is who wrote, where it is known.
	By string
}

// Verdict is what is to be done, and the words for condition, event and log.
type Verdict struct {
	Action Action
	// Reason is a reason of the API; empty when there is nothing to say.
	Reason string
	// Message has no full stop.
	Message string
	// Fields are those of the look.
	Fields []Field
	// ChangedBy is who did it, where it is known.
	ChangedBy string
}

// Decide says what is to be done about a look. history is what is known of the writes for the present spec, oldest first, with the one that
// led to this look (Memory keeps it). An empty policy is Heal.
//
// Only Heal can be fought over: the other policies write nothing. Once somebody else is at work it stays so until the thing is as declared
// again or the spec is changed, however much time goes by: to begin again after an hour would be the same fight, more slowly.
func Decide(policy fleetwrightv1.DriftPolicy, look Look, history []Write, now time.Time) Verdict {
	if len(look.Fields) == 0 {
		return Verdict{Action: Leave}
	}
	if !look.Applied {
		return Verdict{Action: Apply, Fields: look.Fields, Message: sentence(look.Fields)}
	}
	v := Verdict{Reason: fleetwrightv1.ReasonDrifted, Fields: look.Fields, ChangedBy: look.ChangedBy, Message: sentence(look.Fields) + changed(look, now)}
	switch policy {
	case fleetwrightv1.DriftPolicyReport:
		v.Action = Report
		v.Message += "; driftPolicy Report leaves it so"
	case fleetwrightv1.DriftPolicyAdopt:
		v.Action = Adopt
		v.Message += "; driftPolicy Adopt lives with it: put what was found into the spec"
	default:
		v.Action = Heal
		if first, contended := contention(history); contended {
			v.Action, v.Reason = Stop, fleetwrightv1.ReasonContendedByAnotherManager
			v.Message = fmt.Sprintf("%s has written the opposite %d times since %s (%s): "+
				"end that, or take these fields out of the spec, or set driftPolicy to Report",
				whoever(look.ChangedBy, history), oppositeWrites, first.UTC().Format(time.TimeOnly), sentence(look.Fields))
		}
	}
	return v
}

// Fought tells whether the drift that stands at now is at least the second within an hour. Then who writes the opposite is worth a question:
// the third is left to him.
func Fought(history []Write, now time.Time) bool {
	all := opposites(history)
	return len(all) > 1 && now.Sub(all[len(all)-2]) <= contentionSpan
}

// contention tells whether the last three opposite writes came within an hour, and when the first of them did.
func contention(history []Write) (first time.Time, contended bool) {
	all := opposites(history)
	n := len(all)
	if n < oppositeWrites {
		return time.Time{}, false
	}
	first = all[n-oppositeWrites]
	return first, all[n-1].Sub(first) <= contentionSpan
}

// opposites are the times of the opposite writes: those of another's that came after one of ours, or first of all. Several in a row are one
// change of mind.
func opposites(history []Write) []time.Time {
	var out []time.Time
	for i, w := range history {
		if !w.Ours && (i == 0 || history[i-1].Ours) {
			out = append(out, w.At)
		}
	}
	return out
}

// whoever is the name of the other manager: that of this look, else the last that is known.
func whoever(now string, history []Write) string {
	if now != "" {
		return now
	}
	for _, w := range slices.Backward(history) {
		if !w.Ours && w.By != "" {
			return w.By
		}
	}
	return "somebody else (Azure does not say who)"
}

// changed says who and when, as far as Azure tells.
func changed(look Look, now time.Time) string {
	out := ""
	if look.ChangedBy != "" {
		out += ", changed by " + look.ChangedBy
	}
	if !look.ChangedAt.IsZero() && now.After(look.ChangedAt) {
		if out == "" {
			out += ", changed"
		}
		out += " " + now.Sub(look.ChangedAt).Round(time.Second).String() + " ago"
	}
	return out
}
