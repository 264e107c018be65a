package replacement

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"k8s.io/utils/ptr"

	"github.com/fleetwright/fleetwright/internal/agentpool"
)

// TestChaos changes everything that people, Azure and the cluster can change, at
// any time and in any order, and loses our own marks. The invariants hold at
// each step; once it is calm, each world comes to rest as its spec says.
// Fifty worlds are always the same, a hundred are fresh.
func TestChaos(t *testing.T) {
	seeds := []uint64{16333965135103481214, 8708893479395217622, 8590972338398698830, 6185228365133111190} // found bugs
	for seed := range uint64(50) {
		seeds = append(seeds, seed)
	}
	for range 100 {
		seeds = append(seeds, rand.Uint64())
	}
	for _, seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 1))
			s := newStory(t)
			s.w.Nodepool.Spec.Replicas, s.budget, s.chaos = ptr.To[int32](6), 4, true
			s = s.running(12)
			s.script = chaos(r)
			s.jitter = rand.New(rand.NewPCG(seed, 2))
			plan := s.run(1500)
			if plan.Verdict != Done || len(s.w.Pools) != 1 {
				t.Errorf("seed %d ends with %d pools: %s\n%s", seed, len(s.w.Pools), plan, s.log.String())
			}
		})
	}
}

// chaos is a script of things that happen, with pauses from none to long, and
// calm after them.
func chaos(r *rand.Rand) []scripted {
	events := append(wishes(), accidents(r)...)
	var out []scripted
	at := time.Duration(0)
	for range 4 + r.IntN(8) {
		e := events[r.IntN(len(events))]
		out = append(out, scripted{at, e.what, e.do})
		switch r.IntN(4) {
		case 0:
			at += time.Duration(r.IntN(10)) * time.Second
		case 1, 2:
			at += time.Duration(r.IntN(360)) * time.Second
		default:
			at += time.Duration(r.IntN(40)) * time.Minute
		}
	}
	// With 13 nodes at most, ten and ten are a shift in stages.
	nodeCap := []int{13, 30}[r.IntN(2)]
	return append(out,
		scripted{at + time.Minute, "all is calm", func(s *story) { s.calm(nodeCap) }},
		scripted{at + 3*time.Hour, "hours pass", (*story).recover},
		scripted{at + 3*time.Hour + 3*time.Minute, "a while later", func(*story) {}})
}

type event struct {
	what string
	do   func(*story)
}

// wishes are what people ask for.
func wishes() []event {
	spec := func(what string, do func(*agentpool.Spec)) event {
		return event{what, func(s *story) { do(&s.w.Nodepool.Spec) }}
	}
	nodepool := func(what string, do func(*Nodepool)) event {
		return event{what, func(s *story) { do(&s.w.Nodepool) }}
	}
	out := []event{
		spec("scaling 2..12", func(p *agentpool.Spec) { p.Replicas, p.Scaling = nil, &agentpool.Scaling{Min: 2, Max: 12} }),
		spec("scaling 4..8", func(p *agentpool.Spec) { p.Replicas, p.Scaling = nil, &agentpool.Scaling{Min: 4, Max: 8} }),
		spec("nobody says how many", func(p *agentpool.Spec) { p.Replicas, p.Scaling = nil, nil }),
		spec("a label", func(p *agentpool.Spec) { p.Labels = map[string]string{"team": "shop"} }),
		spec("no label", func(p *agentpool.Spec) { p.Labels = nil }),
		nodepool("a freeze", func(n *Nodepool) { n.Hold = Hold{Reason: "Frozen", Message: "Freeze", NonDisruptive: true} }),
		nodepool("a pause", func(n *Nodepool) { n.Hold = Hold{Reason: "Paused", Message: "Pause"} }),
		nodepool("no freeze", func(n *Nodepool) { n.Hold = Hold{} }),
		nodepool("soak an hour", func(n *Nodepool) { n.Soak = time.Hour }),
		nodepool("soak cordoned", func(n *Nodepool) { n.Soak, n.SoakCordoned = time.Hour, !n.SoakCordoned }),
		nodepool("no soak", func(n *Nodepool) { n.Soak = 0 }),
		nodepool("the window closes", func(n *Nodepool) { n.Window = Window{Closed: true} }),
		nodepool("the window opens", func(n *Nodepool) { n.Window = Window{} }),
		{"rolloutAfter now", func(s *story) { s.w.Nodepool.RolloutAfter = s.now.Truncate(time.Second) }},
	}
	for _, machine := range []string{"D4", "D8", "D16"} {
		e := spec("machineType "+machine, func(p *agentpool.Spec) { p.MachineType = machine })
		out = append(out, e, e) // more often than the rest
	}
	for _, n := range []int32{3, 6, 10} {
		out = append(out, spec(fmt.Sprintf("replicas %d", n), func(p *agentpool.Spec) { p.Replicas, p.Scaling = ptr.To(n), nil }))
	}
	for _, strategy := range []string{"", "InPlaceOnly", "FullGreen", "StagedShift"} {
		out = append(out, nodepool("strategy "+strategy, func(n *Nodepool) { n.Strategy = strategy }))
	}
	return out
}

