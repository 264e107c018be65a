package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/fleetwright/fleetwright/hack/benchmarks/measurement"
	"github.com/fleetwright/fleetwright/localstack/bench/drainer"
	"github.com/fleetwright/fleetwright/localstack/bench/workload"
)

const (
	ours = "ours"
	// figuresName is that of the file of figures.
	figuresName = "drain"
)

// write saves the figures with every single run.
func (s *settings) write(r results) error {
	machine, err := measurement.ThisMachine()
	if err != nil {
		return err
	}
	if r, err = r.beside(s.out); err != nil {
		return err
	}
	runs, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode the runs: %w", err)
	}
	m := measurement.Measurement{
		Name: figuresName, Title: "Drains: how fast nodes are emptied", Command: s.command, Machine: machine, Date: time.Now().Format(time.DateOnly),
		Repeats: r.repeats(), Runs: runs,
	}
	s.makespanReport(&m, r)
	s.contentionReport(&m, r)
	s.scaleReport(&m, r)
	m.Note = strings.TrimSpace(m.Note + "\n\n" + r.separately())
	if err := os.MkdirAll(s.out, 0o755); err != nil {
		return fmt.Errorf("make folder for the figures: %w", err)
	}
	if err := m.Save(s.out); err != nil {
		return err
	}
	s.say("Wrote %s/%s.json", s.out, m.Name)
	return nil
}

func (s *settings) makespanReport(m *measurement.Measurement, r results) {
	if len(r.P1) == 0 && len(r.Alone) == 0 {
		return
	}
	own := of(r.P1, ours)
	if len(own) > 0 {
		m.Figures = append(m.Figures,
			figure("Makespan by the bound", ratios(own), 3, "", "bar 1.10, goal 1.03; makespan "+times(own)),
			figure("Requests to evict, per pod", values(own, drained.evictionsPerPod), 2, "", "bar 1.3, goal 1.05"),
			figure("Budgets violated", values(own, violations), 0, "", "bar 0; seen in the API server's history"),
		)
		m.Figures = append(m.Figures, against(r.P1, "kubectl-serial", "Serial kubectl's makespan by ours", "bar 7", makespan, drained.ratio, "the bound")...)
		m.Figures = append(m.Figures, against(r.P1, "cluster-api", "Cluster API's requests to evict by ours", "bar 5", drained.evictionsPerPod, drained.evictionsPerPod, "one request per pod")...)
		m.Figures = append(m.Figures, figure("Over the bound, per link of its chain", values(own, perLink), 0, "ms",
			"what a round trip costs: budget and pod seen Ready, eviction, new pod created, bound and seen by its node"))
	}
	if alone := of(r.Alone, ours); len(alone) > 0 {
		m.Figures = append(m.Figures, figure("Makespan by the bound, with nothing beside it", ratios(alone), 3, "", "one drain on one control plane; makespan "+times(alone)))
	}
	if table := makespanTable(r.P1); len(table.Rows) > 0 {
		m.Tables = append(m.Tables, table)
	}
	all := append(append([]drained{}, r.P1...), r.Alone...)
	size := all[0].Size
	paragraphs := []string{
		fmt.Sprintf("The bound is %s; r, b, tau and g are a service's replicas, budget, start and end as this workload drew them (seed %d). Here it is %.1f s, from %s. "+
			"No other limit is near: these controllers and this scheduler have no rate limit.", workload.Formula, all[0].Seed, all[0].BoundSeconds, all[0].BoundOf),
		fmt.Sprintf("%d nodes with %d pods of %d services of 2 to %d replicas (at most 5 in a StatefulSet, a tenth of them), 60 %% with maxUnavailable 1, 30 %% with 25 %%, 10 %% "+
			"without a budget. tau is 8 to 45 s and g 1 to 30 s, for StatefulSets at least 2 s; delays are multiplied by %g, the drainers' own waits by %g. "+
			"As many fresh nodes take the pods. All pods are Ready and all old nodes cordoned before the clock starts; it stops when the API server's history has no pod left on them.",
			size.Nodes, size.Pods, size.Services, size.MaxReplicas, size.Scale, size.Peers),
		fmt.Sprintf("Real kube-apiserver, etcd without fsync, controllers and scheduler; simulated kubelets. %d such control planes ran drains side by side, with the drainers in turns; "+
			"processors were %s %% busy. Each drainer is a process of its own. Ours ran with WaitFor=Eviction and a pace of %d per second, so that all play the same game. "+
			"Memory is the greatest resident size over that before the drain.", min(r.Lanes, max(1, len(r.P1))), spread(values(all, func(d drained) float64 { return 100 * d.Busy }), 0), drainer.Pace),
	}
	if gaps := slices.Max(values(all, func(d drained) float64 { return float64(d.Gaps) })); gaps > 0 {
		paragraphs = append(paragraphs, "In some runs a watch of the history had to begin anew, so that violations may have been missed: see gaps in the figures.")
	}
	m.Note = strings.TrimSpace(m.Note + "\n\n" + strings.Join(paragraphs, "\n\n"))
}

