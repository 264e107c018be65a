package sweep

import (
	"context"
	"encoding/json"

	"github.com/fleetwright/fleetwright/internal/drift"
)

// AutoscalerProfiles is the Target of the autoscaler profile of AKS clusters, whose Fields have Azure's names ("scan-interval"). A row of
// a cluster does not say when it was changed: one that is different is looked at again each 10 minutes at most.
func AutoscalerProfiles(declared func(context.Context) ([]Declared, error), rules ...drift.Rule) Target {
	return Target{Name: "autoscaler profiles", Declared: declared, Query: profilesQuery, Read: readProfile, Rules: rules}
}

func profilesQuery([]Declared) string {
	return `resources
| where type =~ 'microsoft.containerservice/managedclusters'
| project id, profile = properties.autoScalerProfile`
}

func readProfile(raw json.RawMessage) ([]Found, error) {
	var row struct {
		ID      string         `json:"id"`
		Profile map[string]any `json:"profile"`
	}
	err := json.Unmarshal(raw, &row)
	return []Found{{ID: row.ID, Fields: row.Profile}}, err
}
