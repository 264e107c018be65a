package sweep

import "time"

// Outcome is what a look at a thing itself has shown, and has led to.
type Outcome string

// The outcomes.
const (
	// AsDeclared means: nothing was different.
	AsDeclared Outcome = "AsDeclared"
	// Healed means: it had drifted, and the declared values were written.
	Healed Outcome = "Healed"
	// Standing means: it has drifted and stays so, by its policy, because somebody holds it back, or because of a fight.
	Standing Outcome = "Standing"
)

const (
	// lag is how late Resource Graph may be.
	lag = 10 * time.Minute
	// skew is how far clocks may be apart.
	skew = time.Minute
)

// known is what is known of a thing besides its rows. It saves requests and decides nothing: without it a thing is looked at once more.
type known struct {
	// at and outcome are those of the last look at the thing itself; zero when none was told.
	at      time.Time
	outcome Outcome
	// agreed tells that a row has shown the same as that look since. So Resource Graph has caught up, and what it shows next is new.
	agreed bool
	// until is when the controller comes back by itself, if it says so.
	until time.Time
	// woken is when a sweep has woken the controller last. pause is for how long rows that say nothing new wake it no more after that, or
	// after a look: it doubles each time, from lag to Rest.
	woken time.Time
	pause time.Duration
	// hidden is when a sweep first met a thing that it could not see and that nobody had looked at; zero when a row has shown it since.
	hidden time.Time
}

func (k known) looked() bool { return !k.at.IsZero() }

// shows tells whether a row shows the same as the last look.
func (k known) shows(asDeclared bool) bool {
	return k.looked() && asDeclared == (k.outcome != Standing)
}

// shown tells whether a row has shown the thing as declared since the last look. Where drift stands a row that is missing agrees as well, so
// that says nothing.
func (k known) shown() bool { return k.agreed && k.shows(true) }

// wakes tells whether a row calls for a look, and whether it is news: then the pauses begin anew. changed is when Azure says that the thing
// was changed last, zero if the row does not say, or is not there.
func (k known) wakes(asDeclared bool, changed, now time.Time) (wakes, news bool) {
	switch {
	case asDeclared && k.outcome != Standing:
		return false, false
	case now.Before(k.until):
		return false, false
	case !k.looked() && k.woken.IsZero():
		return true, true
	case !changed.IsZero() && k.looked() && older(changed, k, now):
		return false, false
	case !changed.IsZero() && changed.After(k.woken):
		return true, true
	case k.agreed && !k.shows(asDeclared):
		return true, true
	}
	return !k.paused(now), false
}

// paused tells whether rows that say nothing new have to wait.
func (k known) paused(now time.Time) bool {
	last := k.at
	if k.woken.After(last) {
		last = k.woken
	}
	return now.Sub(last) < max(k.pause, lag)
}

// older tells whether a row says less than what is known: the thing was changed at changed, and looked at itself at k.at. Times within a
// minute of each other may be out of order, by clocks that differ, so they are trusted only until Resource Graph has caught up, or for as
// long as it may be late.
func older(changed time.Time, k known, now time.Time) bool {
	late := !k.agreed && now.Sub(k.at) < lag
	return changed.Before(k.at.Add(-skew)) || (late && !changed.After(k.at))
}

// afterWake is what is known once the controller was woken.
func (k known) afterWake(news bool, now time.Time) known {
	if news {
		k.pause = lag
	} else {
		k.pause = min(2*max(k.pause, lag), Rest)
	}
	k.woken, k.agreed = now, false
	return k
}

// learns tells whether a row that shows the same as what is known changes what is known.
func (k known) learns(asDeclared bool) bool {
	if k.looked() && !k.shows(asDeclared) {
		return false
	}
	return k.looked() && !k.agreed || asDeclared && (k.pause > 0 || !k.hidden.IsZero())
}

// afterRow is what is known then. Where the thing is as declared, the matter is over.
func (k known) afterRow(asDeclared bool) known {
	k.agreed = k.looked()
	if asDeclared {
		k.woken, k.pause, k.hidden = time.Time{}, 0, time.Time{}
	}
	return k
}
