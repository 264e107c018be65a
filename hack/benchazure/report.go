package main

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fleetwright/fleetwright/hack/benchazure/fakearm"
	"github.com/fleetwright/fleetwright/hack/benchmarks/measurement"
	"github.com/fleetwright/fleetwright/internal/drift/sweep"
)

// metric is one number of a run.
type metric func(r runOf, one result, length time.Duration) float64

func callsPer(r runOf, one result, length time.Duration) float64 {
	return perClusterHour(one.Calls.All(), r.Size, length)
}

// putsPer is about drifts that were healed: openAtEnd tells the others.
func putsPer(_ runOf, one result, _ time.Duration) float64 {
	return float64(one.Puts+one.Calls.Needless) / float64(one.Drifts-one.Open)
}

func openAtEnd(_ runOf, one result, _ time.Duration) float64 { return float64(one.Open) }

func refusals(_ runOf, one result, _ time.Duration) float64 { return float64(one.Calls.Refused) }

func needless(_ runOf, one result, _ time.Duration) float64 { return float64(one.Calls.Needless) }

func restartPer(r runOf, one result, _ time.Duration) float64 {
	return float64(one.Restart) / float64(r.Size.Clusters)
}

func falseAlarms(_ runOf, one result, _ time.Duration) float64 { return float64(one.FalseAlarms) }

func timeOf(of func(result) []time.Duration, p float64) metric {
	return func(_ runOf, one result, _ time.Duration) float64 {
		if t := percentile(of(one), one.Open, p); t >= 0 {
			return t.Seconds()
		}
		return math.Inf(1)
	}
}

func detect(one result) []time.Duration { return one.Detect }
func heal(one result) []time.Duration   { return one.Heal }
func storm(one result) []time.Duration  { return one.Storm }

// bound is the least that can be: each page of rows once in each round, one GET and one PUT per drift.
func bound(s size, length time.Duration, one result) float64 {
	pages := 2 * ((s.Clusters + 999) / 1000) // a row for each cluster, and one for each principal
	sweeps := float64(pages) * float64(time.Hour) / float64(sweep.DefaultEvery) / float64(s.Clusters)
	return sweeps + perClusterHour(2*one.Drifts, s, length)
}

func (b *bench) report(machine measurement.Machine, took time.Duration) measurement.Measurement {
	m := measurement.Measurement{
		Name: "azure", Title: "Azure: what drift costs to be found and healed", Command: "make bench-azure", Machine: machine,
		Date: time.Now().Format(time.DateOnly), Repeats: b.seeds, Note: note(took),
	}
	for _, r := range b.runs {
		if r.Who == ours {
			m.Figures = append(m.Figures, b.figures(r)...)
		}
	}
	m.Figures = append(m.Figures, b.figure(b.blind, fmt.Sprintf("Calls per cluster and hour, %d clusters, sweeps cannot read %d of %d subscriptions",
		b.blind.Size.Clusters, b.blind.Blind, b.blind.Size.Subscriptions), callsPer, "", "one day, bar 0.5; drift there is found within a day"))
	for _, s := range b.sizes {
		m.Tables = append(m.Tables, b.beside(s))
	}
	m.Tables = append(m.Tables, b.trade())
	m.Runs, _ = json.Marshal(b.raw())
	return m
}

func (b *bench) figures(r runOf) []measurement.Figure {
	of := fmt.Sprintf(", %d clusters", r.Size.Clusters)
	least := make([]float64, len(r.Results))
	for i, one := range r.Results {
		least[i] = bound(r.Size, b.length, one)
	}
	return []measurement.Figure{
		b.figure(r, "Calls per cluster and hour"+of, callsPer, "",
			fmt.Sprintf("bar 0.5, goal 0.2; at least %s with a look every %s", decimals(middle(least)), sweep.DefaultEvery)),
		b.figure(r, "Detection, p50"+of, timeOf(detect, 0.5), "s", ""),
		b.figure(r, "Detection, p99"+of, timeOf(detect, 0.99), "s", "bar 300"),
		b.figure(r, "Detection, the slowest"+of, timeOf(detect, 0.99999), "s", "a change that Resource Graph was not told, found by its next full scan"),
		b.figure(r, "Healing, p99"+of, timeOf(heal, 0.99), "s", "until Azure has taken the write"),
		b.figure(r, "Storm of 500 drifts, until 99 of 100 are healed"+of, timeOf(storm, 0.99), "s", ""),
		b.figure(r, "PUTs per drift that was healed"+of, putsPer, "", "bar exactly 1"),
		b.figure(r, "PUTs of what was as declared"+of, needless, "", "bar 0"),
		b.figure(r, "Drifts that were not healed"+of, openAtEnd, "", "the third of a thing within an hour is taken for a fight"),
		b.figure(r, "Requests refused with 429"+of, refusals, "", "bar 0"),
		b.figure(r, "Looks at what was as declared"+of, falseAlarms, "", "in a day"),
		b.figure(r, "Calls per cluster of a restart"+of, restartPer, "", "not among those per hour: one a week is 0.05 of them"),
	}
}

func (b *bench) figure(r runOf, name string, of metric, unit, note string) measurement.Figure {
	values := b.values(r, of)
	f := measurement.Figure{Name: name, Value: json.Number(decimals(middle(values))), Unit: unit, Note: note}
	if low, high := decimals(values[0]), decimals(values[len(values)-1]); low != high {
		f.Spread = low + " to " + high
	}
	return f
}

