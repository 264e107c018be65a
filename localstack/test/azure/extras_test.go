// Package azure tells the stories of what a cluster has in Azure besides its pools, on a whole local stack.
package azure_test

import (
	"fmt"
	"testing"
)

// TestAzureExtrasStayAsDeclared shares one stack, since each costs seconds.
func TestAzureExtrasStayAsDeclared(t *testing.T) {
	w := start(t)
	t.Run("stories", func(t *testing.T) {
		for name, story := range map[string]func(*testing.T, *world){
			"pods pull by right of a role assignment":       pullByRight,
			"a right that is missing":                       healOnceGranted,
			"an autoscaler profile that only Azure has":     keepProfile,
			"the profile of an AzureManagedControlPlane":    profileOfManaged,
			"the profile of an AzureASOManagedControlPlane": profileOfASO,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				story(t, w)
			})
		}
	})
	if t.Failed() {
		return
	}
	for kind, want := range map[string]map[string]int{
		"role_assignment":    {"Healed": 2, "Reported": 0, "Adopted": 0},
		"cluster_autoscaler": {"Healed": 5, "Reported": 2, "Adopted": 0},
	} {
		for outcome, n := range want {
			series := fmt.Sprintf("fleetwright_%s_drifts_total{outcome=%q}", kind, outcome)
			if got := w.metric(t, series); got != n {
				t.Errorf("%s is %d after these stories, want %d", series, got, n)
			}
		}
	}
}
