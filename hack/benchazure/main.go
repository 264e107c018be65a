// Command benchazure measures what it costs to find drift in Azure and to heal it, and how long it takes: this project's sweeper, decision,
// broker and Azure client beside pollers, each on an Azure in memory, through a virtual day.
//
// Usage:
//
//	benchazure [-out folder] [-seeds n] [-quick]
//
// It writes azure.json. Virtual time is that of testing/synctest, so nothing is left out of what runs, and a day takes seconds.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime/debug"
	"testing"
	"time"

	"github.com/fleetwright/fleetwright/hack/benchazure/fakearm"
	"github.com/fleetwright/fleetwright/hack/benchmarks/measurement"
	"github.com/fleetwright/fleetwright/internal/drift/sweep"
)

const (
	day = 24 * time.Hour
	// after is how long drifts of the day may still be healed: as long as the slowest poller needs.
	after      = 2 * time.Hour
	driftHour  = 0.01
	stormSize  = 500
	quickHours = 2
)

// size is one fleet.
type size struct {
	Clusters, Subscriptions int
}

func sizes() []size { return []size{{500, 13}, {2000, 100}} }

func main() {
	testing.Init()
	out := flag.String("out", "docs/benchmarks", "folder for the figures")
	seeds := flag.Int("seeds", 3, "how many different days")
	quick := flag.Bool("quick", false, "two hours of one fleet and one day, written nowhere")
	flag.Parse()
	debug.SetGCPercent(400) // rows are garbage at once, and little of it stays
	// Virtual time needs a test to live in. Main ends the process.
	testing.Main(func(string, string) (bool, error) { return true, nil }, []testing.InternalTest{{Name: "benchazure", F: func(t *testing.T) {
		if err := run(t, *out, *seeds, *quick, os.Stderr); err != nil {
			t.Fatal(err)
		}
	}}}, nil, nil)
}

func run(t *testing.T, out string, seeds int, quick bool, progress io.Writer) error {
	t.Helper()
	machine, err := measurement.ThisMachine()
	if err != nil {
		return err
	}
	b := &bench{t: t, progress: progress, length: day, seeds: seeds, sizes: sizes()}
	if quick {
		b.length, b.seeds, b.sizes = quickHours*time.Hour, 1, b.sizes[:1]
	}
	began := time.Now()
	if err := b.measure(); err != nil {
		return err
	}
	m := b.report(machine, time.Since(began))
	if quick {
		for _, f := range m.Figures {
			b.say("%s: %s %s (%s) %s", f.Name, f.Value, f.Unit, f.Spread, f.Note)
		}
		for _, t := range m.Tables {
			b.say("%s\n%v", t.Title, t.Columns)
			for _, row := range t.Rows {
				b.say("%v", row)
			}
		}
		return nil
	}
	if err := m.Save(out); err != nil {
		return err
	}
	b.say("Wrote %d figures to %s/%s.json after %s", len(m.Figures), out, m.Name, time.Since(began).Round(time.Second))
	return nil
}

// bench holds what was measured: by fleet and by who, one result for each seed.
type bench struct {
	t        *testing.T
	progress io.Writer
	length   time.Duration
	seeds    int
	sizes    []size
	runs     []runOf
	// tradeoff are runs of the smaller fleet with other times between two looks.
	tradeoff []runOf
	// blind is a day of the smaller fleet, some of whose subscriptions sweeps cannot read.
	blind runOf
}

type runOf struct {
	Size  size
	Who   string
	Every time.Duration
	// Blind is how many subscriptions sweeps cannot read.
	Blind   int
	Results []result
}

func (b *bench) say(format string, args ...any) {
	_, _ = fmt.Fprintf(b.progress, format+"\n", args...) // a closed terminal is no reason to fail
}

const ours = "Fleetwright"

func (b *bench) measure() error {
	for _, s := range b.sizes {
		b.runs = append(b.runs, runOf{Size: s, Who: ours, Every: sweep.DefaultEvery})
		for _, p := range pollers() {
			b.runs = append(b.runs, runOf{Size: s, Who: p.name, Every: p.every})
		}
	}
	for seed := range b.seeds {
		for i := range b.runs {
			// In turns from both ends, though in virtual time nothing can disturb anything.
			at := i
			if seed%2 == 1 {
				at = len(b.runs) - 1 - i
			}
			if err := b.one(&b.runs[at], uint64(seed+1)); err != nil {
				return err
			}
		}
	}
	for _, every := range []time.Duration{time.Minute, sweep.DefaultEvery, 210 * time.Second, 5 * time.Minute, 10 * time.Minute} {
		r := runOf{Size: b.sizes[0], Who: ours, Every: every}
		if err := b.one(&r, 1); err != nil {
			return err
		}
		b.tradeoff = append(b.tradeoff, r)
	}
	b.blind = runOf{Size: b.sizes[0], Who: ours, Every: sweep.DefaultEvery, Blind: (b.sizes[0].Subscriptions + 4) / 5}
	return b.one(&b.blind, 1)
}

// one lives through a day: the same fleet and the same drifts for everybody who gets the same seed.
func (b *bench) one(r *runOf, seed uint64) error {
	random := rand.New(rand.NewPCG(seed, 1))
	things := fakearm.Fleet(r.Size.Clusters, r.Size.Subscriptions, random)
	trace := fakearm.Trace(len(things), b.length, driftHour, stormSize, random)
	began := time.Now()
	var got result
	if r.Who == ours {
		var err error
		l := life{things: things, trace: trace, length: b.length, every: r.Every, seed: seed, blind: fakearm.SomeSubscriptions(things, r.Blind)}
		if got, err = runOurs(b.t, l); err != nil {
			return err
		}
	} else {
		for _, p := range pollers() {
			if p.name == r.Who {
				got = p.run(things, trace, b.length, seed)
			}
		}
	}
	if got.Drifts == 0 {
		return errors.New("nothing has drifted: there is nothing to be measured")
	}
	r.Results = append(r.Results, got)
	b.say("%4d clusters, day %d: %s, every %s: %.3f calls per cluster and hour, detection p99 %s, %d open, in %s", r.Size.Clusters, seed, r.Who, r.Every,
		perClusterHour(got.Calls.All(), r.Size, b.length), percentile(got.Detect, got.Open, 0.99).Round(time.Second), got.Open, time.Since(began).Round(time.Millisecond))
	return nil
}

func perClusterHour(calls int, s size, length time.Duration) float64 {
	return float64(calls) / float64(s.Clusters) / length.Hours()
}
