package workloadcluster

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/agentpool"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/nodepool"
)

// reported is what a report says of a world in which everything is somebody's and as the spec says, but for a change.
func reported(t *testing.T, changeSpec func(*fleetwrightv1.WorkloadClusterSpec), change func(*world)) string {
	t.Helper()
	w := serving(t, func(s *fleetwrightv1.WorkloadClusterSpec) {
		s.Adoption.Policy = fleetwrightv1.AdoptionPolicyReport
		if changeSpec != nil {
			changeSpec(s)
		}
	})
	w.state.Ours = false
	if change != nil {
		change(&w)
	}
	for _, c := range w.children() {
		c.ours, c.maker = false, ""
	}
	in := intend(w, noon)
	return adopted(w, &in).Message
}

func TestReport(t *testing.T) {
	type spec = fleetwrightv1.WorkloadClusterSpec
	for name, test := range map[string]struct {
		spec   func(*spec)
		change func(*world)
		want   string
	}{
		"as it is": {want: "nothing would change"},
		"pools that follow the control plane, or say it without a v": {
			change: func(w *world) {
				for name, version := range map[string]string{"c-general": "", "c-system": "1.33.6"} {
					np := w.pool(name)
					np.Spec.Version = version
					*w.nodepool(name) = *w.childOf(t, kindNodepool, np)
				}
			},
			want: "nothing would change",
		},
		"a pool that has a version of its own": {
			spec: func(s *spec) { s.Nodepools[0].Spec.Version = "v1.33.5" },
			change: func(w *world) {
				w.nodepool("c-system").spec["version"] = "v1.33.4"
				w.pool("c-system").Spec.Version = "v1.33.4"
			},
			want: "it would be changed: Nodepool c-system: version",
		},
		"a config would be made": {
			change: func(w *world) { w.config = nil },
			want:   "it would be changed: AzureClusterAdditionalConfig c would be made, with autoscaler, registries",
		},
		"the config would say otherwise": {
			spec: func(s *spec) {
				s.AdditionalConfig.MaintenanceConfigurations = []fleetwrightv1.MaintenancePlan{{}}
			},
			change: func(w *world) {
				delete(w.config.spec, "maintenanceConfigurations")
				w.config.spec["autoscaler"] = map[string]any{"expander": "least-waste"}
			},
			want: "it would be changed: AzureClusterAdditionalConfig c: autoscaler, maintenanceConfigurations",
		},
		"the identity would get a role on the network": {
			change: func(w *world) { w.state.NetworkID = "/subscriptions/x" },
			want:   "it would be changed: AzureClusterAdditionalConfig c: roleAssignments",
		},
		"a range would be carved": {
			change: func(w *world) { w.claim = nil },
			want:   "it would be changed: range vnet would be carved from a pool, and is none of the cluster's own: give its cidr, or take a class without it",
		},
		"what is held back would go on": {
			change: func(w *world) {
				w.nodepool("c-general").spec["reconcile"] = "Paused"
				w.config.spec["reconcile"] = "NonDisruptive"
			},
			want: "it would be changed: Nodepool c-general is Paused and would be Active, AzureClusterAdditionalConfig c is NonDisruptive and would be Active",
		},
		"what goes on would be held back": {
			spec: func(s *spec) { s.Reconcile = "NonDisruptive" },
			change: func(w *world) {
				delete(w.nodepool("c-general").spec, "reconcile")
				w.nodepool("c-system").spec["reconcile"] = "NonDisruptive"
			},
			want: "it would be changed: Nodepool c-general is Active and would be NonDisruptive",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, reported(t, test.spec, test.change)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Whether the network is the cluster's own is asked by the range that would be claimed, while nothing is.
func TestTheNetworkOfAReport(t *testing.T) {
	for policy, want := range map[fleetwrightv1.AdoptionPolicy]string{"Report": "10.64.16.0/23", "": ""} {
		w := serving(t, func(s *fleetwrightv1.WorkloadClusterSpec) {
			s.Adoption.Policy = policy
			s.Network.Addresses[0].CIDR = "10.64.16.0/23"
		})
		if w.claim = nil; w.outline().VNet != want {
			t.Errorf("%q asks for %q", policy, w.outline().VNet)
		}
	}
}

// A cluster that was let go of keeps the role on its network when it is taken over, also while it cannot be told which network that is.
func TestTheRoleOfAClusterThatWasLetGoOf(t *testing.T) {
	for maker, kept := range map[string]bool{"": true, "other": false} {
		w := serving(t, func(s *fleetwrightv1.WorkloadClusterSpec) { s.Adoption.Policy = fleetwrightv1.AdoptionPolicyAdopt })
		config := w.config.object.(*fleetwrightv1.AzureClusterAdditionalConfig)
		config.Spec.RoleAssignments = []fleetwrightv1.AdditionalRoleAssignment{{Name: "network", Scope: "/subscriptions/x"}}
		w.config = w.childOf(t, kindConfig, config)
		w.config.ours, w.config.maker = false, maker
		in := intend(w, noon)
		if roles, _ := in.config.spec["roleAssignments"].([]any); (len(roles) == 1) != kept {
			t.Errorf("of %q it wants %v", maker, roles)
		}
	}
}

// Of pools that are to be taken over a report says what their Nodepools would, and which name tenants would miss.
func TestWhatNodepoolsWouldChange(t *testing.T) {
	got := reported(t, func(s *fleetwrightv1.WorkloadClusterSpec) {
		s.Nodepools[1].MachinePools = []string{"np1"}
		s.Nodepools[1].Spec.Labels = map[string]fleetwrightv1.LabelValue{"team": "a"}
	}, func(w *world) {
		w.nodepools = w.nodepools[1:]
		w.machinePools = []capi.Pool{
			{Object: "np1", Name: "np1", UID: "1", PublicName: "web", Spec: agentpool.Spec{Version: "v1.33.6", MachineType: "Standard_D8ds_v5", Subnet: "c-nodes", Replicas: new(int32(3))}},
			{Object: "other", Name: "other", UID: "2", PublicName: "db"},
		}
		in := intend(*w, noon)
		if err := (&Reconciler{PoolDifferences: nodepool.Differences}).comparePools(w, &in); err != nil {
			t.Fatal(err)
		}
	})
	const want = "it would be changed: Nodepool c-general would take over np1, pool np1: machineType Standard_D8ds_v5 -> Standard_D4ds_v5, labels (none) -> team=a, " +
		"pool np1: label fleetwright.io/nodepool of its nodes from web to general; MachinePools that no entry of nodepools names are left alone: other"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
