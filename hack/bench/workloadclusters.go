package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/fleetwright/fleetwright/hack/benchmarks/measurement"
)

// defaultClusters is how many the published figures are of.
const defaultClusters = 100

// side is who makes the clusters.
type side string

const (
	// ours is one WorkloadCluster each.
	ours side = "Fleetwright"
	// plain is Cluster API and CAPZ with the very objects that a WorkloadCluster amounts to, and without the operator.
	plain side = "Cluster API alone"
)

// clustersBench are the settings of the measurement of many clusters.
type clustersBench struct {
	*bench
	clusters, repeats int
	settle, window    time.Duration
	// journal keeps each run as soon as it is over; empty for none.
	journal string
}

func measureClusters(ctx context.Context, b *bench, args []string) ([]measurement.Measurement, error) {
	c := clustersBench{bench: b}
	flags := flag.NewFlagSet("bench fleet", flag.ContinueOnError)
	flags.SetOutput(b.progress)
	flags.IntVar(&c.clusters, "clusters", defaultClusters, "how many clusters are made at once")
	flags.IntVar(&c.repeats, "repeats", 2, "how often each side makes them")
	flags.DurationVar(&c.settle, "settle", 90*time.Second, "how long nothing happens before idle load is measured")
	flags.DurationVar(&c.window, "window", time.Minute, "over how long idle load is measured")
	flags.StringVar(&c.journal, "resume", "", "file that keeps each run: what is in it is not measured again")
	only := flags.String("only", "", `"ours" or "plain": see how one side does, write no figures`)
	quick := flags.Bool("quick", false, "see that it works: each side once, with 10 clusters unless -clusters says otherwise; write no figures")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if *quick {
		c.repeats, c.settle, c.window = 1, 5*time.Second, 10*time.Second
		if !isSet(flags, "clusters") {
			c.clusters = 10
		}
	}
	if c.clusters < 2 || c.clusters > maxClusters || c.repeats < 1 {
		return nil, fmt.Errorf("-clusters is 2 to %d, and -repeats at least 1", maxClusters)
	}
	sides, found := map[string][]side{"": {ours, plain}, "ours": {ours}, "plain": {plain}}[*only]
	if !found {
		return nil, fmt.Errorf(`-only is "ours" or "plain", not %q`, *only)
	}
	runs, err := c.runAll(ctx, sides)
	if err != nil {
		return nil, err
	}
	m, err := c.report(runs)
	if err != nil || *quick || *only != "" {
		if err == nil {
			c.show(m)
		}
		return nil, err
	}
	return []measurement.Measurement{m}, nil
}

func isSet(flags *flag.FlagSet, name string) bool {
	set := false
	flags.Visit(func(f *flag.Flag) { set = set || f.Name == name })
	return set
}

// show prints what would be written.
func (c clustersBench) show(m measurement.Measurement) {
	for _, f := range m.Figures {
		c.say("%-70s %10s %-12s %s", f.Name, f.Value, f.Unit, f.Note)
	}
	for _, t := range m.Tables {
		c.say("\n%s\n%q", t.Title, t.Columns)
		for _, row := range t.Rows {
			c.say("%q", row)
		}
	}
}

// runAll does the runs in turns, so that both sides see the machine as it changes over time.
func (c clustersBench) runAll(ctx context.Context, sides []side) ([]clustersRun, error) {
	runs, err := c.kept()
	if err != nil {
		return nil, err
	}
	for repeat := range c.repeats {
		for _, s := range sides {
			if slices.ContainsFunc(runs, func(r clustersRun) bool { return r.Side == s && r.Repeat == repeat }) {
				c.say("%s, run %d of %d: kept from before", s, repeat+1, c.repeats)
				continue
			}
			c.say("%s, run %d of %d: %d clusters ...", s, repeat+1, c.repeats, c.clusters)
			root := filepath.Join(c.scratch, fmt.Sprintf("fleet-%d-%d", repeat, len(runs)))
			run, err := c.run(ctx, root, s)
			if err != nil {
				return nil, fmt.Errorf("%s, run %d: %w", s, repeat+1, err)
			}
			run.Repeat = repeat
			if err := errors.Join(c.keep(run), os.RemoveAll(root)); err != nil {
				return nil, err
			}
			runs = append(runs, run)
			c.say("all ready after %.0f s, half of them after %.0f s", run.Whole, percentile(run.Ready, 50))
		}
	}
	return runs, nil
}

// kept are the runs of the journal that were of as many clusters.
func (c clustersBench) kept() ([]clustersRun, error) {
	if c.journal == "" {
		return nil, nil
	}
	f, err := os.Open(c.journal)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read what was measured before: %w", err)
	}
	defer func() { _ = f.Close() }()
	var runs []clustersRun
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		var r clustersRun
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return nil, fmt.Errorf("read what was measured before, remove %s to begin anew: %w", c.journal, err)
		}
		if r.Clusters == c.clusters && r.Repeat < c.repeats {
			runs = append(runs, r)
		}
	}
	return runs, lines.Err()
}

func (c clustersBench) keep(r clustersRun) error {
	if c.journal == "" {
		return nil
	}
	line, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode a run: %w", err)
	}
	f, err := os.OpenFile(c.journal, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("keep a run: %w", err)
	}
	_, err = f.Write(append(line, '\n'))
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("keep a run in %s: %w", c.journal, err)
	}
	return nil
}
