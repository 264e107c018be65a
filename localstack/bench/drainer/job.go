// Package drainer runs each drainer of the benchmark, ours and its peers, as a process of its own, so that its processor time and
// memory are its own. The process says when it is ready, waits for its Job, does it and reports.
package drainer

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/fleetwright/fleetwright/drain"
)

// Job is what one process is told to do.
type Job struct {
	// Drainer is a name out of Names.
	Drainer string          `json:"drainer"`
	Nodes   []drain.NodeRef `json:"nodes"`
	// Scale multiplies the drainer's own waits, where its code lets us: 1 is as published.
	Scale float64 `json:"scale"`
	// LimitSeconds is when the drainer is told to stop; 0 is never.
	LimitSeconds float64 `json:"limitSeconds,omitempty"`
	// CPUProfile and AllocProfile are files for pprof, empty for none.
	CPUProfile   string `json:"cpuProfile,omitempty"`
	AllocProfile string `json:"allocProfile,omitempty"`
}

// wait is one of the drainer's own constants under the job's scale.
func (j Job) wait(d time.Duration) time.Duration { return time.Duration(float64(d) * j.Scale) }

// rate is a client's queries per second under the job's scale.
func (j Job) rate(qps float32) float32 { return qps / float32(j.Scale) }

// Report is what a process says at its end.
type Report struct {
	// Calls counts requests by verb and resource, such as "create pods/eviction" or "watch pods".
	Calls map[string]int `json:"calls"`
	// Evictions counts the answers to evictions by their code; 0 is no answer.
	Evictions map[int]int `json:"evictions"`
	// Latencies of the answers to evictions in milliseconds, in order of their end.
	Latencies []float64 `json:"latencies"`
	// Granted are the moments of the evictions that were granted, in seconds since the job began.
	Granted []float64 `json:"granted"`
	// CPUSeconds the process used for the job.
	CPUSeconds float64 `json:"cpuSeconds"`
	// IdleRSS and PeakRSS are what the process held before the job and at most, in MiB; IdleHeap and PeakHeap the same of live Go objects.
	IdleRSS  float64 `json:"idleRSS"`
	PeakRSS  float64 `json:"peakRSS"`
	IdleHeap float64 `json:"idleHeap"`
	PeakHeap float64 `json:"peakHeap"`
	Error    string  `json:"error,omitempty"`
	// TimeIsUp says that Error is because of the limit.
	TimeIsUp bool `json:"timeIsUp,omitempty"`
}

// drainFunc empties the job's nodes, which are cordoned, and returns when they are empty.
type drainFunc func(e *env) error

// drainers by name.
func drainers() map[string]drainFunc {
	return map[string]drainFunc{
		"ours":              ours,
		"ours-level":        oursLevel,
		"kubectl-serial":    kubectlSerial,
		"kubectl-x10":       kubectlTen,
		"kubectl-x10-noqps": kubectlTenUnthrottled,
		"goroutine-per-pod": goroutinePerPod,
		"cluster-api":       clusterAPI,
		"cluster-api-noqps": clusterAPIUnthrottled,
		"karpenter-like":    karpenterLike,
		"nothing":           func(*env) error { return nil },
	}
}

// Names are all drainers.
func Names() []string { return slices.Sorted(maps.Keys(drainers())) }

// What describes a drainer in a report.
func What(name string) string {
	switch name {
	case "ours":
		return "drain.Watcher"
	case "ours-level":
		return "drain.Observe, Decide and Evict in a loop, as an importer without watches would"
	case "kubectl-serial":
		return "kubectl/pkg/drain v0.36.3, node by node, retry after 5 s, 5 requests per second as kubectl"
	case "kubectl-x10":
		return "the same, ten nodes at once, each with a client of its own, as xargs -P10 would"
	case "kubectl-x10-noqps":
		return "the same without client-side rate limit"
	case "goroutine-per-pod":
		return "kubectl/pkg/drain with the pods of all nodes at once, retry after 5 s, no client-side rate limit"
	case "cluster-api":
		return "Cluster API v1.14.2's machine drain, all nodes, at its 20 s requeue and 20 requests per second"
	case "cluster-api-noqps":
		return "the same without client-side rate limit"
	case "karpenter-like":
		return "a queue with the constants of Karpenter v1.14: backoff of 100 ms to 10 s, 100 workers, 100 retries per second"
	}
	return fmt.Sprintf("%q", name)
}
