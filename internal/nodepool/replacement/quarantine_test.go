package replacement

import (
	"maps"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
)

// giveUp has some of the oldest pool's nodes given up, as the drain's deadline or a
// person would.
func giveUp(nodes ...int) func(*story) {
	return func(s *story) {
		for _, i := range nodes {
			if old := s.w.Pools[0].Nodes; i < len(old) {
				old[i].Quarantined = true
			}
		}
	}
}

// free is a person who moves the pods of nodes that were given up.
func free(s *story) {
	s.each(func(p *Pool) {
		for _, n := range p.Nodes {
			if n.Quarantined {
				s.pending += s.pods[n.Name]
				s.pods[n.Name] = 0
			}
		}
	})
	s.schedule()
}

// init adds the stories of nodes that were given up.
func init() {
	begin := func(t *testing.T) *story { return newStory(t).running(9) }
	change := scripted{0, "machineType D8", setMachine("D8")}
	gone := scripted{time.Minute, "node03 is given up", giveUp(2)}
	goes := scripted{6 * time.Minute, "node03 is given up while pods move", giveUp(2)}
	freed := scripted{5 * time.Hour, "a person moves its pods", free}
	maps.Copy(stories, map[string]storyCase{
		"node-is-given-up-and-freed-later": {ends: "Ready", begin: begin, script: []scripted{change, goes, freed}},
		"node-is-given-up-for-good":        {ends: "DrainQuarantined", begin: begin, script: []scripted{change, gone}},
		"node-is-no-longer-given-up": {
			ends: "Ready", begin: begin,
			script: []scripted{change, gone, {time.Hour, "somebody takes the mark off", (*story).release}},
		},
		"taken-back-while-a-node-is-given-up": {
			ends: "Ready", begin: begin,
			script: []scripted{change, gone, {time.Hour, "back to D4", setMachine("D4")}},
		},
		"scaled-up-while-a-node-is-given-up": {
			ends: "Ready", begin: begin,
			script: []scripted{change, gone, {time.Hour, "replicas 5", func(s *story) { s.w.Nodepool.Spec.Replicas = ptr.To[int32](5) }}, freed},
		},
		"changed-again-while-a-node-is-given-up": {
			ends: "DrainQuarantined", begin: begin,
			script: []scripted{change, gone, {time.Hour, "machineType D16", setMachine("D16")}, {3 * time.Hour, "machineType D32", setMachine("D32")}},
		},
		"deleted-while-a-node-is-given-up": {
			ends: "DeletingPool", begin: begin,
			script: []scripted{change, gone, {time.Hour, "deleted, with nothing left but on that node", func(s *story) {
				s.w.Nodepool.Deleting = true
				for _, n := range s.w.Pools[1].Nodes {
					s.pods[n.Name] = 0
				}
			}}, freed},
		},
		"shift-goes-on-around-nodes-that-were-given-up": {
			ends: "Ready",
			begin: func(t *testing.T) *story {
				s := eight(t)
				s.budget = 1
				return s
			},
			script: []scripted{change, {5*time.Minute + 2*time.Second, "node01 and node02 are given up while their pods move", giveUp(0, 1)}, freed},
		},
		"shift-with-no-surge-but-one-goes-on-around-a-node-that-was-given-up": {
			ends: "Ready",
			begin: func(t *testing.T) *story {
				s := newStory(t)
				s.w.Nodepool.Strategy, s.w.Nodepool.MaxSurge, s.w.Nodepool.Spec.Replicas = "StagedShift", ptr.To(intstr.FromInt32(1)), ptr.To[int32](4)
				return s.running(12)
			},
			script: []scripted{change, {5*time.Minute + 2*time.Second, "node01 is given up while its pods move", giveUp(0)}, freed},
		},
	})
}

// Pods elsewhere are evicted, a node that is open is closed, and only what is left
// on nodes that were given up is waited for.
func TestNodesThatWereGivenUpAreWaitedForLast(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*Drain)
		action ActionKind
		reason string
	}{
		"all on the node":      {func(*Drain) {}, None, "DrainQuarantined"},
		"one pod elsewhere":    {func(d *Drain) { d.Elsewhere = 1 }, EvictPods, "DrainingBlue"},
		"one opened meanwhile": {func(d *Drain) { d.Closed = false }, EvictPods, "DrainingBlue"},
		"its pods have left":   {func(d *Drain) { d.Remaining, d.Quarantined = 0, nil }, DeletePool, "DeletingBlue"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStory(t).running(3)
			setMachine("D8")(s)
			s.script = []scripted{{time.Minute, "given up", giveUp(2)}}
			if plan := s.run(1500); plan.Reason != "DrainQuarantined" || plan.Verdict != Waiting || plan.CheckAgain != time.Minute || plan.Wish != nil {
				t.Fatalf("it ends with %s, looks again in %s and wishes for %v", plan, plan.CheckAgain, plan.Wish)
			}
			w := s.world()
			test.change(&w.Pools[0].Drain)
			if plan := Next(w, s.now); plan.Action.Kind != test.action || plan.Reason != test.reason {
				t.Errorf("plan %s, want %s for %s", plan, test.action, test.reason)
			}
		})
	}
}