// against is how many times ours a peer's figure is, median by median. best is the same of what no drainer can do better, which is called
// limit: no bar above it can be reached.
func against(all []drained, peer, name, note string, value, best func(drained) float64, limit string) []measurement.Figure {
	theirs, own := of(all, peer), of(all, ours)
	if len(theirs) == 0 {
		return nil
	}
	f := figure(name, []float64{middle(values(theirs, value)) / middle(values(own, value))}, 1, "times",
		fmt.Sprintf("%s; %s itself would have %.1f", note, limit, middle(values(theirs, best))))
	if len(theirs) != len(own) {
		f.Note += fmt.Sprintf("; %s of theirs, %d of ours", plural(len(theirs), "run"), len(own))
	}
	return []measurement.Figure{f}
}

func makespanTable(all []drained) measurement.Table {
	t := measurement.Table{
		Title: "Drainers side by side",
		Columns: []string{
			"Drainer", "Runs", "Makespan by the bound", "Makespan, s", "Requests to evict per pod", "Refused (429)", "Failed", "Held by conflicts",
			"All calls per pod", "Violations", "CPU, s", "Memory, MiB",
		},
	}
	for _, name := range names(all) {
		runs := of(all, name)
		failed := 0
		for _, d := range runs {
			if d.Error != "" {
				failed++
			}
		}
		count := fmt.Sprint(len(runs))
		if failed > 0 {
			count += fmt.Sprintf(", %d gave up", failed)
		}
		t.Rows = append(t.Rows, []string{
			name, count, spread(ratios(runs), 3), spread(values(runs, makespan), 1), spread(values(runs, drained.evictionsPerPod), 2),
			spread(values(runs, drained.refused), 0), spread(values(runs, drained.failed), 0),
			spread(values(runs, func(d drained) float64 { return float64(d.HeldEvictions) }), 0), spread(values(runs, drained.callsPerPod), 2),
			spread(values(runs, violations), 0), spread(values(runs, func(d drained) float64 { return d.CPUSeconds }), 1),
			spread(values(runs, func(d drained) float64 { return d.PeakRSS - d.IdleRSS }), 0),
		})
		t.Note += fmt.Sprintf("%s: %s. ", name, drainer.What(name))
	}
	t.Note = strings.TrimSpace(t.Note + "Median, and in brackets the least and the greatest. A request is counted where it leaves the drainer. Held are answers that took as long as " +
		"if kube-apiserver had slept over a conflict on the budget, 450 ms or more.")
	return t
}

