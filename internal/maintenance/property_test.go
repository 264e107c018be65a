package maintenance_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/maintenance"
)

// changes are moments at which clocks change: by an hour, by half an hour, at midnight, by a day, and not at all.
var changes = []struct{ zone, at string }{
	{"Europe/Berlin", "2026-03-29T01:00:00Z"}, {"Europe/Berlin", "2026-10-25T01:00:00Z"},
	{"America/New_York", "2026-03-08T07:00:00Z"}, {"America/New_York", "2026-11-01T06:00:00Z"},
	{"Australia/Lord_Howe", "2026-04-04T15:00:00Z"}, {"Australia/Lord_Howe", "2026-10-03T15:30:00Z"},
	{"Africa/Cairo", "2026-04-23T22:00:00Z"}, {"Africa/Casablanca", "2026-02-15T02:00:00Z"},
	{"America/Sao_Paulo", "2018-11-04T03:00:00Z"}, {"Pacific/Apia", "2011-12-30T10:00:00Z"},
	{"Asia/Kathmandu", "2026-06-01T00:00:00Z"}, {"UTC", "2026-12-31T23:00:00Z"}, {"", "2028-02-29T12:00:00Z"},
}

// Random policies agree with a reading, minute by minute, of what the local clock shows.
func TestWindowsAgreeWithTheClockOnTheWall(t *testing.T) {
	for seed := range uint64(120) {
		random := rand.New(rand.NewPCG(seed, 1))
		change := changes[random.IntN(len(changes))]
		spec := fleetwrightv1.MaintenanceWindow{
			Name: "w", Schedule: randomSchedule(random), TimeZone: change.zone, DurationSeconds: int32(900 + 60*random.IntN(3*24*60)),
		}
		if random.IntN(2) == 0 {
			spec.DurationSeconds = int32(900 + random.IntN(3600))
		}
		policy := fleetwrightv1.MaintenancePolicy{Windows: []fleetwrightv1.MaintenanceWindow{spec}}
		centre := at(t, change.at)
		openings := readTheWall(t, spec, centre.Add(-5*24*time.Hour), centre.Add(3*24*time.Hour))
		duration := time.Duration(spec.DurationSeconds) * time.Second
		for range 300 {
			now := centre.Add(time.Duration(random.IntN(48*3600)-24*3600) * time.Second)
			if random.IntN(2) == 0 && len(openings) > 0 { // at an edge
				now = openings[random.IntN(len(openings))].Add([]time.Duration{0, -time.Second, duration, duration - time.Second}[random.IntN(4)])
			}
			if now.Before(centre.Add(-36*time.Hour)) || now.After(centre.Add(36*time.Hour)) {
				continue
			}
			got, err := maintenance.At(policy, now)
			if err != nil {
				t.Fatalf("seed %d: %+v: %v", seed, spec, err)
			}
			if want := expected(openings, duration, now); !agrees(want, got, centre.Add(3*24*time.Hour)) {
				t.Fatalf("seed %d: %+v at %s: got %s, the wall says %s", seed, spec, now.UTC().Format(time.RFC3339), say(got), say(want))
			}
		}
	}
}

func expected(openings []time.Time, duration time.Duration, now time.Time) maintenance.State {
	var s maintenance.State
	for _, o := range openings {
		if !o.After(now) && now.Before(o.Add(duration)) {
			s = maintenance.State{Open: true, Window: "w", Until: o.Add(duration)}
		}
	}
	if !s.Open {
		for _, o := range openings {
			if o.After(now) {
				s.Next = o
				break
			}
		}
	}
	return s
}

// agrees leaves the next opening open when it lies beyond what was read off the wall.
func agrees(want, got maintenance.State, read time.Time) bool {
	if want.Open != got.Open || !want.Until.Equal(got.Until) {
		return false
	}
	if want.Next.IsZero() && !want.Open {
		return !got.Next.Before(read)
	}
	return want.Next.Equal(got.Next)
}

