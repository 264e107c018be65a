// Package maintenance says whether a maintenance window is open, as a function of the policy and the time.
//
// A window opens at the times of its schedule, told in its time zone, and stays open for its duration in elapsed seconds,
// across midnight and across changes of the clocks. Clock changes are read as RFC 5545 (calendars) reads them: an opening
// at a local time that is skipped happens as much later as the clocks jump (02:30 becomes 03:30), and one at a local time
// that comes twice happens the first time only.
package maintenance

import (
	"fmt"
	"sort"
	"strings"
	"time"
	_ "time/tzdata" // time zones must not depend on what is in the image

	"github.com/netresearch/go-cron"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// State is what a policy says at one time.
type State struct {
	// Open is true while a replacement may begin: a window is open, or there are none.
	Open bool
	// Window is the name of the open window that closes last, of several the first in the policy. Empty when none is open
	// or there are none.
	Window string
	// Until is when that window closes. Another one, or the same again, may have opened by then. Zero without Window.
	Until time.Time
	// Next is when the next window opens, while none is open. Zero otherwise.
	Next time.Time
}

// At reads the policy and says whether a window is open at now: from the second it opens, up to and without the second it
// closes. An error names the window, the field, its value and what to write instead.
func At(policy fleetwrightv1.MaintenancePolicy, now time.Time) (State, error) {
	if len(policy.Windows) == 0 {
		return State{Open: true}, nil
	}
	var state State
	for _, spec := range policy.Windows {
		w, err := parse(spec)
		if err != nil {
			return State{}, fmt.Errorf("maintenance window %s: %w", spec.Name, err)
		}
		next := w.opens(now)
		if next.IsZero() {
			return State{}, fmt.Errorf("maintenance window %s: schedule %q names a time that never comes: choose days that exist", spec.Name, spec.Schedule)
		}
		if state.Next.IsZero() || next.Before(state.Next) {
			state.Next = next
		}
		if until := w.closes(now); until.After(state.Until) {
			state.Open, state.Window, state.Until = true, spec.Name, until
		}
	}
	if state.Open {
		state.Next = time.Time{}
	}
	return state, nil
}

// window is one that was understood.
type window struct {
	// wall gives the schedule's times on a clock that never changes, in UTC.
	wall     cron.Schedule
	duration time.Duration
	zone     *time.Location
}

// searchYears is enough for the rarest schedule: a fifth Monday in February.
const searchYears = 50

var parser = cron.MustNewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.DomL | cron.DowNth | cron.DowLast).
	WithMaxSearchYears(searchYears)

func parse(spec fleetwrightv1.MaintenanceWindow) (window, error) {
	zone, err := loadZone(spec.TimeZone)
	if err != nil {
		return window{}, err
	}
	if strings.Contains(spec.Schedule, "TZ=") {
		return window{}, fmt.Errorf("schedule %q names a time zone: write it into timeZone", spec.Schedule)
	}
	if fields := strings.Fields(spec.Schedule); len(fields) == 5 && restricts(fields[2]) && restricts(fields[4]) {
		return window{}, fmt.Errorf(`schedule %q restricts both day of month and day of week, of which cron needs one and others both: write * for one of them ("0 22 * * MON#1" is the first Monday)`, spec.Schedule)
	}
	schedule, err := parser.Parse(spec.Schedule)
	if err != nil {
		return window{}, fmt.Errorf(`schedule %q cannot be read (%w): write the five fields of cron, for example "0 22 * * 1-4"`, spec.Schedule, err)
	}
	times, ok := schedule.(*cron.SpecSchedule)
	if !ok || lacksField(times) {
		return window{}, fmt.Errorf(`schedule %q leaves a field empty: write the five fields of cron, for example "0 22 * * 1-4"`, spec.Schedule)
	}
	times.Location = time.UTC
	return window{wall: times, duration: time.Duration(spec.DurationSeconds) * time.Second, zone: zone}, nil
}

// lacksField is true for a field of commas only, which the parser takes for no time at all and then searches for long.
func lacksField(s *cron.SpecSchedule) bool {
	return s.Minute == 0 || s.Hour == 0 || s.Month == 0 || (s.Dom == 0 && len(s.DomConstraints) == 0) || (s.Dow == 0 && len(s.DowConstraints) == 0)
}

func restricts(days string) bool { return days != "*" && days != "?" }

func loadZone(name string) (*time.Location, error) {
	if name == "" {
		return time.UTC, nil
	}
	// "Local" would be whatever the operator's container has.
	zone, err := time.LoadLocation(name)
	if err != nil || zone == time.Local {
		return nil, fmt.Errorf("timeZone %q is no time zone of the IANA database: write a name such as Europe/Berlin, or leave it out for UTC", name)
	}
	return zone, nil
}

// closes is when the latest opening up to now ends, or zero when it has ended.
func (w window) closes(now time.Time) time.Time {
	start := now.Add(-w.duration)
	begun := func(seconds int) bool { return !w.opens(start.Add(time.Duration(seconds) * time.Second)).After(now) }
	if w.duration <= 0 || !begun(0) {
		return time.Time{}
	}
	// The latest opening is the first one after the latest moment that has one between it and now.
	seconds := sort.Search(int(w.duration/time.Second), func(s int) bool { return !begun(s + 1) })
	return w.opens(start.Add(time.Duration(seconds) * time.Second)).Add(w.duration)
}