func (s *settings) contentionReport(m *measurement.Measurement, r results) {
	if len(r.P2) == 0 {
		return
	}
	t := measurement.Table{
		Title:   fmt.Sprintf("Contended evictions: %d pods under budgets that allow all of them", r.P2[0].Pods),
		Columns: []string{"Drainer", "Budgets", "Runs", "Evictions per second", "p50, ms", "p99, ms", "Held by conflicts", "Failed", "Refused (429)", "Requests to evict"},
		Note: fmt.Sprintf("%d nodes of pods without controllers under minAvailable 0. Evictions per second are counted from the word to go until the last was granted, at most for %.0f s; "+
			"p50 and p99 are of the answers to requests to evict. Nobody has a client-side rate limit.", s.p2.Nodes, window.Seconds()),
	}
	for _, budgets := range budgetsIn(r.P2) {
		for _, name := range contenders {
			runs := contestedOf(r.P2, name, budgets)
			if len(runs) == 0 {
				continue
			}
			get := func(value func(contested) float64) []float64 { return values(runs, value) }
			t.Rows = append(t.Rows, []string{
				name, fmt.Sprint(budgets), fmt.Sprint(len(runs)), spread(get(func(c contested) float64 { return c.PerSecond }), 0),
				spread(get(func(c contested) float64 { return c.P50 }), 0), spread(get(func(c contested) float64 { return c.P99 }), 0),
				spread(get(func(c contested) float64 { return float64(c.Held) }), 0), spread(get(func(c contested) float64 { return float64(c.Failed) }), 0),
				spread(get(func(c contested) float64 { return float64(c.Evictions[429]) }), 0), spread(get(contested.requests), 0),
			})
		}
		own, naive := contestedOf(r.P2, ours, budgets), contestedOf(r.P2, "goroutine-per-pod", budgets)
		if len(own) == 0 || len(naive) == 0 {
			continue
		}
		perSecond := func(c contested) float64 { return c.PerSecond }
		under := "under " + plural(budgets, "budget")
		m.Figures = append(m.Figures,
			figure("p99 of an eviction "+under, values(own, func(c contested) float64 { return c.P99 }), 0, "ms", "bar 1,000, goal 100"),
			figure("Evictions per second "+under, values(own, perSecond), 0, "", fmt.Sprintf("%.1f times goroutine-per-pod; goal 5 times", middle(values(own, perSecond))/middle(values(naive, perSecond)))),
			figure("Evictions held by conflicts "+under, values(own, func(c contested) float64 { return float64(c.Held) }), 0, "", "bar 0"),
		)
	}
	m.Tables = append(m.Tables, t)
}

func budgetsIn(all []contested) []int {
	var found []int
	for _, c := range all {
		if !slices.Contains(found, c.Budgets) {
			found = append(found, c.Budgets)
		}
	}
	return found
}

// stopped says how far a drain came that was not run to its end.
func (d drained) stopped() string {
	if !d.TimeIsUp {
		return ""
	}
	return fmt.Sprintf("stopped after %d of %d pods; %d violations", d.granted(), d.Pods, len(d.Violations))
}

func (s *settings) scaleReport(m *measurement.Measurement, r results) {
	for _, d := range r.Scale {
		with := fmt.Sprintf("%d nodes and %d pods", d.Size.Nodes, d.Pods)
		lists, watches := 0, 0
		for call, n := range d.Calls {
			if strings.HasPrefix(call, "watch ") {
				watches += n
			} else if !strings.HasPrefix(call, "create ") {
				lists += n
			}
		}
		m.Figures = append(m.Figures,
			figure("Memory of the drainer over idle, "+with, []float64{d.PeakRSS - d.IdleRSS}, 0, "MiB",
				fmt.Sprintf("one run; bar 64; resident, %.0f MiB before; Go objects at most %.0f MiB, %.0f before", d.IdleRSS, d.PeakHeap, d.IdleHeap)),
			figure("Calls of the drainer, "+with, []float64{d.callsPerPod()}, 3, "per pod",
				fmt.Sprintf("%d requests to evict, %d pods evicted, %d reads, %d watches", int(d.evictionsPerPod()*float64(d.Pods)+0.5), d.granted(), lists, watches)),
			figure("Processor time of the drainer, "+with, []float64{d.CPUSeconds}, 1, "s", d.stopped()))
		if d.TimeIsUp {
			continue
		}
		m.Figures = append(m.Figures,
			figure("Drain, "+with, []float64{d.MakespanSeconds}, 0, "s", fmt.Sprintf("%.0f pods per second, what this control plane can evict, create, bind and end on these processors (%.0f %% busy); "+
				"the budgets' bound is %.0f s with delays multiplied by %g; %d violations", float64(d.Pods)/d.MakespanSeconds, 100*d.Busy, d.BoundSeconds, d.Size.Scale, len(d.Violations))))
	}
}
