package replacement

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetwright/fleetwright/internal/agentpool"
)

// A line taken out of the spec is no wish for another value, also not over a
// replacement.
func TestNewPoolKeepsWhatTheSpecLeavesOpen(t *testing.T) {
	ten := &agentpool.Scaling{Min: 2, Max: 10}
	three := int32(3)
	cases := map[string]struct{ wanted, old, want agentpool.Spec }{
		"neither mode nor size is said": {
			old:  agentpool.Spec{Mode: "System", Scaling: ten},
			want: agentpool.Spec{Mode: "System", Scaling: ten},
		},
		"both are said": {
			wanted: agentpool.Spec{Mode: "User", Replicas: &three},
			old:    agentpool.Spec{Mode: "System", Scaling: ten},
			want:   agentpool.Spec{Mode: "User", Replicas: &three},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := newStory(t)
			version, machine := s.w.Nodepool.Spec.Version, "D8"
			for _, spec := range []*agentpool.Spec{&tc.wanted, &tc.old, &tc.want} {
				spec.Version, spec.MachineType = version, machine
			}
			tc.old.MachineType = "D4"
			s.w.Nodepool.Spec = tc.wanted
			s.w.Pools = []Pool{{Name: "generalold", Object: "old", UID: "u", Provisioned: true, Spec: tc.old, Created: s.now.Add(-time.Hour)}}
			s.w.Azure = s.azure
			plan := Next(s.w, s.now)
			if diff := cmp.Diff(tc.want, plan.Action.Spec); plan.Action.Kind != CreatePool || diff != "" {
				t.Errorf("%s\nnew pool (-want +got):\n%s", plan, diff)
			}
		})
	}
}

// Of several pools on their way out, the last one made is what was wanted last.
func TestNewPoolKeepsWhatTheLastOneHad(t *testing.T) {
	s := newStory(t)
	old := agentpool.Spec{Version: s.w.Nodepool.Spec.Version, MachineType: "D4", Mode: "User"}
	newer := old
	newer.MachineType, newer.Mode = "D8", "System"
	wanted := newer
	wanted.MachineType, wanted.Mode = "D16", ""
	if got := inherit(wanted, []Pool{{Spec: old}, {Spec: newer}, {Spec: old, Deleting: true}, {Spec: old, Incomplete: true}}); got.Mode != "System" {
		t.Errorf("mode %q, want System", got.Mode)
	}
}

// A third change finds the second pool closed for good, with a pod that came at
// the last moment: it is opened again, since the first one drains into it.
func TestAClosedPoolThatOthersDrainIntoIsOpened(t *testing.T) {
	s := newStory(t)
	version := s.w.Nodepool.Spec.Version
	pool := func(name string, age time.Duration, cordoned bool) Pool {
		p := Pool{
			Name: name, Object: name, UID: "u" + name, Created: s.now.Add(-age), Provisioned: true, ProvisionStarted: s.now.Add(-age), Members: 1,
			Spec:  agentpool.Spec{Version: version, MachineType: name},
			Nodes: []Node{{Name: "n" + name, UID: "n" + name, Ready: true, Version: version, Cordoned: cordoned, CordonedByUs: cordoned}},
			Drain: Drain{Known: true, Closed: cordoned, Remaining: 1},
		}
		if cordoned {
			p.DrainStarted = s.now.Add(-time.Minute)
		}
		return p
	}
	s.w.Pools = []Pool{pool("a", 3*time.Hour, true), pool("b", 2*time.Hour, false), pool("c", time.Hour, true)}
	if plan := Next(s.w, s.now); plan.Action.Kind != UncordonNodes || plan.Action.Object != "c" {
		t.Errorf("plan %s, want pool c opened", plan)
	}
}

// A node that somebody opened before us keeps no mark of ours: with it, that
// person's next cordon would be taken back at once.
func TestOpenNodesLoseOurMark(t *testing.T) {
	s := newStory(t).running(3)
	p := &s.w.Pools[0]
	p.DrainStarted, p.Nodes[0].CordonedByUs = s.now.Add(-time.Minute), true
	plan := Next(s.world(), s.now)
	if plan.Action.Kind != UncordonNodes || len(plan.Action.Nodes) != 1 || plan.Action.Nodes[0].Name != p.Nodes[0].Name {
		t.Errorf("plan %s, want the mark of %s taken off", plan, p.Nodes[0].Name)
	}
}

// Pods that stay by their own label end with the pool, which is said when it is
// deleted.
func TestDeletionNamesThePodsThatEndWithThePool(t *testing.T) {
	s := newStory(t).running(0)
	s.w.Nodepool.Deleting = true
	p := &s.w.Pools[0]
	for i := range p.Nodes {
		p.Nodes[i].Cordoned = true
	}
	world := s.world()
	world.Pools[0].Drain.Staying = " but for 1 pod: shop/cache"
	const want = "Moving DeletingPool: deletes pool generaj79hk, which is empty but for 1 pod: shop/cache [DeletePool generaj79hk]"
	if got := Next(world, s.now).String(); got != want {
		t.Errorf("plan %q, want %q", got, want)
	}
}

// A node opened between two readings of ours takes pods, so its pool is not
// empty, however few it has.
func TestAnOpenNodeIsNotEmpty(t *testing.T) {
	s := newStory(t).running(0)
	s.w.Nodepool.Deleting = true
	for i := range s.w.Pools[0].Nodes {
		s.w.Pools[0].Nodes[i].Cordoned = true
	}
	world := s.world()
	world.Pools[0].Drain.Closed = false
	if plan := Next(world, s.now); plan.Action.Kind == DeletePool {
		t.Errorf("plan %s although the drain engine saw an open node", plan)
	}
}
