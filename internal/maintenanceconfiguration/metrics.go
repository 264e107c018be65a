package maintenanceconfiguration

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
		Name: "fleetwright_maintenance_configuration_actions_total",
		Help: "Actions for AzureMaintenanceConfigurations, by kind (Write, TakeOut, ...) and result (ok, error).",
	}, []string{"action", "result"})
	driftsTotal = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "fleetwright_maintenance_configuration_drifts_total",
		Help: "Maintenance windows that were not as declared although they had been, by what became of it (Healed, Reported, Adopted).",
	}, []string{"outcome"})
	conditionDesc = prometheus.NewDesc(
		"fleetwright_maintenance_configuration_condition",
		"1 for the present status of each condition of each AzureMaintenanceConfiguration.",
		[]string{"namespace", "name", "cluster", "condition", "status", "reason"}, nil)
)

func countAction(a action, err error) {
	switch {
	case a == nothing:
	case err != nil:
		actionsTotal.WithLabelValues(string(a), "error").Inc()
	default:
		actionsTotal.WithLabelValues(string(a), "ok").Inc()
	}
}

func countDrift(outcome fleetwrightv1.DriftOutcome) {
	driftsTotal.WithLabelValues(string(outcome)).Inc()
}

// conditionCollector tells what AzureMaintenanceConfigurations report at the moment of the scrape, from the cache, so that no series
// outlives its object.
type conditionCollector struct{ reader client.Reader }

func (conditionCollector) Describe(ch chan<- *prometheus.Desc) { ch <- conditionDesc }

func (c conditionCollector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	var list fleetwrightv1.AzureMaintenanceConfigurationList
	if err := c.reader.List(ctx, &list); err != nil {
		ch <- prometheus.NewInvalidMetric(conditionDesc, err)
		return
	}
	for i := range list.Items {
		m := &list.Items[i]
		for _, cond := range m.Status.Conditions {
			ch <- prometheus.MustNewConstMetric(conditionDesc, prometheus.GaugeValue, 1,
				m.Namespace, m.Name, m.Spec.ClusterName, cond.Type, string(cond.Status), cond.Reason)
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
