package addressclaim

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
		Name: "fleetwright_address_claim_actions_total",
		Help: "Actions for AddressClaims, by kind (Take, GiveBack, ...) and result (ok, error, or conflict when somebody else chose first).",
	}, []string{"action", "result"})
	conditionDesc = prometheus.NewDesc(
		"fleetwright_address_claim_condition",
		"1 for the present status of each condition of each AddressClaim.",
		[]string{"namespace", "name", "cluster", "condition", "status", "reason"}, nil)
)

func countAction(a action, result string) {
	if a != nothing {
		actionsTotal.WithLabelValues(string(a), result).Inc()
	}
}

// conditionCollector tells what AddressClaims report at the moment of the scrape, from the cache, so that no series outlives its object.
type conditionCollector struct{ reader client.Reader }

func (conditionCollector) Describe(ch chan<- *prometheus.Desc) { ch <- conditionDesc }

func (c conditionCollector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	var list fleetwrightv1.AddressClaimList
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
	for _, c := range []prometheus.Collector{actionsTotal, conditionCollector{reader}} {
		if err := metrics.Registry.Register(c); err != nil {
			return err
		}
	}
	return nil
}
