package registries_test

import (
	"testing"

	"github.com/fleetwright/fleetwright/internal/additionalconfig/registries"
	"github.com/fleetwright/fleetwright/internal/additionalconfig/section/sectiontest"
)

func TestWhatRegistriesBecome(t *testing.T) {
	const id = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/acr/providers/Microsoft.ContainerRegistry/registries/"
	sectiontest.Becomes(t, registries.Section, map[string][]string{
		"two": {
			"registries: [{name: shared, id: " + id + "shared}, {name: team, id: " + id + "team, pullCheck: {image: pause}}]",
			`c-registry-shared {"scope":"` + id + `shared","role":{"name":"AcrPull"},"principal":{"clusterIdentity":"Kubelet"}}`,
			`c-registry-team {"scope":"` + id + `team","role":{"name":"AcrPull"},"principal":{"clusterIdentity":"Kubelet"},"pullCheck":{"image":"pause"}}`,
		},
		"other sections": {"autoscaler: {expander: random}"},
	})
}
