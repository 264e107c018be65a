package main

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"github.com/fleetwright/fleetwright/localstack/bench/drainer"
	"github.com/fleetwright/fleetwright/localstack/bench/record"
)

// heldFrom is how long an answer to an eviction takes at least when kube-apiserver slept over a conflict on the budget: it begins at 500 ms.
const heldFrom = 450

// drained is one drain of one pool, as it is kept in the file of figures.
type drained struct {
	Drainer string `json:"drainer"`
	// Repeat and Place say when it ran: its turn among the others.
	Repeat int    `json:"repeat"`
	Place  int    `json:"place"`
	Lane   int    `json:"lane"`
	Seed   uint64 `json:"seed"`
	Size   size   `json:"size"`
	// BoundSeconds is what no drainer can beat, BoundOf the service that sets it.
	BoundSeconds float64 `json:"boundSeconds"`
	BoundOf      string  `json:"boundOf"`
	// BoundLinks is how many evictions follow each other in that service.
	BoundLinks int `json:"boundLinks"`
	// MakespanSeconds is from the word to go until the last pod has left the old nodes, LastAskedSeconds until the last was told to end.
	MakespanSeconds  float64 `json:"makespanSeconds"`
	LastAskedSeconds float64 `json:"lastAskedSeconds"`
	Pods             int     `json:"pods"`
	// Violations and the rest of this group come from the API server's history.
	Violations   []string `json:"violations,omitempty"`
	BudgetsBelow int      `json:"budgetsBelow"`
	Revisions    int      `json:"revisions"`
	Gaps         int      `json:"gaps,omitempty"`
	// Calls are counted at the drainer's transport, Evictions are the answers by their code.
	Calls     map[string]int `json:"calls"`
	Evictions map[int]int    `json:"evictions"`
	// HeldEvictions took as long as if kube-apiserver had slept over a conflict.
	HeldEvictions int     `json:"heldEvictions"`
	P50           float64 `json:"p50Milliseconds"`
	P99           float64 `json:"p99Milliseconds"`
	CPUSeconds    float64 `json:"cpuSeconds"`
	IdleRSS       float64 `json:"idleRSSMiB"`
	PeakRSS       float64 `json:"peakRSSMiB"`
	IdleHeap      float64 `json:"idleHeapMiB"`
	PeakHeap      float64 `json:"peakHeapMiB"`
	// Busy is the share of all processors that was in use meanwhile, by everything on this machine.
	Busy float64 `json:"busy"`
	// TimeIsUp says that the drainer was told to stop before the end.
	TimeIsUp bool   `json:"timeIsUp,omitempty"`
	Error    string `json:"error,omitempty"`
}

func (d *drained) used(r drainer.Report) {
	d.Calls, d.Evictions = r.Calls, r.Evictions
	d.CPUSeconds, d.IdleRSS, d.PeakRSS, d.IdleHeap, d.PeakHeap = r.CPUSeconds, r.IdleRSS, r.PeakRSS, r.IdleHeap, r.PeakHeap
	d.P50, d.P99 = quantile(r.Latencies, 0.5), quantile(r.Latencies, 0.99)
	d.HeldEvictions = held(r.Latencies)
}

func (d *drained) took(run record.Run, began time.Time) {
	d.Pods, d.Violations, d.BudgetsBelow, d.Revisions = run.Pods, run.Violations, run.BudgetsBelow, run.Revisions
	d.Gaps = run.Gaps
	if !run.Empty.IsZero() {
		d.MakespanSeconds = run.Empty.Sub(began).Seconds()
	}
	if !run.LastAsked.IsZero() {
		d.LastAskedSeconds = run.LastAsked.Sub(began).Seconds()
	}
}

// ratio is the makespan by the bound: 1 is the best that can be.
func (d drained) ratio() float64 { return d.MakespanSeconds / d.BoundSeconds }

// evictionsPerPod counts requests to evict, refused ones too.
func (d drained) evictionsPerPod() float64 {
	n := 0
	for _, count := range d.Evictions {
		n += count
	}
	return float64(n) / float64(d.Pods)
}

// callsPerPod counts all requests for each pod that was evicted.
func (d drained) callsPerPod() float64 {
	n := 0
	for _, count := range d.Calls {
		n += count
	}
	return float64(n) / float64(max(d.granted(), 1))
}

func (d drained) granted() int { return d.Evictions[http.StatusCreated] }

func (d drained) refused() float64 { return float64(d.Evictions[http.StatusTooManyRequests]) }

// failed counts evictions that were answered with neither yes nor a plain no.
func (d drained) failed() float64 {
	n := 0
	for code, count := range d.Evictions {
		if code == 0 || code == http.StatusConflict || code >= http.StatusInternalServerError {
			n += count
		}
	}
	return float64(n)
}

func held(latencies []float64) int {
	n := 0
	for _, l := range latencies {
		if l >= heldFrom {
			n++
		}
	}
	return n
}

// quantile is the nearest rank; 0 without values.
func quantile[T cmp.Ordered](values []T, q float64) T {
	var none T
	if len(values) == 0 {
		return none
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}
