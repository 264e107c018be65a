package workloadcluster

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/kindmetrics"
)

var (
	actions = kindmetrics.NewActions("fleetwright_workload_cluster_actions_total",
		"Actions for WorkloadClusters, by what is done and with which kind (CreateNodepool, ApplyCluster, ...), and result (ok or error).")
	stepDesc = prometheus.NewDesc("fleetwright_workload_cluster_step_seconds",
		"How long each step of a WorkloadCluster's creation took, by the times of the objects that it is about. A step that has not ended has none.",
		[]string{"namespace", "name", "step"}, nil)
	readyDesc = prometheus.NewDesc("fleetwright_workload_cluster_ready_seconds",
		"Time from the making of a WorkloadCluster to when it was ready for the first time.", []string{"namespace", "name"}, nil)
)

// times tells of the waterfall of each WorkloadCluster at the moment of the scrape, from the cache, so that no series outlives its object.
type times struct{ reader client.Reader }

// Describe implements prometheus.Collector.
func (times) Describe(ch chan<- *prometheus.Desc) {
	ch <- stepDesc
	ch <- readyDesc
}

// Collect implements prometheus.Collector.
func (c times) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	var list fleetwrightv1.WorkloadClusterList
	if err := c.reader.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
		ch <- prometheus.NewInvalidMetric(stepDesc, err)
		return
	}
	for i := range list.Items {
		w := &list.Items[i]
		for _, s := range w.Status.Steps {
			if !s.FinishedTime.IsZero() && !s.StartedTime.IsZero() {
				took := s.FinishedTime.Sub(s.StartedTime.Time).Seconds()
				ch <- prometheus.MustNewConstMetric(stepDesc, prometheus.GaugeValue, took, w.Namespace, w.Name, string(s.Name))
			}
		}
		if at := w.Status.ReadyTime; !at.IsZero() {
			ch <- prometheus.MustNewConstMetric(readyDesc, prometheus.GaugeValue, at.Sub(w.CreationTimestamp.Time).Seconds(), w.Namespace, w.Name)
		}
	}
}

func registerMetrics(reader client.Reader) error {
	return kindmetrics.Register(actions, times{reader}, kindmetrics.Conditions[*fleetwrightv1.WorkloadCluster]{
		Reader: reader, Name: "fleetwright_workload_cluster_condition", Kind: kindName, List: &fleetwrightv1.WorkloadClusterList{},
	})
}