// readTheWall walks through time by minutes and notes what a local clock shows: each local time once, when it is first shown;
// those that the clock jumps over as much later as it jumps.
func readTheWall(t *testing.T, spec fleetwrightv1.MaintenanceWindow, from, to time.Time) []time.Time {
	t.Helper()
	zone, err := time.LoadLocation(spec.TimeZone)
	if err != nil {
		t.Fatal(err)
	}
	shown := func(t time.Time) time.Time {
		l := t.In(zone)
		return time.Date(l.Year(), l.Month(), l.Day(), l.Hour(), l.Minute(), 0, 0, time.UTC)
	}
	latest := shown(from).Add(-time.Minute)
	var out []time.Time
	for now := from; now.Before(to); now = now.Add(time.Minute) {
		begin := latest
		for wall := begin.Add(time.Minute); !wall.After(shown(now)); wall = wall.Add(time.Minute) {
			if fits(spec.Schedule, wall) {
				out = append(out, now.Add(wall.Sub(begin)-time.Minute))
			}
			latest = wall
		}
		// The jump itself is the last wall time; what was skipped comes later than now by its distance from the one before.
		if jump := latest.Sub(begin); jump > time.Minute && len(out) > 0 && fits(spec.Schedule, latest) {
			out[len(out)-1] = now
		}
	}
	slices.SortFunc(out, time.Time.Compare)
	return slices.CompactFunc(out, time.Time.Equal)
}

// fits reads a schedule of numbers, ranges and steps.
func fits(schedule string, wall time.Time) bool {
	values := []int{wall.Minute(), wall.Hour(), wall.Day(), int(wall.Month()), int(wall.Weekday())}
	for i, field := range strings.Fields(schedule) {
		lowest := []int{0, 0, 1, 1, 0}[i]
		if !slices.ContainsFunc(strings.Split(field, ","), func(part string) bool { return fitsPart(part, values[i], lowest) }) {
			return false
		}
	}
	return true
}

func fitsPart(part string, value, lowest int) bool {
	span, step, stepped := strings.Cut(part, "/")
	every := 1
	if stepped {
		every, _ = strconv.Atoi(step)
	}
	if span == "*" {
		return (value-lowest)%every == 0
	}
	first, last, ranged := strings.Cut(span, "-")
	low, _ := strconv.Atoi(first)
	high := low
	if ranged {
		high, _ = strconv.Atoi(last)
	}
	return value >= low && value <= high && (value-low)%every == 0
}

func randomSchedule(random *rand.Rand) string {
	field := func(low, high int) string {
		a := low + random.IntN(high-low+1)
		b := a + random.IntN(high-a+1)
		switch random.IntN(5) {
		case 0:
			return strconv.Itoa(a)
		case 1:
			return fmt.Sprintf("%d-%d", a, b)
		case 2:
			return fmt.Sprintf("*/%d", 1+random.IntN(high))
		case 3:
			return fmt.Sprintf("%d,%d", a, b)
		}
		return "*"
	}
	days, weekday := field(1, 28), "*"
	if random.IntN(2) == 0 {
		days, weekday = "*", field(0, 6)
	}
	return strings.Join([]string{field(0, 59), field(0, 23), days, "*", weekday}, " ")
}

func FuzzAt(f *testing.F) {
	f.Add("0 22 * * 1-4", int32(28800), "Europe/Berlin", int64(1774746000))
	f.Add(",,, * * * *", int32(900), "", int64(0))
	f.Add("0 0 30 2 *", int32(900), "UTC", int64(1774746000))
	f.Add("TZ=0 * * * *", int32(0), "Local", int64(-1))
	f.Add("0 0 L * *", int32(604800), "Pacific/Apia", int64(1325239200))
	f.Add("? ? ? ? ?#L", int32(-5), "../x", int64(1)<<40)
	f.Fuzz(func(t *testing.T, schedule string, seconds int32, zone string, unix int64) {
		now := time.Unix(unix%(1<<35), 0)
		window := fleetwrightv1.MaintenanceWindow{Name: "w", Schedule: schedule, DurationSeconds: seconds, TimeZone: zone}
		got, err := maintenance.At(fleetwrightv1.MaintenancePolicy{Windows: []fleetwrightv1.MaintenanceWindow{window}}, now)
		switch {
		case err != nil && !strings.HasPrefix(err.Error(), "maintenance window w: "):
			t.Errorf("the error does not name the window: %v", err)
		case err == nil && got.Open && !got.Until.After(now):
			t.Errorf("open until %s, which is not after %s", got.Until, now)
		case err == nil && !got.Open && !got.Next.After(now):
			t.Errorf("opens at %s, which is not after %s", got.Next, now)
		}
	})
}
