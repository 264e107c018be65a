package main

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/fleetwright/fleetwright/hack/benchazure/fakearm"
	"github.com/fleetwright/fleetwright/internal/drift/sweep"
)

// smallDay is an hour of 30 clusters with a storm. Each thing drifts so often in it.
func smallDay(t *testing.T, perHour float64) (things []*fakearm.Thing, trace []fakearm.Event) {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 1))
	things = fakearm.Fleet(30, 3, random)
	return things, fakearm.Trace(len(things), time.Hour, perHour, 40, random)
}

// TestEachDriftIsHealedOnceByEverybody: it is the claim about us, and what makes the pollers comparable.
func TestEachDriftIsHealedOnceByEverybody(t *testing.T) {
	things, trace := smallDay(t, 0.05)
	got, err := runOurs(t, life{things: things, trace: trace, length: time.Hour, every: sweep.DefaultEvery, seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	check(t, ours, got)
	if calls := perClusterHour(got.Calls.All(), size{30, 3}, time.Hour); calls > 20 {
		t.Errorf("%.1f calls per cluster and hour", calls)
	}
	for _, p := range pollers() {
		things, trace := smallDay(t, 0.05)
		got := p.run(things, trace, time.Hour, 1)
		if p.blind {
			if got.Calls.Needless == 0 {
				t.Errorf("%s writes nothing needless", p.name)
			}
			got.Calls.Needless = 0
		}
		check(t, p.name, got)
	}
}

// TestWhatIsFoughtOverIsLeftAlone: of things that drift every 20 minutes, those that have drifted three times within the hour are not
// healed any more, and nothing else is left.
func TestWhatIsFoughtOverIsLeftAlone(t *testing.T) {
	things, trace := smallDay(t, 0.3)
	drifts := map[int]int{}
	for _, e := range trace {
		if !e.Churn {
			drifts[e.Thing]++
		}
	}
	fights := 0
	for _, n := range drifts {
		if n >= 3 {
			fights++
		}
	}
	got, err := runOurs(t, life{things: things, trace: trace, length: time.Hour, every: sweep.DefaultEvery, seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	if got.Open == 0 || got.Open > fights || got.Puts != got.Drifts-got.Open || got.Stopped < got.Open {
		t.Errorf("%d of %d drifts are open, with %d writes and %d looks that wrote nothing; at most %d things are fought over", got.Open, got.Drifts, got.Puts, got.Stopped, fights)
	}
}

// TestWhatIsAsked counts the requests of one life: what healing costs is as much as the controllers' own stories say.
func TestWhatIsAsked(t *testing.T) {
	things := fakearm.Fleet(30, 3, rand.New(rand.NewPCG(1, 1)))
	assignment, profile := 1, 7
	trace := []fakearm.Event{{At: 10 * time.Minute, Thing: assignment}, {At: 11 * time.Minute, Thing: profile}}
	ask := func(trace []fakearm.Event) result {
		got, err := runOurs(t, life{things: fakearm.Fleet(30, 3, rand.New(rand.NewPCG(1, 1))), trace: trace, length: time.Hour, every: sweep.DefaultEvery, seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	quiet, drifted := ask(nil), ask(trace)
	if gets := drifted.Calls.Gets - quiet.Calls.Gets; gets != 1+3 {
		t.Errorf("%d GETs, want one of the assignment, and of the profile one more before the write and one after", gets)
	}
	// Who has deleted it, and perhaps the identities of one cluster and the role at one scope, which are kept for a time.
	if others := drifted.Calls.Others - quiet.Calls.Others; others < 1 || others > 3 || drifted.Calls.Puts != 2 {
		t.Errorf("%d other requests, %d PUTs", others, drifted.Calls.Puts)
	}
	if want := len(things) + 30 + 30 + 3*6; quiet.Restart < want || quiet.Restart > want+5 {
		t.Errorf("%d requests after a restart, want %d: each thing, identities and a window of each cluster, and the role at each scope", quiet.Restart, want)
	}
}

// TestADayThatSweepsCannotSee: of five subscriptions one cannot be read. Its things are looked at once a day, and drift in the others is
// found as ever.
func TestADayThatSweepsCannotSee(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	things := fakearm.Fleet(100, 5, random)
	blind := fakearm.SomeSubscriptions(things, 1)
	var trace []fakearm.Event
	for i, thing := range things {
		if !blind[thing.Subscription] && !thing.Profile && i%10 == 0 {
			trace = append(trace, fakearm.Event{At: time.Duration(i) * time.Minute, Thing: i})
		}
	}
	got, err := runOurs(t, life{things: things, trace: trace, length: day, every: sweep.DefaultEvery, seed: 1, blind: blind})
	if err != nil {
		t.Fatal(err)
	}
	if got.Open > 0 || percentile(got.Detect, 0, 0.95) > 5*time.Minute {
		t.Errorf("%d of %d are open, p95 of detection is %s", got.Open, got.Drifts, percentile(got.Detect, 0, 0.95))
	}
	// Besides, there is one GET of each drift and one of each thing a week.
	looks := got.Calls.Gets - got.Drifts - len(things)/7
	if each := float64(looks) / float64(len(things)/5); each > 2.2 || each < 0.9 {
		t.Errorf("%.2f looks a day at a thing that cannot be seen", each)
	}
}

func check(t *testing.T, who string, got result) {
	t.Helper()
	// One may be open that Resource Graph was never told of.
	if got.Drifts < 45 || got.Puts != got.Drifts-got.Open || got.Calls.Needless != 0 || got.Calls.Refused != 0 || got.Open > 1 {
		t.Errorf("%s: %d drifts, %d open, %d writes, %d of them needless, %d refused", who, got.Drifts, got.Open, got.Puts, got.Calls.Needless, got.Calls.Refused)
	}
}

func TestPercentileCountsWhatIsOpenAsLater(t *testing.T) {
	sorted := make([]time.Duration, 99)
	for i := range sorted {
		sorted[i] = time.Duration(i) * time.Second
	}
	if got := percentile(sorted, 1, 0.5); got != 50*time.Second {
		t.Errorf("the median is %s", got)
	}
	if got := percentile(sorted, 1, 0.99); got >= 0 {
		t.Errorf("p99 is %s although one of a hundred is open", got)
	}
}
