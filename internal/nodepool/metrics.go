package nodepool

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/drain"
	"github.com/fleetwright/fleetwright/internal/kindmetrics"
)

// debtLabels are one workload's within one Nodepool. Those of the Nodepool are
// called as in all other metrics, and a workload's namespace is its own.
var debtLabels = []string{"namespace", "name", "cluster", "workload_namespace", "workload", "budget", "reason"}

var (
	actionsTotal = kindmetrics.NewActions("fleetwright_nodepool_actions_total",
		"Actions of Nodepool plans, by kind (CreatePool, CordonNodes, EvictPods, ...) and result (ok, error).")
	evictionsTotal = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "fleetwright_nodepool_evictions_total",
		Help: "Answers of workload API servers to evictions, by outcome (Evicted, Refused, WebhookDenied, ...).",
	}, []string{"outcome"})
	debtDesc = prometheus.NewDesc(
		"fleetwright_drain_debt_seconds_total",
		"Time in which drains of a Nodepool could not go on because of a workload.",
		debtLabels, nil)
	blockedPodsDesc = prometheus.NewDesc(
		"fleetwright_drain_blocked_pods",
		"Pods of a workload that hold up a drain of a Nodepool now.",
		debtLabels, nil)
)

func countEviction(a drain.Answer) { evictionsTotal.WithLabelValues(string(a.Outcome)).Inc() }

// debtCollector tells what drains of Nodepools are held up by at the moment of the
// scrape, from the cache, so that no series outlives its object and none is lost at
// a restart.
type debtCollector struct {
	reader client.Reader
	// elected is closed in the process that leads: debt is summed up, and must be
	// told by one only.
	elected <-chan struct{}
}

func (c debtCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- debtDesc
	ch <- blockedPodsDesc
}

func (c debtCollector) Collect(ch chan<- prometheus.Metric) {
	if !c.leads() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	var list fleetwrightv1.NodepoolList
	if err := c.reader.List(ctx, &list); err != nil {
		ch <- prometheus.NewInvalidMetric(debtDesc, err)
		return
	}
	for i := range list.Items {
		collectDebt(ch, &list.Items[i])
	}
}

func (c debtCollector) leads() bool {
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
	return kindmetrics.Register(actionsTotal, evictionsTotal, debtCollector{reader, elected}, kindmetrics.Conditions[*fleetwrightv1.Nodepool]{
		Reader: reader, Name: "fleetwright_nodepool_condition", Kind: "Nodepool", List: &fleetwrightv1.NodepoolList{},
		Cluster: func(np *fleetwrightv1.Nodepool) string { return np.Spec.ClusterName },
	})
}
