package sweep

import (
	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
)

// The results of a sweep.
const (
	resultOK         = "ok"
	resultStrange    = "strange"
	resultUnreadable = "unreadable"
	resultFailed     = "failed"
)

var (
	sweepsTotal = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "fleetwright_drift_sweeps_total",
		Help: "Looks for drift at what is declared in a subscription, small ones together, by target and result (ok, strange: most looked different at once, unreadable: nothing could be seen, failed: nothing is concluded).",
	}, []string{"target", "result"})
	suspectsTotal = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "fleetwright_drift_suspects_total",
		Help: "Objects whose things in Azure looked different in a sweep and that were looked at by themselves.",
	}, []string{"target"})
)

func init() { metrics.Registry.MustRegister(sweepsTotal, suspectsTotal) }
