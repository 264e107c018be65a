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
			plan := Next(s.w, s.now)
			if diff := cmp.Diff(tc.want, plan.Action.Spec); plan.Action.Kind != CreatePool || diff != "" {
				t.Errorf("%s\nnew pool (-want +got):\n%s", plan, diff)
			}
		})
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
