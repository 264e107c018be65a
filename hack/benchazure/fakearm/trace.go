package fakearm

import (
	"math/rand/v2"
	"slices"
	"time"
)

// Event is something that happens to a thing.
type Event struct {
	At    time.Duration
	Thing int
	// Churn changes nothing that is declared. Storm is a drift that comes with many others.
	Churn, Storm bool
}

// Trace says what happens to so many things within a time: each drifts, and each is churned, with so much probability per hour, and in the
// middle storm of them drift at once.
func Trace(things int, length time.Duration, perHour float64, storm int, random *rand.Rand) []Event {
	var out []Event
	mean := time.Duration(float64(time.Hour) / perHour / float64(things))
	for _, churn := range []bool{false, true} {
		for at := exponential(random, mean); at < length; at += exponential(random, mean) {
			out = append(out, Event{At: at, Thing: random.IntN(things), Churn: churn})
		}
	}
	for _, thing := range random.Perm(things)[:storm] {
		out = append(out, Event{At: length / 2, Thing: thing, Storm: true})
	}
	slices.SortStableFunc(out, func(a, b Event) int { return int(a.At - b.At) })
	return out
}

func exponential(random *rand.Rand, mean time.Duration) time.Duration {
	return time.Duration(random.ExpFloat64() * float64(mean))
}

// Apply makes it happen.
func (a *Azure) Apply(now time.Time, e Event) {
	if e.Churn {
		a.Churn(now, a.Things[e.Thing])
		return
	}
	a.Change(now, a.Things[e.Thing], e.Storm)
}
