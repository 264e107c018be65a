package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetwright/fleetwright/hack/benchmarks/measurement"
	"github.com/fleetwright/fleetwright/localstack/bench/drainer"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == drainer.Argument {
		if err := begin(context.Background(), os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// TestQuick runs the whole benchmark with very few pods: every drainer empties real nodes, and the figures can be read again.
func TestQuick(t *testing.T) {
	out := t.TempDir()
	s, err := parse([]string{"-quick", "-out", out}, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	m, err := measurement.Read(filepath.Join(out, "drain.json"))
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Tables) != 2 || len(m.Tables[0].Rows) != len(publishedDrainers) {
		t.Errorf("tables are %+v", m.Tables)
	}
	var r results
	if err := json.Unmarshal(m.Runs, &r); err != nil {
		t.Fatal(err)
	}
	for _, d := range append(r.P1, r.Scale...) {
		checkDrained(t, d)
	}
	for _, c := range r.P2 {
		if c.Error != "" || c.PerSecond <= 0 || c.Evictions[201] != c.Pods {
			t.Errorf("%+v", c)
		}
	}
}

func checkDrained(t *testing.T, d drained) {
	t.Helper()
	if d.Error != "" || d.Pods != d.Size.Pods || d.Evictions[201] < d.Pods || len(d.Violations) > 0 || d.CPUSeconds <= 0 || d.PeakRSS < d.IdleRSS {
		t.Errorf("%+v", d)
	}
	// A pod that is terminating may be evicted again, and drainers that look at a cache do.
	if d.Drainer == ours && d.Evictions[201] != d.Pods {
		t.Errorf("ours evicted %d times for %d pods", d.Evictions[201], d.Pods)
	}
	// The bound is one: who is below it has found a mistake in it, or in the record.
	if d.ratio() < 0.99 {
		t.Errorf("%s took %.2f s, less than the bound of %.2f s by %s", d.Drainer, d.MakespanSeconds, d.BoundSeconds, d.BoundOf)
	}
	if d.Drainer == ours && d.evictionsPerPod() > 1.3 {
		t.Errorf("ours sent %.2f requests to evict per pod", d.evictionsPerPod())
	}
}

// TestParts measures nothing: what one run has not measured stays as an earlier one left it.
func TestParts(t *testing.T) {
	out := t.TempDir()
	drain := drained{Drainer: ours, Repeat: 2, BoundSeconds: 1, BoundLinks: 1, MakespanSeconds: 1.02, Pods: 1}
	first := &settings{progress: io.Discard, out: out, command: "make first"}
	if err := first.write(results{P1: []drained{drain}, Lanes: 7, Scale: []drained{drain}, From: map[string]string{partP1: "first", partScale: "first"}}); err != nil {
		t.Fatal(err)
	}
	drain.MakespanSeconds = 9
	second := &settings{progress: io.Discard, out: out, command: "make second"}
	if err := second.write(results{Scale: []drained{drain}, Lanes: 1, From: map[string]string{partScale: "second"}}); err != nil {
		t.Fatal(err)
	}
	m, err := measurement.Read(filepath.Join(out, "drain.json"))
	if err != nil {
		t.Fatal(err)
	}
	var r results
	if err := json.Unmarshal(m.Runs, &r); err != nil {
		t.Fatal(err)
	}
	if r.P1[0].MakespanSeconds != 1.02 || r.Scale[0].MakespanSeconds != 9 || r.Lanes != 7 || m.Repeats != 2 || m.Figures[0].Value != "1.020" ||
		!strings.Contains(m.Note, "p1 with `first`; scale with `second`.") {
		t.Errorf("kept %+v, figures %+v, note %q", r, m.Figures, m.Note)
	}
}

func TestTurns(t *testing.T) {
	repeats := func(name string) int {
		if name == "slow" {
			return 1
		}
		return 3
	}
	want := []turn{
		{"slow", 1, 1}, {"a", 1, 2}, {"b", 1, 3},
		{"a", 2, 4}, {"b", 2, 5},
		{"b", 3, 6}, {"a", 3, 7},
	}
	if diff := cmp.Diff(want, turns([]string{"slow", "a", "b"}, repeats), cmp.AllowUnexported(turn{})); diff != "" {
		t.Errorf("turns (-want +got)\n%s", diff)
	}
}

func TestSpread(t *testing.T) {
	for want, of := range map[string][]float64{"1.03": {1.03}, "1.05 (1.02–1.10)": {1.1, 1.02, 1.05}, "0": {0, 0}, "2.50 (1–4)": {1, 2, 3, 4}} {
		if got := spread(of, 2); got != want {
			t.Errorf("spread(%v) = %q, want %q", of, got, want)
		}
	}
}

func TestParse(t *testing.T) {
	for name, args := range map[string][]string{
		"an unknown part": {"-only", "p3"}, "an unknown drainer": {"-drainers", "ours,theirs"}, "no repeats": {"-repeats", "0"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := parse(args, io.Discard); err == nil {
				t.Errorf("parse(%q) has no objection", args)
			}
		})
	}
}

func TestProcessorTicks(t *testing.T) {
	before, after := ticksOf("cpu  100 0 100 700 100 0 0 0 50 0"), ticksOf("cpu  150 0 150 780 120 0 0 0 99 0")
	if got := after.since(before); got != 0.5 {
		t.Errorf("busy = %v, want 0.5", got)
	}
}
