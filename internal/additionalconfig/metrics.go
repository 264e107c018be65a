package additionalconfig

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

var conditionDesc = prometheus.NewDesc(
	"fleetwright_additional_config_condition",
	"1 for the present status of each condition of each AzureClusterAdditionalConfig.",
	[]string{"namespace", "name", "condition", "status", "reason"}, nil)

// conditionCollector tells what AzureClusterAdditionalConfigs report at the moment of the scrape, from the cache, so that no series
// outlives its object.
type conditionCollector struct{ reader client.Reader }

func (conditionCollector) Describe(ch chan<- *prometheus.Desc) { ch <- conditionDesc }

func (c conditionCollector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	var list fleetwrightv1.AzureClusterAdditionalConfigList
	if err := c.reader.List(ctx, &list); err != nil {
		ch <- prometheus.NewInvalidMetric(conditionDesc, err)
		return
	}
	for i := range list.Items {
		config := &list.Items[i]
		for _, cond := range config.Status.Conditions {
			ch <- prometheus.MustNewConstMetric(conditionDesc, prometheus.GaugeValue, 1,
				config.Namespace, config.Name, cond.Type, string(cond.Status), cond.Reason)
		}
	}
}
