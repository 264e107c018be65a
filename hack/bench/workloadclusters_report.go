package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/fleetwright/fleetwright/hack/benchmarks/measurement"
)

const clustersNote = "One WorkloadCluster each, of one class, both flavours in turns, %d to a namespace, applied one after the other without a pause: a virtual network from " +
	"one AddressPool, two node pools with %d nodes, the right to pull from a registry. **Cluster API alone** gets the very objects of Cluster API and CAPZ " +
	"that a WorkloadCluster and its Nodepools amount to, written by the same code, with a network that the benchmark reckons, and no operator runs. It " +
	"does not hand out addresses, assign roles (two for each cluster here), or prove anything; a cluster counts there when it is `Available` and all its " +
	"nodes are ready. All AKS clusters share one API server (`localstack up --shared-workload`), because a hundred do not fit the machine: what theirs " +
	"would cost is not in these figures. Management API server, etcd, Cluster API, the stand-in for CAPZ, the simulated Azure and that API server are one " +
	"process, the *stack*; the operator is another; both share the machine with the benchmark. The simulated Azure takes 6 s for a control plane, 4 s for a " +
	"pool and 3 s for a node, the real one minutes. Runs fail when a cluster does not get ready or two networks overlap, and for no time."

// report makes the measurement of the runs.
func (c clustersBench) report(runs []clustersRun) (measurement.Measurement, error) {
	m := c.measured("fleet", fmt.Sprintf("%d workload clusters at once", c.clusters), "make bench-fleet", c.repeats)
	if c.clusters != defaultClusters {
		m.Command += fmt.Sprintf(" ARGS=\"-clusters %d\"", c.clusters)
	}
	m.Note = fmt.Sprintf(clustersNote, clustersPerTeam, nodesPerWorkloadCluster)
	for _, s := range []side{ours, plain} {
		if of := ofSide(runs, s); len(of) > 0 {
			m.Figures = append(m.Figures, timeFigures(s, of)...)
		}
	}
	if of := ofSide(runs, ours); len(of) > 0 {
		m.Figures = append(m.Figures, operatorFigures(of)...)
		m.Tables = append(m.Tables, waterfallTable(of), requestsTable(of))
	}
	m.Tables = append([]measurement.Table{costTable(runs)}, m.Tables...)
	raw, err := json.Marshal(runs)
	if err != nil {
		return m, fmt.Errorf("encode the runs: %w", err)
	}
	m.Runs = raw
	return m, nil
}

func ofSide(runs []clustersRun, s side) []clustersRun {
	return slices.DeleteFunc(slices.Clone(runs), func(r clustersRun) bool { return r.Side != s })
}

// each is one number of every run.
func each(runs []clustersRun, number func(clustersRun) float64) []float64 {
	out := make([]float64, len(runs))
	for i, r := range runs {
		out[i] = number(r)
	}
	return out
}

func timeFigures(s side, runs []clustersRun) []measurement.Figure {
	of := func(name, note string, number func(clustersRun) float64) measurement.Figure {
		return median(fmt.Sprintf("%s, %s", s, name), each(runs, number), "s", note)
	}
	ready := func(p float64) func(clustersRun) float64 {
		return func(r clustersRun) float64 { return percentile(r.Ready, p) }
	}
	figures := []measurement.Figure{
		of("all objects written", "", func(r clustersRun) float64 { return r.Applied }),
		of("all clusters ready", "from the first object on", func(r clustersRun) float64 { return r.Whole }),
		of("a cluster ready, p50", "from its own first object on", ready(50)),
		of("a cluster ready, p95", "", ready(95)),
		of("the fastest cluster", "", ready(0)),
		of("the slowest cluster", "", ready(100)),
		of("between the slowest and the fastest", "what a cluster may lose to the others", func(r clustersRun) float64 { return slices.Max(r.Ready) - slices.Min(r.Ready) }),
	}
	if s == ours {
		figures = append(figures, of("Cluster API's own part, p50", "a cluster available with all its nodes, with addresses waited for and before roles",
			func(r clustersRun) float64 { return percentile(r.Served, 50) }))
	}
	return figures
}

func operatorFigures(runs []clustersRun) []measurement.Figure {
	clusters := float64(runs[0].Clusters)
	of := func(name, unit, note string, number func(clustersRun) float64) measurement.Figure {
		return median(name, each(runs, number), unit, note)
	}
	return []measurement.Figure{
		of("Operator's memory, peak RSS", "MiB", "", func(r clustersRun) float64 { return r.Operator.Peak }),
		of("Operator's memory, peak private", "MiB", fmt.Sprintf("read every %s", peakLook), func(r clustersRun) float64 { return r.Operator.PeakPrivate }),
		of("Operator's memory, private, before", "MiB", "", func(r clustersRun) float64 { return r.Operator.Before }),
		of("Operator's memory, private, at rest", "MiB", "", func(r clustersRun) float64 { return r.Idle.Private }),
		of("Operator's processor time", "s", "until all were ready", func(r clustersRun) float64 { return r.Operator.Processor }),
		of("Operator's requests to the management API server, per cluster", "", methods(runs, toManagement), func(r clustersRun) float64 { return float64(r.Counts.sum(toManagement)) / clusters }),
		of("Operator's requests to the clusters' API server, per cluster", "", methods(runs, toWorkload), func(r clustersRun) float64 { return float64(r.Counts.sum(toWorkload)) / clusters }),
		of("Operator's reconciles, per cluster", "", controllers(runs), func(r clustersRun) float64 { return float64(r.Counts.sum(reconciles)) / clusters }),
		of("Operator's idle load", "m", "1000 m is one core", func(r clustersRun) float64 { return r.Idle.Operator }),
		of("Operator's idle requests to the management API server", "per minute", "", func(r clustersRun) float64 { return float64(r.Idle.Counts.sum(toManagement)) }),
		of("Operator's idle requests to the clusters' API server", "per minute", "", func(r clustersRun) float64 { return float64(r.Idle.Counts.sum(toWorkload)) }),
		of("Operator's idle requests to Azure", "per minute", "the local stack looks for drift every 3 s, the default is 150 s", func(r clustersRun) float64 { return float64(r.Idle.Azure.sum(byOperator)) }),
	}
}

