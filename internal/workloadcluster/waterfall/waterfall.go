// Package waterfall tells where the time of a cluster's creation went, from the times of the objects that it is made of.
package waterfall

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// Seen is one step as it is now.
type Seen struct {
	Name     fleetwrightv1.WorkloadClusterStepName
	Declared bool
	Done     bool
	// Started and Finished are the objects' own times: creationTimestamp, and the last transition of what made it done. Zero when not told.
	Started, Finished time.Time
	Message           string
}

// maxMessage is the most characters that a step's message may have.
const maxMessage = 1024

// Steps are those of status: of each declared step when it began and when it had ended for the first time. What was told before stays; what was
// not, or was wiped, is told from the objects' times, and the end of a step whose objects do not tell it is now. A step that has not begun has no
// time. No step ends before it begins, or in the future.
func Steps(seen []Seen, before []fleetwrightv1.WorkloadClusterStep, now time.Time) []fleetwrightv1.WorkloadClusterStep {
	told := make(map[fleetwrightv1.WorkloadClusterStepName]fleetwrightv1.WorkloadClusterStep, len(before))
	for _, b := range before {
		told[b.Name] = b
	}
	var out []fleetwrightv1.WorkloadClusterStep
	for _, s := range seen {
		if s.Declared {
			out = append(out, step(s, told[s.Name], now))
		}
	}
	return out
}

func step(s Seen, before fleetwrightv1.WorkloadClusterStep, now time.Time) fleetwrightv1.WorkloadClusterStep {
	started := first(before.StartedTime.Time, s.Started)
	finished := before.FinishedTime.Time
	if finished.IsZero() && s.Done {
		finished = first(s.Finished, now)
	}
	if !finished.IsZero() {
		started = first(started, finished)
		finished = later(finished, started)
	}
	out := fleetwrightv1.WorkloadClusterStep{Name: s.Name, StartedTime: shown(started, now), FinishedTime: shown(finished, now)}
	if finished.IsZero() {
		out.Message = clip(s.Message)
	}
	return out
}

// shown is a time as the API server keeps it, in whole seconds, and never in the future: clocks of several machines have a part in it.
func shown(t, now time.Time) metav1.Time {
	if t.IsZero() {
		return metav1.Time{}
	}
	if now.Before(t) {
		t = now
	}
	return metav1.NewTime(t.Truncate(time.Second))
}

// first is the first time that was told.
func first(times ...time.Time) time.Time {
	for _, t := range times {
		if !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

func clip(message string) string {
	if r := []rune(message); len(r) > maxMessage {
		return string(r[:maxMessage-3]) + "..."
	}
	return message
}