// values of all seeds, sorted.
func (b *bench) values(r runOf, of metric) []float64 {
	values := make([]float64, len(r.Results))
	for i, one := range r.Results {
		values[i] = of(r, one, b.length)
	}
	slices.Sort(values)
	return values
}

func middle(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// decimals rounds to what can be trusted.
func decimals(v float64) string {
	switch {
	case math.IsInf(v, 0):
		return "never"
	case v == math.Trunc(v), v >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 3, 64)
}

func (b *bench) beside(s size) measurement.Table {
	t := measurement.Table{
		Title: fmt.Sprintf("%d clusters x %d things in %d subscription-regions, a day with %.0f %% drift per hour and a storm of %d",
			s.Clusters, fakearm.ThingsPerCluster, s.Subscriptions, 100*driftHour, stormSize),
		Columns: []string{"Who", "Calls per cluster and hour", "Detection p50, s", "p99, s", "Healing p99, s", "PUTs per drift", "429"},
		Note:    "Medians of the days. A drift that is not healed two hours after the day counts as never detected.",
	}
	for _, r := range b.runs {
		if r.Size == s {
			t.Rows = append(t.Rows, append([]string{r.Who}, b.row(r)...))
		}
	}
	return t
}

func (b *bench) row(r runOf) []string {
	var out []string
	for _, of := range []metric{callsPer, timeOf(detect, 0.5), timeOf(detect, 0.99), timeOf(heal, 0.99), putsPer, refusals} {
		out = append(out, decimals(middle(b.values(r, of))))
	}
	return out
}

func (b *bench) trade() measurement.Table {
	t := measurement.Table{
		Title:   fmt.Sprintf("What the time between two looks costs, %d clusters", b.sizes[0].Clusters),
		Columns: []string{"Every", "Calls per cluster and hour", "Detection p50, s", "p99, s", "Healing p99, s", "PUTs per drift", "429"},
		Note: fmt.Sprintf("One day each. The default is %s: 5 minutes would not find 99 of 100 drifts within 5 minutes, because Resource Graph is late by itself.",
			sweep.DefaultEvery),
	}
	for _, r := range b.tradeoff {
		t.Rows = append(t.Rows, append([]string{strings.Replace(r.Every.String(), "m0s", "m", 1)}, b.row(r)...))
	}
	return t
}

// raw is each run in a few numbers.
func (b *bench) raw() any {
	type line struct {
		Who                string        `json:"who"`
		Clusters           int           `json:"clusters"`
		Every              string        `json:"every"`
		Calls              fakearm.Calls `json:"calls"`
		Drifts, Open       int
		FalseAlarms        int
		Restart            int
		Blind              int `json:",omitempty"`
		DetectP99, HealP99 float64
	}
	var out []line
	for _, r := range slices.Concat(b.runs, b.tradeoff, []runOf{b.blind}) {
		for _, one := range r.Results {
			out = append(out, line{
				Who: r.Who, Clusters: r.Size.Clusters, Every: r.Every.String(), Calls: one.Calls, Drifts: one.Drifts, Open: one.Open,
				FalseAlarms: one.FalseAlarms, Restart: one.Restart, Blind: r.Blind,
				DetectP99: percentile(one.Detect, one.Open, 0.99).Seconds(), HealP99: percentile(one.Heal, one.Open, 0.99).Seconds(),
			})
		}
	}
	return out
}

func note(took time.Duration) string {
	return fmt.Sprintf("Virtual days of 24 hours (testing/synctest), all runs together in %s. Fleetwright is its sweeper, comparison, decision, memory of "+
		"fights, broker and Azure client. The controllers around them are a loop that makes their requests: one GET, the decision, at most one PUT. For "+
		"role assignments besides: the identities of the cluster, as with flavour AzureManaged, and the role's id by its name, kept for a week and for "+
		"a day, and of any age when the day begins; the "+
		"activity log for a drift that is not the first within an hour, and for ten others an hour. For profiles, as of clusters that CAPZ does not have "+
		"(those of CAPZ ask Azure only when a sweep has found one): one GET more before the write, because AKS takes whole clusters, and one %s after it. "+
		"A look at each thing once a week, and a GET of one maintenance window per cluster once in %.0f hours; windows do not drift here. Not in it: "+
		"sign-ins, the creation of things, assignments with a pullCheck (two or three looks more a day each), drift that is only "+
		"reported (about eight looks in its first day), a restart (a figure of its own), and what Nodepools ask. Azure is a model in memory "+
		"(`hack/benchazure/fakearm`) with the published token buckets, which refuses with 429 and Retry-After: reads 250 and 25 per second, writes 200 and "+
		"10 per second per subscription-region, GET ManagedCluster 60 and 1 per second and PUT 20 and 1 per minute per cluster, Resource Graph 15 queries "+
		"per 5 s. How late Resource Graph is, is assumed, as Microsoft publishes no figure: half within 25 s, 99 %% within 2 min, one change of a thousand "+
		"only by a full scan every 2 h. Beside each drift there is one change that changes nothing declared (letter case, settings that nobody owns). All "+
		"seven things of a cluster are in Resource Graph; one that is not costs a list per cluster and look. The pollers are their originals without what "+
		"these ask besides: one GET per look and one PUT per drift, 429 heeded, no operation followed, no windows. ASO 2.18 sends a PUT at each sync "+
		"(BeginCreateOrUpdateResource), which is the third row.", took.Round(time.Second), settle, windowEvery.Hours())
}
