package clusterautoscaler

import (
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/kindmetrics"
)

var (
	actionsTotal = kindmetrics.NewActions("fleetwright_cluster_autoscaler_actions_total",
		"Actions for AzureClusterAutoscalers, by kind (Write, GiveUp, Remember, ...) and result (ok, error).")
	driftsTotal = kindmetrics.NewDrifts("fleetwright_cluster_autoscaler_drifts_total",
		"Autoscaler profiles that were not as declared any more, by what became of it (Healed, Reported, Adopted).")
)

func registerMetrics(reader client.Reader) error {
	return kindmetrics.Register(actionsTotal, driftsTotal, kindmetrics.Conditions[*fleetwrightv1.AzureClusterAutoscaler]{
		Reader: reader, Name: "fleetwright_cluster_autoscaler_condition", Kind: "AzureClusterAutoscaler", List: &fleetwrightv1.AzureClusterAutoscalerList{},
		Cluster: func(a *fleetwrightv1.AzureClusterAutoscaler) string { return a.Spec.ClusterName },
	})
}
