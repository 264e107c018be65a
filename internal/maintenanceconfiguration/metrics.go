package maintenanceconfiguration

import (
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/kindmetrics"
)

var (
	actionsTotal = kindmetrics.NewActions("fleetwright_maintenance_configuration_actions_total",
		"Actions for AzureMaintenanceConfigurations, by kind (Write, TakeOut, ...) and result (ok, error).")
	driftsTotal = kindmetrics.NewDrifts("fleetwright_maintenance_configuration_drifts_total",
		"Maintenance windows that were not as declared although they had been, by what became of it (Healed, Reported, Adopted).")
)

func registerMetrics(reader client.Reader) error {
	return kindmetrics.Register(actionsTotal, driftsTotal, kindmetrics.Conditions[*fleetwrightv1.AzureMaintenanceConfiguration]{
		Reader: reader, Name: "fleetwright_maintenance_configuration_condition", Kind: "AzureMaintenanceConfiguration", List: &fleetwrightv1.AzureMaintenanceConfigurationList{},
		Cluster: func(m *fleetwrightv1.AzureMaintenanceConfiguration) string { return m.Spec.ClusterName },
	})
}
