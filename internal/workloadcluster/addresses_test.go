package workloadcluster

import (
	"testing"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/capi"
)

// What asks for other addresses than the cluster has is told, and nothing is written.
func TestAddressesThatDoNotFit(t *testing.T) {
	type spec = fleetwrightv1.WorkloadClusterSpec
	vnet := fleetwrightv1.WorkloadClusterRange{Name: "vnet", PoolRef: fleetwrightv1.NamespacedReference{Name: "corp"}}
	const otherwise = ", does not hold as many: lower it, or make another WorkloadCluster"
	// asks is what spec and class amount to when the cluster is there.
	asks := func(nodes int32, ranges ...fleetwrightv1.WorkloadClusterRange) func(*testing.T, *world) {
		return func(t *testing.T, w *world) {
			w.object.Spec.Limits.MaxNodes, w.object.Spec.Network.Addresses = nodes, append([]fleetwrightv1.WorkloadClusterRange{vnet}, ranges...)
			w.merge(t)
		}
	}
	// unclaimed is a cluster that never asked for ranges; gone one that is not there.
	unclaimed := func(nodes int32, pods string) func(*testing.T, *world) {
		return func(t *testing.T, w *world) {
			w.object.Spec.Limits.MaxNodes, w.object.Spec.Network.Addresses = nodes, nil
			w.merge(t)
			w.claim, w.state.Pods = nil, pods
		}
	}
	later := func(services string, ranges ...fleetwrightv1.WorkloadClusterRange) func(*testing.T, *world) {
		return func(t *testing.T, w *world) {
			unclaimed(100, "100.64.0.0/13")(t, w)
			w.object.Spec.Network.Addresses, w.state.Services = ranges, services
			w.merge(t)
		}
	}
	gone := func(ranges ...fleetwrightv1.WorkloadClusterRange) func(*testing.T, *world) {
		return func(t *testing.T, w *world) {
			asks(950, ranges...)(t, w)
			w.claim, w.state, w.nodepools, w.config = nil, capi.ClusterState{}, nil, nil
		}
	}
	for name, test := range map[string]struct {
		change func(*testing.T, *world)
		want   string // empty: nothing is in the way
	}{
		"as it was":                         {asks(100), ""},
		"a range of a class of another day": {asks(100, fleetwrightv1.WorkloadClusterRange{Name: "services", CIDR: "100.96.0.0/16"}), ""},
		"one that was not claimed": {
			func(t *testing.T, w *world) {
				asks(100, fleetwrightv1.WorkloadClusterRange{Name: "services", CIDR: "100.96.0.0/16"})(t, w)
				claim := w.claim.object.(*fleetwrightv1.AddressClaim)
				claim.Status.Ranges, claim.Spec.Ranges = network[:3], nil
			},
			"network.addresses[services] asks for a range, and AddressClaim c was made without it: take it out of the spec or the class, or make another WorkloadCluster",
		},
		"another one": {
			asks(100, fleetwrightv1.WorkloadClusterRange{Name: "pods", CIDR: "100.64.0.0/12"}),
			"network.addresses[pods].cidr is 100.64.0.0/12, and AddressClaim c has 100.64.0.0/16: put it back in the spec or the class, or make another WorkloadCluster",
		},
		"more nodes than the overlay holds": {
			func(t *testing.T, w *world) { // of which the subnet has room
				asks(1000)(t, w)
				claim := w.claim.object.(*fleetwrightv1.AddressClaim)
				w.state.VNet = "10.64.0.0/16"
				claim.Status.Ranges = []fleetwrightv1.BoundRange{{Name: "vnet", CIDR: w.state.VNet}, {Name: "nodes", CIDR: "10.64.0.0/17"}, network[2]}
			},
			"limits.maxNodes is 1000 and the cluster's range of pods, 100.64.0.0/16" + otherwise,
		},
		"than an overlay without a claim": {unclaimed(2049, "100.64.0.0/13"), "limits.maxNodes is 2049 and the cluster's range of pods, 100.64.0.0/13" + otherwise},
		"as many as it holds":             {unclaimed(2048, "100.64.0.0/13"), ""},
		"an overlay that AKS chose":       {unclaimed(950, "10.244.0.0/16"), ""},
		"and whose limit is raised":       {unclaimed(951, "10.244.0.0/16"), "limits.maxNodes is 951 and the cluster's range of pods, 10.244.0.0/16" + otherwise},
		"services that come late": {
			later("", fleetwrightv1.WorkloadClusterRange{Name: "services", PoolRef: vnet.PoolRef, PrefixLength: 20}),
			"network.addresses[services] asks for a range, and the cluster was made without it: take it out of the spec or the class, or make another WorkloadCluster",
		},
		"services whose claim is lost": {later("10.3.0.0/20", fleetwrightv1.WorkloadClusterRange{Name: "services", PoolRef: vnet.PoolRef, PrefixLength: 20}), ""},
		"services that were adopted": {
			func(t *testing.T, w *world) {
				later("", fleetwrightv1.WorkloadClusterRange{Name: "services", CIDR: "10.3.0.0/20"})(t, w)
				w.object.Spec.Adoption.Policy = fleetwrightv1.AdoptionPolicyAdopt
			}, "",
		},
		"pods of another class": {
			later("", fleetwrightv1.WorkloadClusterRange{Name: "pods", CIDR: "10.0.0.0/12"}),
			"network.addresses[pods].cidr is 10.0.0.0/12, and the cluster was made with 100.64.0.0/13: put it back in the spec or the class, or make another WorkloadCluster",
		},
		"before anything is claimed: nodes":   {gone(fleetwrightv1.WorkloadClusterRange{Name: "nodes", CIDR: "10.64.0.0/24"}), "limits.maxNodes is 950 and the cluster's range of nodes, 10.64.0.0/24" + otherwise},
		"before anything is claimed: pods":    {gone(fleetwrightv1.WorkloadClusterRange{Name: "pods", CIDR: "100.64.0.0/16"}), "limits.maxNodes is 950 and the cluster's range of pods, 100.64.0.0/16" + otherwise},
		"before anything is claimed: enough":  {gone(fleetwrightv1.WorkloadClusterRange{Name: "pods", CIDR: "100.64.0.0/14"}), ""},
		"before anything is claimed: nothing": {gone(), ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := serving(t, func(s *spec) {
				s.Limits.MaxNodes, s.Network.Addresses = 100, []fleetwrightv1.WorkloadClusterRange{vnet}
			})
			test.change(t, &w)
			in := intend(w, noon)
			p := decide(w, &in, noon)
			switch {
			case test.want == "" && p.obstacle != nil:
				t.Errorf("in the way: %s", p.obstacle.message)
			case test.want != "" && (p.obstacle == nil || p.obstacle.message != test.want || p.obstacle.reason != fleetwrightv1.ReasonInvalidSpec || len(p.actions) > 0):
				t.Errorf("in the way is %+v, with %v", p.obstacle, p.actions)
			}
		})
	}
}

