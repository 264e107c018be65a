package demo

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Report is the outcome of the story, with the proof.
type Report struct {
	Name    string    `json:"name"`
	Command string    `json:"command"`
	Date    time.Time `json:"date"`
	Machine Machine   `json:"machine"`
	// Seconds is how long the story took from its first to its last step.
	Seconds float64      `json:"seconds"`
	Steps   []ReportStep `json:"steps"`
	// Waterfall is where the time of the cluster's creation went.
	Waterfall []WaterfallStep `json:"waterfall,omitempty"`
	Proof     Proof           `json:"proof"`
	// Error is why the story failed; empty if it did not.
	Error string `json:"error,omitempty"`
}

// Machine is what the story ran on.
type Machine struct {
	OS   string `json:"os"`
	Arch string `json:"arch"`
	CPUs int    `json:"cpus"`
	Go   string `json:"go"`
}

// ReportStep is one line of the timeline. Steps inside a step have its number.
type ReportStep struct {
	Title string `json:"title"`
	// Start is in seconds since the story began.
	Start   float64     `json:"start"`
	Seconds float64     `json:"seconds"`
	Phases  []PhaseTime `json:"phases,omitempty"`
}

// PhaseTime is how long a replacement stayed in one phase.
type PhaseTime struct {
	Phase   string  `json:"phase"`
	Seconds float64 `json:"seconds"`
}

// Proof is what the API servers wrote down between the first and the last change.
type Proof struct {
	// Evictions were granted, and Refusals answered with 429 because a budget did not allow one just then.
	Evictions int `json:"evictions"`
	Refusals  int `json:"refusals"`
	// OtherEvictions were answered with neither.
	OtherEvictions int `json:"otherEvictions"`
	// PodsDeleted are pods that the operator deleted instead of evicting; there must be none.
	PodsDeleted int `json:"podsDeleted"`
	// BudgetRevisions is how many revisions of PodDisruptionBudgets were looked at, and Violations those that broke one.
	BudgetRevisions int         `json:"budgetRevisions"`
	Violations      []Violation `json:"violations"`
	// Gap says that the history of the budgets has a hole.
	Gap string `json:"gap,omitempty"`
	// Services is how the workload fared.
	Services []ReportService `json:"services"`
	// Images says where the workload's images came from, and by what right.
	Images string `json:"images,omitempty"`
	// Management and Workload count the operator's writes by verb and resource; Calls are all its requests, reads too.
	Management map[string]int `json:"operatorWritesManagement"`
	Workload   map[string]int `json:"operatorWritesWorkload"`
	Calls      map[string]int `json:"operatorCalls"`
	// Azure counts the requests to Azure by method.
	Azure map[string]int `json:"azureRequests"`
}

// ReportService is how one service fared.
type ReportService struct {
	Name     string `json:"name"`
	Wanted   int    `json:"wanted"`
	Budget   int    `json:"budget"`
	Least    int    `json:"least"`
	Requests int    `json:"requests"`
	Failed   int    `json:"failed"`
}

// problems are what speaks against the proof; none means that it holds.
func (p Proof) problems() []string {
	var found []string
	add := func(broken bool, format string, args ...any) {
		if broken {
			found = append(found, fmt.Sprintf(format, args...))
		}
	}
	for _, v := range p.Violations {
		add(true, "PodDisruptionBudget %s/%s was broken: %d healthy pods of %d (revision %s)", v.Namespace, v.Budget, v.Healthy, v.Desired, v.Revision)
	}
	add(p.Gap != "", "the history of the disruption budgets has a gap: %s", p.Gap)
	add(p.PodsDeleted > 0, "the operator deleted %s without asking", count(p.PodsDeleted, "pod"))
	add(p.Evictions == 0, "no pod was evicted, so nothing was proven")
	for _, s := range p.Services {
		// An unanswered request speaks of the endpoints' lag behind a pod that has ended, which no budget rules out: it is shown only.
		add(s.Least < s.Budget, "service %s had %d available replicas where its budget wants %d", s.Name, s.Least, s.Budget)
	}
	return found
}

func newReport(command string, now time.Time) Report {
	return Report{
		Name: "demo", Command: command, Date: now.UTC().Truncate(time.Second),
		Machine: Machine{OS: runtime.GOOS, Arch: runtime.GOARCH, CPUs: runtime.NumCPU(), Go: runtime.Version()},
	}
}

// Save writes the report as JSON.
func (r Report) Save(path string) error {
	content, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("encode report: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("make folder for the report: %w", err)
	}
	if err := os.WriteFile(path, append(content, '\n'), 0o644); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// Print writes the timeline and the proof for people.
func (r Report) Print(w io.Writer) error {
	var b strings.Builder
	b.WriteString("\nTimeline\n")
	for _, step := range r.Steps {
		fmt.Fprintf(&b, "  %6.1fs  %-54s %6.1fs\n", step.Start, step.Title, step.Seconds)
		for _, phase := range step.Phases {
			fmt.Fprintf(&b, "           %-54s %6.1fs\n", "  "+phase.Phase, phase.Seconds)
		}
	}
	fmt.Fprintf(&b, "  %6.1fs  in all\n", r.Seconds)
	if len(r.Waterfall) > 0 {
		b.WriteString("\nFrom the one resource to Ready, by its status\n")
		for _, bar := range bars(r.Waterfall, barWidth) {
			b.WriteString("  " + bar + "\n")
		}
	}
	if len(r.Proof.Services) > 0 {
		r.Proof.write(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (p Proof) write(b *strings.Builder) {
	line := func(what, format string, args ...any) {
		fmt.Fprintf(b, "  %-27s %s\n", what, fmt.Sprintf(format, args...))
	}
	b.WriteString("\nProof, from the API servers' own records while pools were replaced\n")
	line("PDB violations", "%d in %d recorded revisions of the budgets", len(p.Violations), p.BudgetRevisions)
	line("Evictions", "%d granted, %d refused for the moment (429)", p.Evictions, p.Refusals)
	line("Pods deleted otherwise", "%d", p.PodsDeleted)
	for _, s := range p.Services {
		line("Service "+s.Name, "%d replicas, never below %d (budget: %d); %d requests, %d unanswered", s.Wanted, s.Least, s.Budget, s.Requests, s.Failed)
	}
	if p.Images != "" {
		line("Images", "%s", p.Images)
	}
	line("Operator's API calls", "%s", counts(p.Calls))
	line("  of these writes, mgmt", "%s", counts(p.Management))
	line("  of these writes, workload", "%s", counts(p.Workload))
	line("Azure requests", "%s", counts(p.Azure))
}

// counts puts a table of counts into one line, the largest first.
func counts(table map[string]int) string {
	if len(table) == 0 {
		return "0"
	}
	total := 0
	names := make([]string, 0, len(table))
	for name, n := range table {
		total += n
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		if table[a] != table[b] {
			return table[b] - table[a]
		}
		return strings.Compare(a, b)
	})
	parts := make([]string, 0, len(names))
	for _, name := range names {
		parts = append(parts, fmt.Sprintf("%s %d", name, table[name]))
	}
	return fmt.Sprintf("%d (%s)", total, strings.Join(parts, ", "))
}
