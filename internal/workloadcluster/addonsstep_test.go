package workloadcluster

import (
	"testing"
	"time"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/workloadcluster/addons"
)

// The last add-on ends the step. Of one that does not tell since when it is healthy, such as a DaemonSet, nobody knows whether it was the last.
func TestWhenTheAddonsWereHealthy(t *testing.T) {
	early, late := time.Unix(100, 0), time.Unix(200, 0)
	for name, tc := range map[string]struct {
		since []time.Time
		want  time.Time
	}{
		"one":                     {[]time.Time{early}, early},
		"the last":                {[]time.Time{early, late, early}, late},
		"one that does not tell":  {[]time.Time{{}}, time.Time{}},
		"one of several does not": {[]time.Time{early, {}, late}, time.Time{}},
	} {
		t.Run(name, func(t *testing.T) {
			w, in := world{object: &fleetwrightv1.WorkloadCluster{}, addons: make([]addonSeen, len(tc.since))}, &intention{}
			for _, since := range tc.since {
				in.addons = append(in.addons, addons.State{
					WorkloadClusterAddonStatus: fleetwrightv1.WorkloadClusterAddonStatus{Ready: "True", Reason: "Ready"}, Since: since,
				})
			}
			if got := addonsStep(w, in); !got.done || !got.finished.Equal(tc.want) {
				t.Errorf("done %t at %s, want %s", got.done, got.finished, tc.want)
			}
		})
	}
}
