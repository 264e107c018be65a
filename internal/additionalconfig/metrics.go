package additionalconfig

import (
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/kindmetrics"
)

func registerMetrics(reader client.Reader) error {
	return kindmetrics.Register(kindmetrics.Conditions[*fleetwrightv1.AzureClusterAdditionalConfig]{
		Reader: reader, Name: "fleetwright_additional_config_condition", Kind: "AzureClusterAdditionalConfig", List: &fleetwrightv1.AzureClusterAdditionalConfigList{},
	})
}
