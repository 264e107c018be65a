package workloadcluster

import (
	"fmt"
	"testing"
	"time"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/workloadcluster/addons"
	"github.com/fleetwright/fleetwright/internal/workloadcluster/effective"
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
			if got := addonsStep(w, in, &plan{}); !got.done || !got.finished.Equal(tc.want) {
				t.Errorf("done %t at %s, want %s", got.done, got.finished, tc.want)
			}
		})
	}
}

// Add-ons go when the cluster goes. Of one that is protected or held nothing is taken away, and one whose spec is wrong is there.
func TestAddonsOfAClusterThatIsNotGoing(t *testing.T) {
	deleted := func(w *world) { leaves(w.object) }
	for name, tc := range map[string]struct {
		policy fleetwrightv1.DeletionPolicy
		change func(*world)
		want   string
	}{
		"protected": {"Protect", deleted, "Unknown NotReported: add-on a: forbidden"},
		"held":      {"Delete", func(w *world) { deleted(w); w.hold = frozen }, "Unknown NotReported: add-on a: forbidden"},
		"retained":  {"Retain", deleted, "Unknown NotReported: add-on a: forbidden"},
		"going":     {"Delete", deleted, "False Removing: add-ons go with the cluster"},
		"of a wrong spec": {"Delete", func(w *world) { w.problems = []effective.Problem{{Reason: "InvalidSpec", Message: "no"}} },
			"Unknown NotReported: add-ons are looked at again when the spec is right"},
		"not there": {"Delete", func(w *world) {
			w.problems, w.state = []effective.Problem{{Reason: "InvalidSpec", Message: "no"}}, capi.ClusterState{}
		},
			"False Creating: Cluster c: it is not there yet"},
	} {
		t.Run(name, func(t *testing.T) {
			w := serving(t, func(s *fleetwrightv1.WorkloadClusterSpec) {
				s.Addons, s.DeletionPolicy = []fleetwrightv1.WorkloadClusterAddon{{Name: "a", Kind: "HelmRelease"}}, tc.policy
			})
			w.addons = []addonSeen{{addon: w.object.Spec.Addons[0], unread: "forbidden"}}
			w.state.Labels["addons.fleetwright.io/a"] = "enabled"
			tc.change(&w)
			in := intend(w, noon)
			p := decide(w, &in, noon)
			s := p.steps[len(p.steps)-1]
			if got := fmt.Sprintf("%s %s: %s", s.status, s.reason, s.message); got != tc.want {
				t.Errorf("it says %q, want %q", got, tc.want)
			}
		})
	}
}
