package broker

import (
	"math"
	"time"

	"golang.org/x/time/rate"
)

const (
	// travel is how long a request may be on its way. Azure refills no bucket beyond its size, so tokens that were taken
	// long before they are spent can be missing there: each bucket is kept smaller by what comes back in this time.
	travel = time.Second
	// unsaid is how long a bucket is closed by a 429 that does not say how long.
	unsaid = 5 * time.Second
	// longest is how long at most: nothing that Azure publishes takes longer than an hour to come back.
	longest = time.Hour
)

// bucket is one token bucket and who waits for it.
type bucket struct {
	need
	// limiter is nil for a limit that is not published.
	limiter *rate.Limiter
	// closed is until when nothing goes, by a 429.
	closed time.Time
	// users are the requests that wait for it or are under way.
	users int
	// held and ahead are counts within one look at the line: tokens kept for those who go first, and who would take one
	// before the next.
	held, ahead int
}

func newBucket(n need) *bucket {
	b := &bucket{need: n}
	if n.limit.size > 0 {
		b.limiter = rate.NewLimiter(n.limit.refill, n.limit.size-margin(n.limit))
	}
	return b
}

func margin(l *limit) int { return int(math.Ceil(float64(l.refill) * travel.Seconds())) }

// tokens is how many there are, without end where nothing is published.
func (b *bucket) tokens(now time.Time) float64 {
	if b.limiter == nil {
		return math.Inf(1)
	}
	return b.limiter.TokensAt(now)
}

// has is true when a token is left beside those that are held.
func (b *bucket) has(now time.Time) bool {
	return !now.Before(b.closed) && b.tokens(now) >= float64(1+b.held)
}

func (b *bucket) take(now time.Time) {
	if b.limiter != nil {
		b.limiter.ReserveN(now, 1)
	}
}

// ready is when the bucket has given n tokens more, if nobody else takes any.
func (b *bucket) ready(now time.Time, n int) time.Time {
	at := now
	if missing := float64(n) - b.tokens(now); missing > 0 {
		// Rounded up, so that the token is there at that time.
		at = now.Add(time.Duration(missing/float64(b.limit.refill)*float64(time.Second)) + time.Microsecond)
	}
	if at.Before(b.closed) {
		return b.closed
	}
	return at
}

// lower takes tokens away until no more than so many are left.
func (b *bucket) lower(now time.Time, left float64) {
	left = max(left, 0)
	if b.limiter == nil || b.tokens(now) <= left {
		return
	}
	// A limiter gives whole tokens only. One that was emptied when the rest began to come back has just what is left now.
	b.limiter = rate.NewLimiter(b.limit.refill, b.limiter.Burst())
	b.limiter.ReserveN(now.Add(-time.Duration(left/float64(b.limit.refill)*float64(time.Second))), b.limiter.Burst())
}

// shut closes the bucket for a time: Azure has found it empty, and will have a token then.
func (b *bucket) shut(now time.Time, wait time.Duration) {
	if wait <= 0 {
		wait = unsaid
	}
	wait = min(wait, longest)
	b.lower(now, 1-float64(b.limit.refill)*wait.Seconds())
	if until := now.Add(wait); until.After(b.closed) {
		b.closed = until
	}
}

// idle is true for a bucket that a new one would be equal to.
func (b *bucket) idle(now time.Time) bool {
	return b.users == 0 && !now.Before(b.closed) && (b.limiter == nil || b.tokens(now) >= float64(b.limiter.Burst()))
}
