package nodepool

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/drain"
	"github.com/fleetwright/fleetwright/internal/nodepool/replacement"
)

// debtLabels are one workload's within one Nodepool. Those of the Nodepool are
// called as in all other metrics, and a workload's namespace is its own.
var debtLabels = []string{"namespace", "name", "cluster", "workload_namespace", "workload", "budget", "reason"}

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
	debtDesc = prometheus.NewDesc(
		"fleetwright_drain_debt_seconds_total",
		"Time in which drains of a Nodepool could not go on because of a workload.",
		debtLabels, nil)
	blockedPodsDesc = prometheus.NewDesc(
		"fleetwright_drain_blocked_pods",
		"Pods of a workload that hold up a drain of a Nodepool now.",
		debtLabels, nil)
)

func countOutcome(o *observation, actErr error) {
	if o.plan.Action.Kind == replacement.None {
		return
	}
	result := "ok"
	if actErr != nil {
		result = "error"
	}
	actionsTotal.WithLabelValues(string(o.plan.Action.Kind), result).Inc()
}

func countEviction(a drain.Answer) { evictionsTotal.WithLabelValues(string(a.Outcome)).Inc() }

// statusCollector tells what Nodepools report at the moment of the scrape, from
// the cache, so that no series outlives its object and none is lost at a restart.
type statusCollector struct {
	reader client.Reader
	// elected is closed in the process that leads: debt is summed up, and must be
	// told by one only.
	elected <-chan struct{}
}

func (c statusCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- conditionDesc
	ch <- debtDesc
	ch <- blockedPodsDesc
}

func (c statusCollector) Collect(ch chan<- prometheus.Metric) {
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
		if c.leads() {
			collectDebt(ch, np)
		}
	}
}

func (c statusCollector) leads() bool {
	select {
	case <-c.elected:
		return true
	default:
		return false
	}
}

// collectDebt tells each debtor once, whatever a person wrote into the status: one
// series that comes twice would cost all others of the scrape. A blocker that has
// no debt yet is told with 0, so that Prometheus sees its counter begin.
func collectDebt(ch chan<- prometheus.Metric, np *fleetwrightv1.Nodepool) {
	told := map[debtor]bool{}
	tell := func(desc *prometheus.Desc, kind prometheus.ValueType, value float64, who debtor) {
		ch <- prometheus.MustNewConstMetric(desc, kind, value, np.Namespace, np.Name, np.Spec.ClusterName, who.namespace, who.owner, who.budget, who.reason)
	}
	for _, d := range np.Status.DrainDebt.Workloads {
		who := debtorIn(d)
		if told[who] {
			continue
		}
		told[who] = true
		tell(debtDesc, prometheus.CounterValue, float64(ptr.Deref(d.Seconds, 0)), who)
		if d.Pods > 0 {
			tell(blockedPodsDesc, prometheus.GaugeValue, float64(d.Pods), who)
		}
	}
	for _, b := range np.Status.Replacement.Blockers {
		if who := debtorAmong(b); owesFor(b.Reason) && !told[who] {
			told[who] = true
			tell(debtDesc, prometheus.CounterValue, 0, who)
		}
	}
}

func registerMetrics(reader client.Reader, elected <-chan struct{}) error {
	for _, c := range []prometheus.Collector{actionsTotal, evictionsTotal, statusCollector{reader, elected}} {
		if err := metrics.Registry.Register(c); err != nil {
			return err
		}
	}
	return nil
}
