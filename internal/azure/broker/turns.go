package broker

import (
	"iter"
	"slices"
	"time"
)

// soonest keeps a look at the line from being the last one before its time by a rounding error.
const soonest = time.Millisecond

// advance lets through all who can go now, refuses those who would wait too long, and says when to look again: zero for
// when somebody comes or ends.
func (l *line) advance(now time.Time) (decided []*ticket, again time.Time) {
	for {
		for t := range l.all() {
			for _, b := range l.bucketsOf(t) {
				b.held, b.ahead = 0, 0
			}
		}
		for p := range l.flows {
			decided = append(decided, l.serve(now, Priority(p))...)
		}
		var refused []*ticket
		if refused, again = l.forecast(now); len(refused) == 0 {
			break
		}
		for _, t := range refused {
			l.leave(t)
		}
		decided = append(decided, refused...) // what they held is free for others now
	}
	if !again.IsZero() && again.Before(now.Add(soonest)) {
		again = now.Add(soonest)
	}
	return decided, again
}

// serve gives the flows of a priority their turns until none can go on. A flow that cannot, holds a token of each of its
// buckets if it is the first that lacks one, so that nobody who comes after it, of this priority or a lower one, takes what
// it waits for in one bucket while it waits for another.
func (l *line) serve(now time.Time, p Priority) (served []*ticket) {
	turns := l.flows[p]
	var stay []*flow
	for len(turns) > 0 {
		f := turns[0]
		turns = turns[1:]
		t := f.waiting[0]
		if !l.goes(now, t) {
			stay = append(stay, f)
			continue
		}
		for _, b := range l.bucketsOf(t) {
			b.take(now)
		}
		if t.changes != "" {
			l.busy[t.changes] = true
		}
		t.answer = &answer{wait: now.Sub(t.asked)}
		served = append(served, t)
		if f.waiting = f.waiting[1:]; len(f.waiting) > 0 {
			turns = append(turns, f)
		}
	}
	l.flows[p] = stay
	return served
}

// goes tells whether a request can go now; if not, it holds what it may.
func (l *line) goes(now time.Time, t *ticket) bool {
	lacks, first := l.busy[t.changes] && t.changes != "", true
	buckets := l.bucketsOf(t)
	for _, b := range buckets {
		if !b.has(now) {
			lacks = true
			first = first && b.held == 0
		}
	}
	if lacks && first {
		for _, b := range buckets {
			b.held++
		}
	}
	return !lacks
}

// forecast says who waits too long, and when the next one can go or gives up. Who is before whom is as it is now: others
// may still come before them, which the next look sees.
func (l *line) forecast(now time.Time) (refused []*ticket, again time.Time) {
	sooner := func(at time.Time) {
		if again.IsZero() || at.Before(again) {
			again = at
		}
	}
	for _, flows := range l.flows {
		for round, more := 0, true; more; round++ {
			more = false
			for _, f := range flows {
				if round >= len(f.waiting) {
					continue
				}
				more = true
				t := f.waiting[round]
				at, why := l.ready(now, t)
				busy := t.changes != "" && l.busy[t.changes]
				if at.After(t.until) || !now.Before(t.until) {
					t.answer = &answer{refused: true, busy: busy && !at.After(now), bucket: why, before: why.ahead, wait: at.Sub(now)}
					refused = append(refused, t)
					continue
				}
				for _, b := range l.bucketsOf(t) {
					b.ahead++
				}
				sooner(t.until)
				if !busy { // else its end is the next look
					sooner(at)
				}
			}
		}
	}
	return refused, again
}

// ready is when a request can go, after all who go before it, and the bucket that it waits for longest.
func (l *line) ready(now time.Time, t *ticket) (at time.Time, why *bucket) {
	at = now
	for _, b := range slices.Backward(l.bucketsOf(t)) {
		if r := b.ready(now, b.ahead+1); why == nil || r.After(at) {
			at, why = r, b
		}
	}
	return at, why
}

// all are those who wait.
func (l *line) all() iter.Seq[*ticket] {
	return func(yield func(*ticket) bool) {
		for _, flows := range l.flows {
			for _, f := range flows {
				for _, t := range f.waiting {
					if !yield(t) {
						return
					}
				}
			}
		}
	}
}
