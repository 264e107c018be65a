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
	got, err := runOurs(t, things, trace, time.Hour, sweep.DefaultEvery, 1)
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
	got, err := runOurs(t, things, trace, time.Hour, sweep.DefaultEvery, 1)
	if err != nil {
		t.Fatal(err)
	}
	if got.Open == 0 || got.Open > fights || got.Puts != got.Drifts-got.Open || got.Stopped < got.Open {
		t.Errorf("%d of %d drifts are open, with %d writes and %d looks that wrote nothing; at most %d things are fought over", got.Open, got.Drifts, got.Puts, got.Stopped, fights)
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