// A report does not say that nothing would change of a cluster that would be stalled as soon as it is taken over.
func TestAReportTellsWhatWouldBeInTheWay(t *testing.T) {
	type spec = fleetwrightv1.WorkloadClusterSpec
	of := func(nodes int32, pods string) func(*spec) {
		return func(s *spec) {
			s.Limits.MaxNodes, s.Adoption.Policy = nodes, fleetwrightv1.AdoptionPolicyReport
			s.Network.Addresses = []fleetwrightv1.WorkloadClusterRange{{Name: "vnet", CIDR: "10.1.0.0/16"}, {Name: "nodes", CIDR: "10.1.0.0/24"}, {Name: "pods", CIDR: pods}}
		}
	}
	const small = "taken over, it would be stalled: limits.maxNodes is 950 and the cluster's range of nodes, 10.1.0.0/24, does not hold as many: lower it, or make another WorkloadCluster; besides, "
	for name, test := range map[string]struct {
		spec   func(*spec)
		change func(*world)
		want   string
	}{
		"as many as the range holds": {of(200, "10.244.0.0/16"), func(*world) {}, ""},
		"more":                       {of(950, "10.244.0.0/16"), func(*world) {}, small},
		"in no network of its own": {
			of(200, "10.244.0.0/16"), func(w *world) { w.state.VNet = "" },
			"taken over, it would be stalled: the cluster was made without a network of its own, and none can be given to it: " +
				"take network.addresses[vnet] out of the spec or the class, or make another WorkloadCluster; besides, ",
		},
		"services without room": {
			func(s *spec) {
				of(200, "10.244.0.0/16")(s)
				s.Network.Addresses = append(s.Network.Addresses, fleetwrightv1.WorkloadClusterRange{Name: "services", CIDR: "10.3.0.0/30"})
			}, func(*world) {},
			"taken over, it would be stalled: network.addresses[services]: 10.3.0.0/30 has no room for the address of the DNS service, its eleventh: give a /28 or larger; besides, ",
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := serving(t, test.spec)
			w.claim, w.state.Ours, w.state.VNet = nil, false, "10.1.0.0/16"
			test.change(&w)
			in := intend(w, noon)
			p := decide(w, &in, noon)
			if want := test.want + "nothing would change"; p.adopted.Message != want || p.adopted.Reason != fleetwrightv1.ReasonDiffers || len(p.actions) > 0 {
				t.Errorf("it reports %s: %q\nwant %q, and does %v", p.adopted.Reason, p.adopted.Message, want, p.actions)
			}
		})
	}
}
