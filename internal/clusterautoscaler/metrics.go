package clusterautoscaler

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

var (
	actionsTotal = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "fleetwright_cluster_autoscaler_actions_total",
		Help: "Actions for AzureClusterAutoscalers, by kind (Write, GiveUp, Remember, ...) and result (ok, error).",
	}, []string{"action", "result"})
	driftsTotal = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "fleetwright_cluster_autoscaler_drifts_total",
		Help: "Autoscaler profiles that were not as declared any more, by what became of it (Healed, Reported, Adopted).",
	}, []string{"outcome"})
	conditionDesc = prometheus.NewDesc(
		"fleetwright_cluster_autoscaler_condition",
		"1 for the present status of each condition of each AzureClusterAutoscaler.",
		[]string{"namespace", "name", "cluster", "condition", "status", "reason"}, nil)
)

func countAction(a action, err error) {
	if a == nothing {
		return
	}
	result := "ok"
	if err != nil {
		result = "error"
	}
	actionsTotal.WithLabelValues(string(a), result).Inc()
}

func countDrift(outcome string) { driftsTotal.WithLabelValues(outcome).Inc() }

// conditionCollector tells what AzureClusterAutoscalers report at the moment of the scrape, from the cache, so that no series outlives its
// object.
type conditionCollector struct{ reader client.Reader }

func (conditionCollector) Describe(ch chan<- *prometheus.Desc) { ch <- conditionDesc }

func (c conditionCollector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	var list fleetwrightv1.AzureClusterAutoscalerList
	if err := c.reader.List(ctx, &list); err != nil {
		ch <- prometheus.NewInvalidMetric(conditionDesc, err)
		return
	}
	for i := range list.Items {
		a := &list.Items[i]
		for _, cond := range a.Status.Conditions {
			ch <- prometheus.MustNewConstMetric(conditionDesc, prometheus.GaugeValue, 1,
				a.Namespace, a.Name, a.Spec.ClusterName, cond.Type, string(cond.Status), cond.Reason)
		}
	}
}

func registerMetrics(reader client.Reader) error {
	for _, c := range []prometheus.Collector{actionsTotal, driftsTotal, conditionCollector{reader}} {
		if err := metrics.Registry.Register(c); err != nil {
			return err
		}
	}
	return nil
}