// accidents are what happens without being asked for.
func accidents(r *rand.Rand) []event {
	out := []event{
		{"Azure refuses", func(s *story) { s.provisionFails = "AllocationFailed" }},
		{"Azure can again", func(s *story) { s.provisionFails = "" }},
		{"nodes fail", func(s *story) {
			s.each(func(p *Pool) {
				if len(p.Nodes) > 0 && r.IntN(2) == 0 {
					p.Nodes[0].Ready = false
				}
			})
		}},
		{"nodes recover", (*story).recover},
		{"the API server does not answer", func(s *story) { s.w.Cluster.Unreachable = "timeout" }},
		{"it answers", func(s *story) { s.w.Cluster.Unreachable = "" }},
		{"pool system is changed", func(s *story) { s.w.Others[0].Operation = "Updating" }},
		{"pool system is done", func(s *story) { s.w.Others[0].Operation = "" }},
		{"nodes are given up", func(s *story) {
			s.each(func(p *Pool) {
				if len(p.Nodes) > 0 && r.IntN(2) == 0 {
					p.Nodes[r.IntN(len(p.Nodes))].Quarantined = true
				}
			})
		}},
		{"nodes are no longer given up", (*story).release},
		{"the budget allows nothing", func(s *story) { s.budget = 0 }},
		{"the budget allows 4", func(s *story) { s.budget = 4 }},
		{"two pods have no place", func(s *story) { s.unfit = 2 }},
		{"all pods have one", func(s *story) { s.unfit = 0 }},
		{"drain-started is lost", func(s *story) { s.each(func(p *Pool) { p.DrainStarted = time.Time{} }) }},
		{"empty-since is lost", func(s *story) { s.each(func(p *Pool) { p.EmptySince = time.Time{} }) }},
		{"scaling-carried is lost", func(s *story) { s.each(func(p *Pool) { p.Carried = nil }) }},
		{"the fingerprint is lost", func(s *story) { s.each(func(p *Pool) { p.Fingerprint = "" }) }},
	}
	for _, nodes := range []int{9, 12, 30} {
		out = append(out, event{fmt.Sprintf("the cluster may have %d nodes", nodes), func(s *story) { s.w.Cluster.NodeCap = nodes }})
	}
	return out
}

// calm ends all that is in the way; CAPZ tries again what Azure refused.
func (s *story) calm(nodeCap int) {
	n := &s.w.Nodepool
	n.Hold, n.Window, n.Strategy = Hold{}, Window{}, ""
	s.w.Cluster.Unreachable, s.w.Others[0].Operation, s.w.Cluster.NodeCap = "", "", nodeCap
	s.provisionFails, s.budget, s.unfit = "", 4, 0
	s.recover()
	s.release()
	s.each(func(p *Pool) {
		object := p.Object
		switch {
		case p.Failure == "":
		case p.Provisioned:
			p.Failure = ""
			s.updating(p)
		default:
			p.Failure, p.Operation = "", "Creating"
			s.after(tCreate, func(s *story) { s.provisioned(object) })
		}
	})
}

func (s *story) each(do func(*Pool)) {
	for i := range s.w.Pools {
		do(&s.w.Pools[i])
	}
}

// release takes back that nodes were given up.
func (s *story) release() {
	s.each(func(p *Pool) {
		for i := range p.Nodes {
			p.Nodes[i].Quarantined = false
		}
	})
}

func (s *story) recover() {
	s.each(func(p *Pool) {
		for i := range p.Nodes {
			if !p.Nodes[i].Ready {
				p.Nodes[i].Ready, p.Nodes[i].ReadySince = true, s.now
			}
		}
	})
}