// methods tells the first run's requests by method, per cluster.
func methods(runs []clustersRun, to string) string {
	return perCluster(runs[0].Counts[to], runs[0].Clusters, 8)
}

// controllers tells which controllers looked most often, per cluster, in the first run.
func controllers(runs []clustersRun) string {
	byName := map[string]int{}
	for key, n := range runs[0].Counts[reconciles] {
		name, _, _ := strings.Cut(key, " ")
		byName[name] += n
	}
	return perCluster(byName, runs[0].Clusters, 6)
}

// perCluster tells the most of them.
func perCluster(of map[string]int, clusters, most int) string {
	keys := byNumber(of)
	var parts []string
	for _, key := range keys[:min(most, len(keys))] {
		parts = append(parts, fmt.Sprintf("%s %s", number(float64(of[key])/float64(clusters)), key))
	}
	return strings.Join(parts, ", ")
}

// byNumber are the keys, the greatest numbers first.
func byNumber(of map[string]int) []string {
	return slices.SortedFunc(maps.Keys(of), func(a, b string) int { return cmp.Or(of[b]-of[a], strings.Compare(a, b)) })
}

// costTable sets the sides side by side.
func costTable(runs []clustersRun) measurement.Table {
	t := measurement.Table{
		Title:   "Both sides, medians",
		Columns: []string{"Who", "All ready, s", "p50, s", "p95, s", "Slowest, s", "Stack's processor time, s", "Stack's peak RSS, MiB", "Writes of Cluster API", "Writes of CAPZ", "Writes of the operator", "Azure requests of CAPZ", "Azure requests of the operator", "429"},
		Note: "Writes are those to the management API server, refused ones too; writes and Azure requests are per cluster and until all were ready. " +
			"CAPZ is the stand-in, with the calls of the Azure Service Operator that works for it.",
	}
	for _, s := range []side{ours, plain} {
		of := ofSide(runs, s)
		if len(of) == 0 {
			continue
		}
		clusters := float64(of[0].Clusters)
		row := []string{string(s)}
		for _, value := range []func(clustersRun) float64{
			func(r clustersRun) float64 { return r.Whole },
			func(r clustersRun) float64 { return percentile(r.Ready, 50) },
			func(r clustersRun) float64 { return percentile(r.Ready, 95) },
			func(r clustersRun) float64 { return percentile(r.Ready, 100) },
			func(r clustersRun) float64 { return r.Stack.Processor },
			func(r clustersRun) float64 { return r.Stack.Peak },
			func(r clustersRun) float64 { return float64(r.Audited.sum(byClusterAPI)) / clusters },
			func(r clustersRun) float64 { return float64(r.Audited.sum(byCAPZ)) / clusters },
			func(r clustersRun) float64 { return float64(r.Audited.sum(byOperator)) / clusters },
			func(r clustersRun) float64 { return float64(r.Azure.sum(byCAPZ)) / clusters },
			func(r clustersRun) float64 { return float64(r.Azure.sum(byOperator)) / clusters },
			func(r clustersRun) float64 { return float64(r.Azure.sum(throttled)) },
		} {
			row = append(row, median("x", each(of, value), "", "").Value.String())
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// waterfallTable is that of the first run: steps overlap.
func waterfallTable(runs []clustersRun) measurement.Table {
	t := measurement.Table{
		Title:   "Where a cluster's time goes, means over all clusters of the first run, in seconds",
		Columns: []string{"Step", "Clusters", "Begins", "Ends", "Takes", "The longest"},
		Note:    "From `status.steps`, after the creation of the WorkloadCluster. The API server's times are whole seconds; steps go on side by side.",
	}
	for _, s := range runs[0].Steps {
		t.Rows = append(t.Rows, []string{
			s.Name, fmt.Sprint(s.Clusters), number(s.Begins).String(), number(s.Ends).String(), number(s.Takes).String(), number(s.Longest).String(),
		})
	}
	return t
}

// requestsTable is what the operator asks for, of the first run.
func requestsTable(runs []clustersRun) measurement.Table {
	t := measurement.Table{
		Title:   "The operator's requests to the management API server by verb and kind, per cluster, in the first run",
		Columns: []string{"Request", "Per cluster"},
		Note: "From the audit log, in which events and leases are not; what the operator reads is in it for this measurement only. A number behind a request is a " +
			"refusal: 404 is how it learns that there is nothing, 409 a conflict, after which it looks again.",
	}
	clusters := float64(runs[0].Clusters)
	rare := 0
	for _, who := range []string{byOperator, readByOperator} {
		of := runs[0].Audited[who]
		for _, what := range byNumber(of) {
			each := float64(of[what]) / clusters
			if each < 1 && !strings.HasSuffix(what, " 409") {
				rare += of[what]
				continue
			}
			t.Rows = append(t.Rows, []string{what, fmt.Sprintf("%.2f", each)})
		}
	}
	t.Rows = append(t.Rows, []string{"all that are fewer than one", fmt.Sprintf("%.2f", float64(rare)/clusters)})
	return t
}

// percentile is the nearest-rank one; that of nothing is not a number, which is refused when it is saved.
func percentile(values []float64, p float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	rank := int(math.Ceil(p / 100 * float64(len(sorted))))
	return sorted[max(rank, 1)-1]
}
