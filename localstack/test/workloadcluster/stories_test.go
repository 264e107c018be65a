// Package workloadcluster tells the stories of whole clusters, each of one resource, on a local stack: real controllers of Cluster API, a simulated
// Azure.
package workloadcluster_test

import "testing"

// TestWorkloadClusters shares one stack, since each costs seconds.
func TestWorkloadClusters(t *testing.T) {
	w := start(t)
	for name, story := range map[string]func(*testing.T, *world){
		"a chart comes and goes":               chartComesAndGoes,
		"ready after its add-ons":              readyAfterAddons,
		"addresses of several, and a deletion": addressesOfSeveral,
		"an upgrade goes pool by pool":         upgrade,
		"what is retained is taken over again": retained,
		"clusters that exist are taken over":   adopted,
		"what cannot be":                       refused,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			story(t, w)
		})
	}
}
