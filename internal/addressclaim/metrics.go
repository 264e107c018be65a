package addressclaim

import (
	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/kindmetrics"
)

var actionsTotal = prometheus.NewCounterVec(prometheus.CounterOpts{
	Name: "fleetwright_address_claim_actions_total",
	Help: "Actions for AddressClaims, by kind (Take, GiveBack, ...) and result (ok, error, or conflict when somebody else chose first).",
}, []string{"action", "result"})

func countAction(a action, result string) {
	if a != nothing {
		actionsTotal.WithLabelValues(string(a), result).Inc()
	}
}

func registerMetrics(reader client.Reader) error {
	return kindmetrics.Register(actionsTotal, kindmetrics.Conditions[*fleetwrightv1.AddressClaim]{
		Reader: reader, Name: "fleetwright_address_claim_condition", Kind: "AddressClaim", List: &fleetwrightv1.AddressClaimList{},
		Cluster: func(c *fleetwrightv1.AddressClaim) string { return c.Spec.ClusterName },
	})
}
