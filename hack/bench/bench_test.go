package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	clusterandnodepools "github.com/fleetwright/fleetwright/examples/cluster-and-nodepools"
	"github.com/fleetwright/fleetwright/hack/benchmarks/measurement"
)

func TestMedian(t *testing.T) {
	for name, tc := range map[string]struct {
		values        []float64
		value, spread string
	}{
		"one":              {[]float64{5.94}, "5.9", ""},
		"odd, in disorder": {[]float64{7, 5.44, 6}, "6", "5.4 to 7"},
		"even":             {[]float64{4, 1, 2, 3}, "2.5", "1 to 4"},
		"equal as shown":   {[]float64{2.01, 2.02, 2.03}, "2.0", ""},
		"large":            {[]float64{1234.56}, "1235", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := median("x", tc.values, "s", "")
			if got.Value.String() != tc.value || got.Spread != tc.spread {
				t.Errorf("median(%v) = %s (%s), want %s (%s)", tc.values, got.Value, got.Spread, tc.value, tc.spread)
			}
		})
	}
}

func TestNothingMeasuredIsNotSaved(t *testing.T) {
	m := measurement.Measurement{
		Name: "x", Title: "X", Command: "make x", Date: "2026-11-23", Repeats: 1,
		Machine: measurement.Machine{Cores: 2, Memory: "24 GiB", OS: "linux/amd64", Go: "go1.26.0"},
		Figures: []measurement.Figure{figure("a", 1.5, "s", "")},
	}
	folder := t.TempDir()
	if err := m.Save(folder); err != nil {
		t.Fatal(err)
	}
	back, err := measurement.Read(filepath.Join(folder, "x.json"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(m, back); diff != "" {
		t.Errorf("what is read is not what was saved (-saved +read)\n%s", diff)
	}
	m.Name, m.Figures = "y", append(m.Figures, median("b", nil, "s", ""))
	if err := m.Save(folder); err == nil || !strings.Contains(err.Error(), "needs a name and a number") {
		t.Errorf("Save() of a figure without values = %v", err)
	}
	if _, err := os.Stat(filepath.Join(folder, "y.json")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file was written nevertheless: %v", err)
	}
}

func TestTicksOf(t *testing.T) {
	const rest = " S 1 4242 4242 0 -1 4194560 5 0 0 0 120 30 900 900 20 0 9 0 100 0 0"
	for name, tc := range map[string]struct {
		stat  string
		ticks uint64
		err   bool
	}{
		"plain":                     {"4242 (localstack)" + rest, 150, false},
		"spaces and brackets in it": {"4242 (a) b (c) )" + rest, 150, false},
		"cut off":                   {"4242 (localstack) S 1", 0, true},
		"empty":                     {"", 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ticksOf(tc.stat)
			if got != tc.ticks || (err != nil) != tc.err {
				t.Errorf("ticksOf(%q) = %d, %v", tc.stat, got, err)
			}
		})
	}
}

func TestKeyed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "smaps_rollup")
	content := "00400000-7ffc000 ---p 00000000 00:00 0    [rollup]\nRss:      1024 kB\nPrivate_Clean:   4 kB\nPrivate_Dirty:  12 kB\nThreads:\t7\n"
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := keyed(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]uint64{"Rss": 1 << 20, "Private_Clean": 4 << 10, "Private_Dirty": 12 << 10}, got); diff != "" {
		t.Errorf("keyed() (-want +got)\n%s", diff)
	}
}

func TestThisProcess(t *testing.T) {
	held, err := memoryOf(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if held.private < mebibyte || held.resident < held.private || held.peak < held.resident/2 {
		t.Errorf("this process holds %+v", held)
	}
	if used, err := processorTime(os.Getpid()); err != nil || used > time.Hour {
		t.Errorf("this process has used %s, %v", used, err)
	}
}

func TestCountRequests(t *testing.T) {
	const metrics = `# TYPE rest_client_requests_total counter
rest_client_requests_total{code="200",host="127.0.0.1:4000",method="GET"} 7
rest_client_requests_total{code="409",host="127.0.0.1:4000",method="PATCH"} 1
rest_client_requests_total{code="200",host="127.0.0.1:5000",method="GET"} 1.2e+02
rest_client_requests_other{code="200",host="127.0.0.1:5000",method="GET"} 9
`
	got, err := countRequests(bufio.NewScanner(strings.NewReader(metrics)), "127.0.0.1:4000")
	if want := (requests{management: 8, workload: 120}); err != nil || got != want {
		t.Errorf("countRequests() = %+v, %v, want %+v", got, err, want)
	}
}

// Two clusters must not share a name that Azure or Cluster API wants to be unique.
func TestRenamed(t *testing.T) {
	objects, err := renamed(clusterandnodepools.Manifests, "bench-07")
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	for _, object := range objects {
		kinds[object.GetKind()]++
		text, err := json.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "quickstart") || (object.GetKind() != "Namespace" && object.GetNamespace() != "bench-07") {
			t.Errorf("%s %s/%s is still the example's: %s", object.GetKind(), object.GetNamespace(), object.GetName(), text)
		}
	}
	if objects[0].GetKind() != "Namespace" {
		t.Errorf("the first object is a %s; what is in a namespace needs it first", objects[0].GetKind())
	}
	if kinds["Cluster"] != 1 || kinds["Nodepool"] != poolsPerCluster || kinds["AzureManagedControlPlane"] != 1 || kinds["AzureClusterIdentity"] != 1 {
		t.Errorf("the example has %v", kinds)
	}
	if got := nodesOf(t, objects); got != nodesPerCluster {
		t.Errorf("the example's pools have %d nodes, the note says %d", got, nodesPerCluster)
	}
}

