package addresspool

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/kindmetrics"
)

var (
	freeDesc = prometheus.NewDesc(
		"fleetwright_address_pool_free_ratio",
		"How much of each AddressPool is free, from 0 to 1, in hundredths.",
		[]string{"namespace", "name"}, nil)
	allocationsDesc = prometheus.NewDesc(
		"fleetwright_address_pool_allocations",
		"How many AddressAllocations of each AddressPool there are, by what they report (Bound, Imported, Quarantined, Orphaned, ...).",
		[]string{"namespace", "name", "reason"}, nil)
	exhaustionDesc = prometheus.NewDesc(
		"fleetwright_address_pool_exhaustion_timestamp_seconds",
		"When nothing will be free of each AddressPool at the present rate, in seconds since 1970; not there while nothing is foretold.",
		[]string{"namespace", "name"}, nil)
)

// collector tells how full AddressPools are, and what AddressAllocations report, at the moment of the scrape, from the cache, so that no series outlives its
// object.
type collector struct{ reader client.Reader }

func (collector) Describe(ch chan<- *prometheus.Desc) {
	ch <- freeDesc
	ch <- allocationsDesc
	ch <- exhaustionDesc
}

func (c collector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	var pools fleetwrightv1.AddressPoolList
	if err := c.reader.List(ctx, &pools); err != nil {
		ch <- prometheus.NewInvalidMetric(freeDesc, err)
		return
	}
	for i := range pools.Items {
		p := &pools.Items[i]
		if free := p.Status.FreePercent; free != nil {
			ch <- prometheus.MustNewConstMetric(freeDesc, prometheus.GaugeValue, float64(*free)/100, p.Namespace, p.Name)
		}
		if at := p.Status.ExhaustionTime; !at.IsZero() {
			ch <- prometheus.MustNewConstMetric(exhaustionDesc, prometheus.GaugeValue, float64(at.Unix()), p.Namespace, p.Name)
		}
	}
	var allocations fleetwrightv1.AddressAllocationList
	if err := c.reader.List(ctx, &allocations); err != nil {
		ch <- prometheus.NewInvalidMetric(allocationsDesc, err)
		return
	}
	for series, n := range counted(allocations.Items) {
		ch <- prometheus.MustNewConstMetric(allocationsDesc, prometheus.GaugeValue, float64(n), series.pool.Namespace, series.pool.Name, series.reason)
	}
}

type series struct {
	pool   types.NamespacedName
	reason string
}

// counted says how many there are of each pool and reason; the reason is empty while one has not reported.
func counted(all []fleetwrightv1.AddressAllocation) map[series]int {
	out := map[series]int{}
	for i := range all {
		s := series{pool: poolOf(&all[i])}
		if c := meta.FindStatusCondition(all[i].Status.Conditions, fleetwrightv1.ConditionReady); c != nil {
			s.reason = c.Reason
		}
		out[s]++
	}
	return out
}

func registerMetrics(reader client.Reader) error {
	return kindmetrics.Register(collector{reader}, kindmetrics.Conditions[*fleetwrightv1.AddressPool]{
		Reader: reader, Name: "fleetwright_address_pool_condition", Kind: "AddressPool", List: &fleetwrightv1.AddressPoolList{},
	})
}
