package nodepool

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/nodepool/replacement"
)

var (
	actionsTotal = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "fleetwright_nodepool_actions_total",
		Help: "Actions of Nodepool plans, by kind (CreatePool, CordonNodes, EvictPods, ...) and result (ok, error).",
	}, []string{"action", "result"})
	evictionsTotal = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "fleetwright_nodepool_evictions_total",
		Help: "Answers of workload API servers to evictions, by outcome (Evicted, Refused, WebhookDenied, ...).",
	}, []string{"outcome"})
	conditionDesc = prometheus.NewDesc(
		"fleetwright_nodepool_condition",
		"1 for the present status of each condition of each Nodepool.",
		[]string{"namespace", "name", "cluster", "condition", "status", "reason"}, nil)
)

func countOutcome(o *observation, done outcome, actErr error) {
	if o.plan.Action.Kind == replacement.None {
		return
	}
	result := "ok"
	if actErr != nil {
		result = "error"
	}
	actionsTotal.WithLabelValues(string(o.plan.Action.Kind), result).Inc()
	for _, a := range done.answers.Answers {
		evictionsTotal.WithLabelValues(string(a.Outcome)).Inc()
	}
}

// conditionCollector tells the conditions at the moment of the scrape, from the
// cache, so that no gauge outlives its object.
type conditionCollector struct{ reader client.Reader }

func (c conditionCollector) Describe(ch chan<- *prometheus.Desc) { ch <- conditionDesc }

func (c conditionCollector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	var list fleetwrightv1.NodepoolList
	if err := c.reader.List(ctx, &list); err != nil {
		ch <- prometheus.NewInvalidMetric(conditionDesc, err)
		return
	}
	for i := range list.Items {
		np := &list.Items[i]
		for _, cond := range np.Status.Conditions {
			ch <- prometheus.MustNewConstMetric(conditionDesc, prometheus.GaugeValue, 1,
				np.Namespace, np.Name, np.Spec.ClusterName, cond.Type, string(cond.Status), cond.Reason)
		}
	}
}

func registerMetrics(reader client.Reader) error {
	for _, c := range []prometheus.Collector{actionsTotal, evictionsTotal, conditionCollector{reader}} {
		if err := metrics.Registry.Register(c); err != nil {
			return err
		}
	}
	return nil
}