func nodesOf(t *testing.T, objects []*unstructured.Unstructured) int {
	t.Helper()
	nodes := 0
	for _, object := range objects {
		if object.GetKind() == "Nodepool" {
			replicas, _, err := unstructured.NestedFloat64(object.Object, "spec", "replicas")
			if err != nil {
				t.Fatal(err)
			}
			nodes += int(replicas)
		}
	}
	return nodes
}

func TestIsReady(t *testing.T) {
	condition := func(kind, status string) any { return map[string]any{"type": kind, "status": status} }
	for name, tc := range map[string]struct {
		conditions []any
		want       bool
	}{
		"ready":         {[]any{condition("Available", "True"), condition("Ready", "True")}, true},
		"not ready":     {[]any{condition("Available", "True"), condition("Ready", "False")}, false},
		"no conditions": {nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			object := &unstructured.Unstructured{Object: map[string]any{"status": map[string]any{"conditions": tc.conditions}}}
			if got := isReady(object); got != tc.want {
				t.Errorf("isReady() = %t", got)
			}
		})
	}
}

func TestDemoFigures(t *testing.T) {
	report := func(second, evictions string) demoReport {
		var r demoReport
		content := `{"seconds": 60, "steps": [{"title": "Start", "start": 0, "seconds": 5}, {"title": "Create", "start": 5, "seconds": ` + second + `,
			"phases": [{"phase": "Draining", "seconds": 4.26}]}],
			"proof": {"evictions": ` + evictions + `, "violations": [], "budgetRevisions": 40, "services": [{"name": "shop/web", "wanted": 6, "budget": 5, "least": 5,
			"requests": 100, "failed": 0}], "operatorCalls": {"GET": 10, "PATCH": 5}}}`
		if err := json.Unmarshal([]byte(content), &r); err != nil {
			t.Fatal(err)
		}
		return r
	}
	figures, err := demoFigures([]demoReport{report("10", "9"), report("14", "9"), report("12", "11")})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]measurement.Figure{}
	for _, f := range figures {
		got[f.Name] = f
	}
	for name, want := range map[string]string{
		"The whole demo": "60", "Until the cluster is ready": "17", "2. Create": "12", "Evictions granted": "9",
		"PodDisruptionBudgets broken": "0", "Least available replicas of shop/web": "5", "Operator's API calls": "15",
	} {
		if got[name].Value.String() != want {
			t.Errorf("%s is %q, want %s", name, got[name].Value, want)
		}
	}
	if f := got["2. Create"]; f.Spread != "10 to 14" || f.Note != "in the first run: Draining 4.3 s" {
		t.Errorf("step 2 has spread %q and note %q", f.Spread, f.Note)
	}
	if f := got["Least available replicas of shop/web"]; f.Note != "of 6; the budget wants 5; 0 of 300 requests unanswered in all runs" {
		t.Errorf("the service's note is %q", f.Note)
	}

	shorter := report("10", "9")
	shorter.Steps = shorter.Steps[:1]
	if _, err := demoFigures([]demoReport{report("10", "9"), shorter}); err == nil {
		t.Error("demos with different steps were put side by side")
	}
}

func TestTaskFailsWithItsLastWords(t *testing.T) {
	_, err := task{args: []string{"bash", "-c", "echo what went wrong; exit 3"}}.run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "what went wrong") || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("run() = %v", err)
	}
}

// What is given to `make bench-demo ARGS=...` must not reach the `make test` that it measures.
func TestTaskForgetsTheMakeAroundIt(t *testing.T) {
	t.Setenv("MAKEFLAGS", " -- ARGS=-repeats=1")
	spent, err := task{env: []string{"OWN=yes"}, args: []string{"bash", "-c", `echo "[$MAKEFLAGS] $OWN"`}}.run(t.Context())
	if err != nil || spent.output != "[] yes\n" || spent.wall <= 0 || spent.processor <= 0 {
		t.Errorf("run() = %+v, %v", spent, err)
	}
}

func TestRunRefusesUnknownSubjects(t *testing.T) {
	if err := run(t.Context(), []string{"weather"}, &strings.Builder{}); err == nil || !strings.Contains(err.Error(), "build, localstack, demo or fleet") {
		t.Errorf("run() = %v", err)
	}
}
