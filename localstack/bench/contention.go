package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"time"

	"github.com/fleetwright/fleetwright/localstack/bench/cluster"
	"github.com/fleetwright/fleetwright/localstack/bench/drainer"
	"github.com/fleetwright/fleetwright/localstack/bench/record"
	"github.com/fleetwright/fleetwright/localstack/bench/workload"
)

// contended is a workload whose budgets allow everything at once, so that only evictions that get in each other's way cost time.
type contended struct {
	Nodes, Pods int
	// Budgets are the numbers of PodDisruptionBudgets that the pods are spread over, one after the other.
	Budgets []int
	// Termination is how long the pods take to end. It is long enough that most do after the evictions are over, and do not load the API
	// server meanwhile.
	Termination time.Duration
}

// contenders drain without client-side rate limit, which would hide what the API server can do.
var contenders = []string{"ours", "cluster-api-noqps", "goroutine-per-pod"}

// contested is one drain of such a workload.
type contested struct {
	Drainer string `json:"drainer"`
	Budgets int    `json:"budgets"`
	Pods    int    `json:"pods"`
	Repeat  int    `json:"repeat"`
	Place   int    `json:"place"`
	// PerSecond is evictions granted per second from the word to go until the last of them, or until time was up.
	PerSecond float64 `json:"perSecond"`
	P50       float64 `json:"p50Milliseconds"`
	P99       float64 `json:"p99Milliseconds"`
	// Held evictions took as long as if kube-apiserver had slept over a conflict; Failed ones got neither yes nor a plain no.
	Held       int         `json:"held"`
	Failed     int         `json:"failed"`
	Evictions  map[int]int `json:"evictions"`
	EmptyAfter float64     `json:"emptyAfterSeconds,omitempty"`
	CPUSeconds float64     `json:"cpuSeconds"`
	Busy       float64     `json:"busy"`
	Error      string      `json:"error,omitempty"`
	// Cut says that it was not done when its time was up.
	Cut bool `json:"cut,omitempty"`
}

const (
	// window is how long a drainer may evict; one that needs longer is measured as far as it got.
	window = 30 * time.Second
	// contentionLimit is when a drainer that does not stop then is ended.
	contentionLimit = 2 * time.Minute
)

// contention lets each drainer evict the same pods under one budget and under many.
func (s *settings) contention(ctx context.Context) (_ []contested, err error) {
	s.say("Starting a control plane for %d contended pods ...", s.p2.Pods)
	c, err := cluster.Start(partP2, s.scratch)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	nodes, err := c.AddPool(ctx, "a", s.p2.Nodes)
	if err != nil {
		return nil, err
	}
	if err := c.Run(); err != nil {
		return nil, err
	}
	if err := c.WaitNodes(ctx); err != nil {
		return nil, fmt.Errorf("wait for nodes: %w", err)
	}
	var all []contested
	for _, budgets := range s.p2.Budgets {
		for _, t := range turns(contenders, s.repeatsOf) {
			r, err := s.contest(ctx, c, nodes, budgets, t)
			if err != nil {
				return all, err
			}
			all = append(all, r)
			s.say("p2 %d budgets: %s evicted %.0f pods per second, p50 %.0f ms, p99 %.0f ms, %d held, %d failed %s",
				budgets, r.Drainer, r.PerSecond, r.P50, r.P99, r.Held, r.Failed, r.Error[:min(len(r.Error), 100)])
		}
	}
	return all, nil
}

// contest is one drain: pods made, evicted and gone again.
func (s *settings) contest(ctx context.Context, c *cluster.Cluster, nodes []string, budgets int, t turn) (contested, error) {
	r := contested{Drainer: t.drainer, Budgets: budgets, Pods: s.p2.Pods, Repeat: t.repeat, Place: t.place}
	services := bareServices(fmt.Sprintf("p2-%d-%d", budgets, t.place), s.p2, budgets)
	recording, stop := context.WithCancel(ctx)
	defer stop()
	recorder := record.Start(recording, c.Client, services)
	if err := c.ApplyBare(ctx, services, nodes); err != nil {
		return r, err
	}
	if err := waitSettled(ctx, recorder); err != nil {
		return r, err
	}
	limited, cancel := context.WithTimeout(ctx, contentionLimit)
	defer cancel()
	p, err := drainer.Spawn(limited, c.Kubeconfig, filepath.Join(s.scratch, "drainer.log"))
	if err != nil {
		return r, err
	}
	recorder.Begin(nodes)
	began, busy := time.Now(), processorsBusy()
	if err := p.Do(drainer.Job{Drainer: t.drainer, Nodes: c.Refs(nodes), Scale: 1, LimitSeconds: window.Seconds()}); err != nil {
		return r, err
	}
	report, err := p.Wait()
	if err != nil && !report.TimeIsUp {
		r.Error = err.Error()
	}
	r.Busy = processorsBusy().since(busy)
	r.used(report)
	if run := recorder.Run(); !run.Empty.IsZero() {
		r.EmptyAfter = run.Empty.Sub(began).Seconds()
	}
	return r, c.Remove(ctx, services[0].Namespace, recorder.WaitGone)
}

func (r *contested) used(report drainer.Report) {
	r.Evictions, r.CPUSeconds = report.Evictions, report.CPUSeconds
	r.P50, r.P99 = quantile(report.Latencies, 0.5), quantile(report.Latencies, 0.99)
	r.Held = held(report.Latencies)
	for code, count := range report.Evictions {
		if code == 0 || code == http.StatusConflict || code >= http.StatusInternalServerError {
			r.Failed += count
		}
	}
	took := quantile(report.Granted, 1)
	if report.TimeIsUp {
		r.Cut, took = true, window.Seconds()
	}
	if n := len(report.Granted); n > 0 {
		r.PerSecond = float64(n) / took
	}
}

// requests counts all requests to evict.
func (r contested) requests() float64 {
	n := 0
	for _, count := range r.Evictions {
		n += count
	}
	return float64(n)
}

func waitSettled(ctx context.Context, r *record.Recorder) error {
	ctx, cancel := context.WithTimeoutCause(ctx, settleLimit, errors.New("the workload does not get Ready"))
	defer cancel()
	return r.WaitSettled(ctx)
}

// bareServices are pods without a controller, because nothing is to bring them back.
func bareServices(namespace string, of contended, budgets int) []workload.Service {
	services := make([]workload.Service, budgets)
	for i := range services {
		services[i] = workload.Service{
			Namespace: namespace, Name: fmt.Sprintf("service-%04d", i), Kind: workload.Bare, Budget: workload.BudgetAll,
			Replicas: of.Pods/budgets + min(1, max(0, of.Pods%budgets-i)), Termination: of.Termination,
		}
	}
	return services
}
