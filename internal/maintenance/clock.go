package maintenance

import (
	"time"
)

// opens is the first opening after t, or zero when there is none within searchYears.
func (w window) opens(t time.Time) time.Time {
	last := t.AddDate(searchYears, 0, 0)
	for t.Before(last) {
		// Openings and changes of the clocks come at full seconds, so the first moment to look at is the next one.
		p := periodOf(t.Truncate(time.Second).Add(time.Second), w.zone)
		next := earlier(w.openingIn(p, t), w.openingSkippedBefore(p, t))
		if !next.IsZero() {
			return next
		}
		if p.end.IsZero() {
			return time.Time{}
		}
		t = p.end.Add(-time.Second)
		// Most changes of the clocks until a rare opening need no look: no zone is two days away from UTC.
		if wall := w.wall.Next(t.UTC().Add(-farFromUTC)); wall.IsZero() {
			return time.Time{}
		} else if near := wall.Add(-farFromUTC); near.After(t) {
			t = near
		}
	}
	return time.Time{}
}

const farFromUTC = 48 * time.Hour

// period is a time during which a zone keeps its distance from UTC.
type period struct {
	// start and end are zero when it has none.
	start, end time.Time
	// offset is the distance from UTC, before that of the period before.
	offset, before time.Duration
}

func periodOf(t time.Time, zone *time.Location) period {
	local := t.In(zone)
	var p period
	p.start, p.end = local.ZoneBounds()
	p.offset = offsetOf(local)
	p.before = p.offset
	if !p.start.IsZero() {
		p.before = offsetOf(p.start.Add(-time.Second))
	}
	return p
}

func offsetOf(t time.Time) time.Duration {
	_, seconds := t.Zone()
	return time.Duration(seconds) * time.Second
}

// openingIn is the first opening after t, of those whose local time the clocks show first in this period.
func (w window) openingIn(p period, t time.Time) time.Time {
	from := t.UTC().Add(p.offset)
	if shown := p.start.UTC().Add(p.before - time.Second); !p.start.IsZero() && p.before > p.offset && from.Before(shown) {
		// The clocks were put back: up to here they had shown these times before.
		from = shown
	}
	wall := w.wall.Next(from)
	if wall.IsZero() {
		return time.Time{}
	}
	return within(p, wall.Add(-p.offset))
}

// openingSkippedBefore is the first opening after t, of those whose local time the clocks skipped when the period began.
func (w window) openingSkippedBefore(p period, t time.Time) time.Time {
	if p.start.IsZero() || p.before >= p.offset {
		return time.Time{}
	}
	from := t.UTC().Add(p.before)
	if skipped := p.start.UTC().Add(p.before - time.Second); from.Before(skipped) {
		from = skipped
	}
	wall := w.wall.Next(from)
	if wall.IsZero() || !wall.Before(p.start.UTC().Add(p.offset)) {
		return time.Time{}
	}
	return within(p, wall.Add(-p.before))
}

func within(p period, t time.Time) time.Time {
	if !p.end.IsZero() && !t.Before(p.end) {
		return time.Time{}
	}
	return t
}

// earlier is the earlier of two times, of which either may be zero.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}
