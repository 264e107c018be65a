package broker

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are what was spent and waited. What is left is read from the buckets at each scrape.
type metrics struct {
	calls, refused, throttles *prometheus.CounterVec
	waits, waited             *prometheus.CounterVec
}

var (
	_ prometheus.Collector = (*Broker)(nil)

	leftDesc = prometheus.NewDesc("fleetwright_azure_budget_left", "Requests to Azure that a limit of a subscription would let through at once.",
		[]string{"limit", "subscription", "region"}, nil)
	waitingDesc = prometheus.NewDesc("fleetwright_azure_waiting", "Requests to Azure that wait for budget now.", []string{"priority"}, nil)
)

// changeLimit is what metrics call the guard of one change of a cluster at a time.
const changeLimit = "one_change"

func newMetrics() metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	m := metrics{
		calls:     counter("fleetwright_azure_budget_spent_total", "Requests to Azure by the limit that they counted against; each counts against one of Resource Manager and one of its provider.", "limit", "priority"),
		refused:   counter("fleetwright_azure_refused_total", "Requests to Azure that were not sent, because the limit would have let them through too late.", "limit", "priority"),
		throttles: counter("fleetwright_azure_throttled_total", "Answers 429 of Azure, by the limit that was taken for empty then.", "limit"),
		waits:     counter("fleetwright_azure_waits_total", "Requests to Azure that had to wait for budget before they were sent.", "priority"),
		waited:    counter("fleetwright_azure_waited_seconds_total", "Time that requests to Azure waited for budget before they were sent.", "priority"),
	}
	// Counters begin with 0, so that Prometheus sees the first increase.
	for _, l := range limits {
		m.throttles.WithLabelValues(l.name)
		for p := PriorityScaleUp; p <= PrioritySweep; p++ {
			m.calls.WithLabelValues(l.name, p.String())
			m.refused.WithLabelValues(l.name, p.String())
		}
	}
	for p := PriorityScaleUp; p <= PrioritySweep; p++ {
		m.refused.WithLabelValues(changeLimit, p.String())
		m.waits.WithLabelValues(p.String())
		m.waited.WithLabelValues(p.String())
	}
	return m
}

func (m metrics) decided(t *ticket) {
	p := t.priority.String()
	switch {
	case t.answer.busy:
		m.refused.WithLabelValues(changeLimit, p).Inc()
	case t.answer.refused:
		m.refused.WithLabelValues(t.answer.bucket.limit.name, p).Inc()
	default:
		for _, b := range t.buckets {
			m.calls.WithLabelValues(b.limit.name, p).Inc()
		}
		if t.answer.wait > 0 {
			m.waits.WithLabelValues(p).Inc()
			m.waited.WithLabelValues(p).Add(t.answer.wait.Seconds())
		}
	}
}

func (m metrics) throttled(b *bucket) { m.throttles.WithLabelValues(b.limit.name).Inc() }

func (m metrics) all() []prometheus.Collector {
	return []prometheus.Collector{m.calls, m.refused, m.throttles, m.waits, m.waited}
}

// Describe implements prometheus.Collector.
func (b *Broker) Describe(ch chan<- *prometheus.Desc) {
	for _, c := range b.metrics.all() {
		c.Describe(ch)
	}
	ch <- leftDesc
	ch <- waitingDesc
}

// Collect implements prometheus.Collector.
func (b *Broker) Collect(ch chan<- prometheus.Metric) {
	for _, c := range b.metrics.all() {
		c.Collect(ch)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for labels, left := range b.line.left(b.clock.Now()) {
		ch <- prometheus.MustNewConstMetric(leftDesc, prometheus.GaugeValue, left, labels.limit, labels.subscription, labels.region)
	}
	var waiting [priorities]int
	for t := range b.line.all() {
		waiting[t.priority]++
	}
	for p := PriorityScaleUp; p <= PrioritySweep; p++ {
		ch <- prometheus.MustNewConstMetric(waitingDesc, prometheus.GaugeValue, float64(waiting[p]), p.String())
	}
}

type leftLabels struct{ limit, subscription, region string }

// left is what each limit of a subscription would let through now. Limits of one resource are left out, and of several
// identities the one that has the least is told.
func (l *line) left(now time.Time) map[leftLabels]float64 {
	out := map[leftLabels]float64{}
	for _, b := range l.buckets {
		if b.limit.single || b.limiter == nil {
			continue
		}
		left := max(b.tokens(now), 0)
		if now.Before(b.closed) {
			left = 0
		}
		labels := leftLabels{b.limit.name, b.subscription, b.region}
		if least, told := out[labels]; !told || left < least {
			out[labels] = left
		}
	}
	return out
}
