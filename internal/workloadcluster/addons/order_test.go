package addons

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

func named(name string, after ...string) fleetwrightv1.WorkloadClusterAddon {
	return fleetwrightv1.WorkloadClusterAddon{Name: name, Kind: "ClusterResourceSet", After: after}
}

func names(all []fleetwrightv1.WorkloadClusterAddon) []string {
	out := make([]string, 0, len(all))
	for _, a := range all {
		out = append(out, a.Name)
	}
	return out
}

func TestOrder(t *testing.T) {
	cases := map[string]struct {
		all  []fleetwrightv1.WorkloadClusterAddon
		want []string
		says string
	}{
		"none":              {nil, []string{}, ""},
		"that of the spec":  {[]fleetwrightv1.WorkloadClusterAddon{named("b"), named("a")}, []string{"b", "a"}, ""},
		"predecessor first": {[]fleetwrightv1.WorkloadClusterAddon{named("a", "c"), named("b"), named("c")}, []string{"b", "c", "a"}, ""},
		"unknown":           {[]fleetwrightv1.WorkloadClusterAddon{named("a", "x")}, nil, `addons[a].after: there is no add-on "x"`},
		"itself":            {[]fleetwrightv1.WorkloadClusterAddon{named("a", "a")}, nil, "addons: a come after each other in a circle: take one out of after"},
		"circle": {
			[]fleetwrightv1.WorkloadClusterAddon{named("z"), named("a", "c"), named("b", "a", "z"), named("c", "b"), named("after", "c")}, nil,
			"addons: a, b, c come after each other in a circle: take one out of after",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := Order(tc.all)
			said := ""
			if err != nil {
				said = err.Error()
			}
			if diff := cmp.Diff(tc.says, said); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tc.want, names(got)); err == nil && diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Whatever after says: either an error, or each once and none before what it comes after.
func TestOrderHoldsWhatItPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := make([]fleetwrightv1.WorkloadClusterAddon, rapid.IntRange(0, 8).Draw(t, "count"))
		for i := range all {
			all[i] = named(string(rune('a' + i)))
			for j := range all {
				if rapid.IntRange(0, 5).Draw(t, "after") == 0 {
					all[i].After = append(all[i].After, string(rune('a'+j)))
				}
			}
		}
		ordered, err := Order(all)
		if err != nil {
			return
		}
		seen := map[string]bool{}
		for _, a := range ordered {
			for _, before := range a.After {
				if !seen[before] {
					t.Fatalf("%s comes before %s: %v", a.Name, before, names(ordered))
				}
			}
			seen[a.Name] = true
		}
		if len(seen) != len(all) {
			t.Fatalf("%v of %v", names(ordered), names(all))
		}
	})
}

func TestLabels(t *testing.T) {
	cni, agent, mesh := named("cni"), named("agent", "cni"), named("mesh", "cni", "agent")
	mesh.ClusterLabels = map[string]fleetwrightv1.LabelValue{"mesh": "on"}
	all := []fleetwrightv1.WorkloadClusterAddon{cni, agent, mesh}
	ready := func(names ...string) map[string]State {
		out := map[string]State{"cni": {}, "agent": {}, "mesh": {}}
		for _, name := range names {
			out[name] = State{WorkloadClusterAddonStatus: fleetwrightv1.WorkloadClusterAddonStatus{Ready: "True"}}
		}
		return out
	}
	cases := map[string]struct {
		states          map[string]State
		present         map[string]string
		labels, waiting map[string]string
	}{
		"at the beginning": {
			nil, nil, map[string]string{"addons.fleetwright.io/cni": "enabled"}, map[string]string{"agent": "cni", "mesh": "agent, cni"},
		},
		"one is ready": {
			ready("cni"), nil,
			map[string]string{"addons.fleetwright.io/cni": "enabled", "addons.fleetwright.io/agent": "enabled"}, map[string]string{"mesh": "agent"},
		},
		"all that come before": {
			ready("cni", "agent"), map[string]string{"team": "a"},
			map[string]string{"addons.fleetwright.io/cni": "enabled", "addons.fleetwright.io/agent": "enabled", "addons.fleetwright.io/mesh": "enabled", "mesh": "on"},
			map[string]string{},
		},
		// An add-on that fails later does not take out what came after it.
		"stays": {
			ready("agent"), map[string]string{"addons.fleetwright.io/mesh": "enabled"},
			map[string]string{"addons.fleetwright.io/cni": "enabled", "addons.fleetwright.io/mesh": "enabled", "mesh": "on"},
			map[string]string{"agent": "cni"},
		},
		// An add-on that left the spec leaves the Cluster.
		"left the spec": {
			ready("cni", "agent"), map[string]string{"addons.fleetwright.io/old": "enabled", "addons.fleetwright.io/mesh": "enabled"},
			map[string]string{"addons.fleetwright.io/cni": "enabled", "addons.fleetwright.io/agent": "enabled", "addons.fleetwright.io/mesh": "enabled", "mesh": "on"},
			map[string]string{},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			labels, waiting := Labels(all, tc.states, tc.present)
			if diff := cmp.Diff(tc.labels, labels) + cmp.Diff(tc.waiting, waiting); diff != "" {
				t.Error(diff)
			}
		})
	}
}
