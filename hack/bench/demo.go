package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/fleetwright/fleetwright/hack/benchmarks/measurement"
)

const titleDemo = "The main job: one resource becomes a cluster, a node pool is replaced, the cluster is upgraded"

// demoReport is what is needed of the file that `localstack demo --json` writes.
type demoReport struct {
	Seconds float64    `json:"seconds"`
	Steps   []demoStep `json:"steps"`
	Proof   demoProof  `json:"proof"`
	Error   string     `json:"error"`
}

type demoStep struct {
	Title   string  `json:"title"`
	Start   float64 `json:"start"`
	Seconds float64 `json:"seconds"`
	Phases  []struct {
		Phase   string  `json:"phase"`
		Seconds float64 `json:"seconds"`
	} `json:"phases"`
}

type demoProof struct {
	Evictions       int               `json:"evictions"`
	Refusals        int               `json:"refusals"`
	BudgetRevisions int               `json:"budgetRevisions"`
	PodsDeleted     int               `json:"podsDeleted"`
	Violations      []json.RawMessage `json:"violations"`
	Services        []struct {
		Name     string `json:"name"`
		Wanted   int    `json:"wanted"`
		Budget   int    `json:"budget"`
		Least    int    `json:"least"`
		Requests int    `json:"requests"`
		Failed   int    `json:"failed"`
	} `json:"services"`
	Management map[string]int `json:"operatorWritesManagement"`
	Workload   map[string]int `json:"operatorWritesWorkload"`
	Calls      map[string]int `json:"operatorCalls"`
	Azure      map[string]int `json:"azureRequests"`
}

func measureDemo(ctx context.Context, b *bench, args []string) ([]measurement.Measurement, error) {
	flags := flag.NewFlagSet("bench demo", flag.ContinueOnError)
	flags.SetOutput(b.progress)
	repeats := flags.Int("repeats", 3, "how often the demo runs")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	var reports []demoReport
	for i := range *repeats {
		report, err := b.demo(ctx, i)
		if err != nil {
			return nil, err
		}
		b.say("Demo %d of %d: %.1f s", i+1, *repeats, report.Seconds)
		reports = append(reports, report)
	}
	figures, err := demoFigures(reports)
	if err != nil {
		return nil, err
	}
	m := b.measured("demo", titleDemo, "make bench-demo", *repeats)
	m.Figures = figures
	m.Note = "Everything is built already. The simulated Azure takes 6 s for a control plane, 4 s for a pool, 3 s for a node to start and 3 s to delete a " +
		"pool; pods start in 1 to 3 s and end in 1 to 2 s. With the real Azure these take minutes. Counts are from the first change to the end."
	return []measurement.Measurement{m}, nil
}

func (b *bench) demo(ctx context.Context, i int) (demoReport, error) {
	var report demoReport
	file := filepath.Join(b.scratch, fmt.Sprintf("demo-%d.json", i))
	t := task{args: []string{filepath.Join("bin", "localstack"), "demo", "--exit", "--plain", "--name", "bench",
		"--root", filepath.Join(b.scratch, fmt.Sprintf("demo-%d", i)), "--json", file}}
	if _, err := t.run(ctx); err != nil {
		return report, err
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return report, fmt.Errorf("read the demo's report: %w", err)
	}
	if err := json.Unmarshal(content, &report); err != nil {
		return report, fmt.Errorf("read the demo's report: %w", err)
	}
	if report.Error != "" {
		return report, fmt.Errorf("the demo failed: %s", report.Error)
	}
	return report, nil
}

// demoFigures puts the reports side by side. They must tell the same story.
func demoFigures(reports []demoReport) ([]measurement.Figure, error) {
	if len(reports) == 0 {
		return nil, errors.New("the demo must run at least once")
	}
	steps := len(reports[0].Steps)
	for _, r := range reports {
		if len(r.Steps) != steps || steps < 2 {
			return nil, fmt.Errorf("one demo had %d steps and another %d", steps, len(r.Steps))
		}
	}
	of := func(value func(demoReport) float64) []float64 {
		var values []float64
		for _, r := range reports {
			values = append(values, value(r))
		}
		return values
	}
	figures := []measurement.Figure{
		median("The whole demo", of(func(r demoReport) float64 { return r.Seconds }), "s", ""),
		median("Until the cluster is ready", of(func(r demoReport) float64 { return r.Steps[1].Start + r.Steps[1].Seconds }), "s", "the first two steps: node pools, roles, a pull from the registry and an add-on included"),
	}
	for i, step := range reports[0].Steps {
		note := ""
		for _, phase := range step.Phases {
			if i > 0 { // what starting consists of is the stack's own affair
				note += fmt.Sprintf(", %s %s s", phase.Phase, number(phase.Seconds))
			}
		}
		if note != "" {
			note = "in the first run:" + note[1:]
		}
		figures = append(figures, median(fmt.Sprintf("%d. %s", i+1, step.Title), of(func(r demoReport) float64 { return r.Steps[i].Seconds }), "s", note))
	}
	return append(figures, proofFigures(reports[0].Proof, of)...), nil
}

func proofFigures(first demoProof, of func(func(demoReport) float64) []float64) []measurement.Figure {
	revisions := of(func(r demoReport) float64 { return float64(r.Proof.BudgetRevisions) })
	figures := []measurement.Figure{
		figure("PodDisruptionBudgets broken", slices.Max(of(func(r demoReport) float64 { return float64(len(r.Proof.Violations)) })), "",
			fmt.Sprintf("the most of any run, each with at least %.0f recorded revisions of the budgets", slices.Min(revisions))),
		median("Evictions granted", of(func(r demoReport) float64 { return float64(r.Proof.Evictions) }), "", ""),
		median("Evictions refused for the moment (429)", of(func(r demoReport) float64 { return float64(r.Proof.Refusals) }), "", "a budget did not allow one just then"),
		figure("Pods deleted without eviction", slices.Max(of(func(r demoReport) float64 { return float64(r.Proof.PodsDeleted) })), "", "by the operator, the most of any run"),
	}
	for i, service := range first.Services {
		figures = append(figures, figure("Least available replicas of "+service.Name,
			slices.Min(of(func(r demoReport) float64 { return float64(at(r.Proof.Services, i).Least) })), "",
			fmt.Sprintf("of %d; the budget wants %d; %.0f of %.0f requests unanswered in all runs", service.Wanted, service.Budget,
				sum(of(func(r demoReport) float64 { return float64(at(r.Proof.Services, i).Failed) })),
				sum(of(func(r demoReport) float64 { return float64(at(r.Proof.Services, i).Requests) })))))
	}
	return append(figures,
		median("Operator's API calls", of(func(r demoReport) float64 { return total(r.Proof.Calls) }), "", "reads and writes, to both clusters"),
		median("Operator's writes to the management cluster", of(func(r demoReport) float64 { return total(r.Proof.Management) }), "", ""),
		median("Operator's writes to the workload cluster", of(func(r demoReport) float64 { return total(r.Proof.Workload) }), "", "evictions included"),
		median("Requests to Azure", of(func(r demoReport) float64 { return total(r.Proof.Azure) }), "", "by the provider"))
}

// at is the element, or nothing if there are fewer.
func at[T any](values []T, i int) (element T) {
	if i < len(values) {
		element = values[i]
	}
	return element
}

func sum(values []float64) (all float64) {
	for _, v := range values {
		all += v
	}
	return all
}

func total(counts map[string]int) float64 {
	all := 0
	for n := range maps.Values(counts) {
		all += n
	}
	return float64(all)
}
