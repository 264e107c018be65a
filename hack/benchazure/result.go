package main

import (
	"slices"
	"time"

	"github.com/fleetwright/fleetwright/hack/benchazure/fakearm"
)

// result is what one run has shown.
type result struct {
	Calls fakearm.Calls
	// Drifts is how many there were, and Open how many were not healed at the end.
	Drifts, Open int
	// Puts are those about drifts.
	Puts int
	// Detect and Heal are sorted, of all drifts, and Storm is when those of the storm were healed.
	Detect, Heal, Storm []time.Duration
	// FalseAlarms are looks at things that were as declared; Stopped are drifts that were taken for a fight.
	FalseAlarms, Stopped int
	// Restart is how many requests another process makes that knows nothing.
	Restart int
}

func newResult(calls fakearm.Calls, episodes []*fakearm.Episode) result {
	r := result{Calls: calls, Drifts: len(episodes)}
	for _, e := range episodes {
		r.Puts += e.Puts
		if e.Healed.IsZero() {
			r.Open++
			continue
		}
		r.Detect = append(r.Detect, e.Detected.Sub(e.Drifted))
		healed := e.Healed.Sub(e.Drifted)
		r.Heal = append(r.Heal, healed)
		if e.Storm {
			r.Storm = append(r.Storm, healed)
		}
	}
	slices.Sort(r.Detect)
	slices.Sort(r.Heal)
	slices.Sort(r.Storm)
	return r
}

// percentile of sorted times; what is still open counts as later than all.
func percentile(sorted []time.Duration, open int, p float64) time.Duration {
	i := int(p * float64(len(sorted)+open))
	if i >= len(sorted) {
		return -1
	}
	return sorted[i]
}
