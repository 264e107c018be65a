package replacement

import (
	"maps"
	"testing"
	"time"

	"k8s.io/utils/ptr"

	"github.com/fleetwright/fleetwright/internal/agentpool"
)

// eight is a pool of eight nodes in a cluster that may have eleven, so that it
// is replaced in stages.
func eight(t *testing.T) *story {
	t.Helper()
	s := newStory(t)
	s.w.Nodepool.Spec.Replicas, s.w.Cluster.NodeCap, s.budget = ptr.To[int32](8), 11, 4
	return s.running(16)
}

// eightByNobody is the same with a number that nobody fixed.
func eightByNobody(t *testing.T) *story {
	t.Helper()
	s := eight(t)
	s.w.Nodepool.Spec.Replicas = nil
	return s
}

func eightAutoscaled(t *testing.T) *story {
	t.Helper()
	return autoscaled(eight(t))
}

// init adds the stories of shifts that are disturbed. Each was a shift that once
// went wrong.
func init() {
	maps.Copy(stories, map[string]storyCase{
		"shift-is-taken-back-and-azure-has-none-of-the-old": {
			ends:  "ProvisioningFailed",
			begin: eight,
			script: []scripted{
				{0, "machineType D8", setMachine("D8")},
				{12 * time.Minute, "back to D4, of which Azure has none", func(s *story) {
					s.w.Nodepool.Spec.MachineType = "D4"
					s.provisionFails = "AllocationFailed: no D4 now"
				}},
			},
		},
		"room-opens-while-the-slot-is-taken": {
			ends:  "Ready",
			begin: eightByNobody,
			script: []scripted{
				{0, "machineType D8", setMachine("D8")},
				{9*time.Minute + 30*time.Second, "the cluster may have 30 nodes; somebody changes pool system", func(s *story) {
					s.w.Cluster.NodeCap = 30
					s.w.Others[0].Operation = "Updating"
				}},
				{40 * time.Minute, "pool system is done", func(s *story) { s.w.Others[0].Operation = "" }},
			},
		},
		"autoscaled-shift-is-taken-back-half-way": {
			ends:   "Ready",
			begin:  eightAutoscaled,
			script: []scripted{{0, "machineType D8", setMachine("D8")}, {12 * time.Minute, "back to D4", setMachine("D4")}},
		},
		"third-spec-in-the-middle-of-a-shift": {
			ends:   "Ready",
			begin:  eightByNobody,
			script: []scripted{{0, "machineType D8", setMachine("D8")}, {12 * time.Minute, "machineType D16", setMachine("D16")}},
		},
		"third-spec-without-room-for-a-third-pool": {
			ends: "Ready",
			begin: func(t *testing.T) *story {
				s := newStory(t).running(9)
				s.w.Cluster.NodeCap = 6
				return s
			},
			script: []scripted{
				{0, "machineType D8", setMachine("D8")},
				{5*time.Minute + 40*time.Second, "machineType D16 while pods move", setMachine("D16")},
			},
		},
		"first-part-of-a-shift-is-refused-once": {
			ends: "Ready",
			begin: func(t *testing.T) *story {
				s := eight(t)
				s.w.Cluster.NodeCap, s.quota = 0, 11
				return s
			},
			script: []scripted{
				{0, "machineType D8, of which Azure has none for a while", func(s *story) {
					setMachine("D8")(s)
					s.provisionFails = "AllocationFailed: try later"
				}},
				{20 * time.Minute, "Azure has some; CAPZ tries again", func(s *story) {
					s.provisionFails = ""
					if p := &s.w.Pools[len(s.w.Pools)-1]; p.Failure != "" {
						s.provisioned(p.Object)
					}
				}},
				{25 * time.Minute, "a while later", func(*story) {}},
			},
		},
		"machine-of-the-old-pool-is-gone-and-still-counted": {
			ends:  "Ready",
			begin: eight,
			script: []scripted{
				{0, "machineType D8", setMachine("D8")},
				{6 * time.Minute, "a machine of the old pool is gone", func(s *story) {
					if p := &s.w.Pools[0]; p.Spec.MachineType == "D4" && len(p.Nodes) > 0 && p.Operation == "" {
						s.missing = 1
						s.leave(p, p.Nodes[len(p.Nodes)-1].Name)
					}
				}},
			},
		},
		"number-of-before-is-lost-in-the-middle-of-a-shift": {
			ends:  "Ready",
			begin: eight,
			script: []scripted{
				{0, "machineType D8", setMachine("D8")},
				{9*time.Minute + 30*time.Second, "annotation replaces-nodes is lost", func(s *story) { s.w.Pools[len(s.w.Pools)-1].Replaces = 0 }},
			},
		},
		"scale-up-overtakes-a-shift-that-a-budget-blocks": {
			ends: "Ready",
			begin: func(t *testing.T) *story {
				s := newStory(t).running(9)
				s.w.Nodepool.Strategy, s.budget = "StagedShift", 0
				return s
			},
			script: []scripted{
				{0, "machineType D8; the budget allows nothing", setMachine("D8")},
				{20 * time.Minute, "traffic comes: replicas 9", func(s *story) { s.w.Nodepool.Spec.Replicas = ptr.To[int32](9) }},
				{3 * time.Hour, "the budget's owner helps", func(s *story) { s.budget = 2 }},
			},
		},
		"new-node-fails-for-good-in-a-shift": {
			ends:  "ProvisioningTimedOut",
			begin: eight,
			script: []scripted{
				{0, "machineType D8", setMachine("D8")},
				{9 * time.Minute, "a new node fails", func(s *story) {
					if p := &s.w.Pools[len(s.w.Pools)-1]; len(p.Nodes) > 0 {
						p.Nodes[0].Ready = false
					}
				}},
				{10 * time.Hour, "hours pass", func(*story) {}},
			},
		},
		"node-closed-by-a-person-stays-closed": {
			ends: "Ready",
			begin: func(t *testing.T) *story {
				s := eight(t)
				s.w.Pools[0].Nodes[0].Cordoned = true
				return s
			},
			script: []scripted{
				{0, "machineType D8", setMachine("D8")},
				{5*time.Minute + 2*time.Second, "back to D4", setMachine("D4")},
				{time.Hour, "the person opens it", func(s *story) {
					for i := range s.w.Pools[0].Nodes {
						if n := &s.w.Pools[0].Nodes[i]; n.Cordoned && !n.CordonedByUs {
							n.Cordoned = false
						}
					}
				}},
			},
		},
		"frozen-in-the-middle-of-a-shift": {
			ends:  "Ready",
			begin: eight,
			script: []scripted{
				{0, "machineType D8", setMachine("D8")},
				{8 * time.Minute, "a freeze", func(s *story) {
					s.w.Nodepool.Hold = Hold{Reason: "Frozen", Message: "Freeze fleet/x: y", NonDisruptive: true}
				}},
				{5 * time.Hour, "it is lifted", func(s *story) { s.w.Nodepool.Hold = Hold{} }},
			},
		},
		"deleted-in-the-middle-of-a-shift": {
			ends:  "DeletingPool",
			begin: eight,
			script: []scripted{
				{0, "machineType D8", setMachine("D8")},
				{12 * time.Minute, "deleted", func(s *story) { s.w.Nodepool.Deleting = true }},
			},
		},
		"new-pool-comes-after-the-window": {
			ends:  "Ready",
			begin: func(t *testing.T) *story { return newStory(t).running(6) },
			script: []scripted{
				{0, "machineType D8 in the window; Azure has none", func(s *story) { setMachine("D8")(s); s.provisionFails = "AllocationFailed" }},
				{4 * time.Hour, "the window closes", func(s *story) { s.w.Nodepool.Window = Window{Closed: true, Opens: s.start.Add(24 * time.Hour)} }},
				{8 * time.Hour, "Azure has some", func(s *story) {
					s.provisionFails = ""
					s.provisioned(s.w.Pools[len(s.w.Pools)-1].Object)
				}},
				{24 * time.Hour, "the window opens", func(s *story) { s.w.Nodepool.Window = Window{} }},
			},
		},
		"pinned-pods-while-a-machine-of-the-old-pool-boots": {
			ends: "WaitingForCapacity",
			begin: func(t *testing.T) *story {
				s := newStory(t).running(6)
				s.pinned, s.zones["D8"] = map[string]int{"westeurope-2": 2}, "westeurope-1"
				return s
			},
			script: []scripted{
				{0, "machineType D8 in zone 1; Azure lists one more old machine", func(s *story) { setMachine("D8")(s); s.w.Pools[0].Members++ }},
				{time.Hour, "it is gone again", func(s *story) { s.w.Pools[0].Members-- }},
			},
		},
		"soaking-pool-stays-while-the-next-change-may-not-begin": {
			ends: "WaitingForWindow",
			begin: func(t *testing.T) *story {
				s := newStory(t).running(6)
				s.w.Nodepool.Soak = 1000 * time.Hour
				return s
			},
			script: []scripted{
				{0, "machineType D8", setMachine("D8")},
				{5 * time.Hour, "no window is open; machineType D16", func(s *story) {
					s.w.Nodepool.Window = Window{Closed: true, Opens: s.now.Add(100 * time.Hour)}
					setMachine("D16")(s)
				}},
			},
		},
		"soaking-pool-is-opened-by-a-person": {
			ends: "Ready",
			begin: func(t *testing.T) *story {
				s := newStory(t).running(6)
				s.w.Nodepool.Soak, s.resizeFails = 24*time.Hour, "ScopeLocked: the scale set is locked"
				return s
			},
			script: []scripted{
				{0, "machineType D8; no pool can be resized", setMachine("D8")},
				{5 * time.Hour, "a person opens an old node, and pods come", func(s *story) {
					for i := range s.w.Pools {
						if p := &s.w.Pools[i]; !p.EmptySince.IsZero() && len(p.Nodes) > 0 {
							p.Nodes[0].Cordoned = false
							s.pending += 2
							s.schedule()
						}
					}
				}},
				{30 * time.Hour, "a day later", func(*story) {}},
			},
		},
		"marks-of-a-soaking-pool-are-lost-and-it-is-wanted-again": {
			ends: "Ready",
			begin: func(t *testing.T) *story {
				s := newStory(t).running(6)
				s.w.Nodepool.Soak = 24 * time.Hour
				return s
			},
			script: []scripted{
				{0, "machineType D8", setMachine("D8")},
				{5 * time.Hour, "annotation drain-started is lost; back to D4", func(s *story) {
					s.w.Pools[0].DrainStarted = time.Time{}
					setMachine("D4")(s)
				}},
				{50 * time.Hour, "machineType D16", setMachine("D16")},
				{50*time.Hour + 30*time.Second, "machineType D32 while it is being made", setMachine("D32")},
			},
		},
		"bounds-above-what-the-pool-has-are-refused": {
			ends:  "ProvisioningFailed",
			begin: func(t *testing.T) *story { return newStory(t).running(3) },
			script: []scripted{{0, "scaling 5..10, of which there is no quota", func(s *story) {
				s.provisionFails = "QuotaExceeded: 4 vCPUs are left"
				s.w.Nodepool.Spec.Replicas, s.w.Nodepool.Spec.Scaling = nil, &agentpool.Scaling{Min: 5, Max: 10}
			}}},
		},
		"adoption-of-another-pool-is-only-told-of": {
			ends: "Ready",
			begin: func(t *testing.T) *story {
				s := newStory(t).running(3)
				s.w.Adoptable = []Adoptable{{Object: "np1", Name: "np1", Found: true, Spec: s.w.Nodepool.Spec}}
				return s
			},
			script: []scripted{{time.Minute, "replicas 5, in an emergency", func(s *story) { s.w.Nodepool.Spec.Replicas = ptr.To[int32](5) }}},
		},
		"drain-goes-on-while-another-operation-is-stuck": {
			ends: "Ready",
			begin: func(t *testing.T) *story {
				return newStory(t).running(60)
			},
			script: []scripted{
				{0, "machineType D8", setMachine("D8")},
				{14 * time.Minute, "a label; pool system is updating since hours", func(s *story) {
					s.w.Others[0].Operation, s.w.Others[0].OperationSince = "Updating", s.now.Add(-5*time.Hour)
					s.w.Nodepool.Spec.Labels = map[string]string{"team": "shop"}
				}},
				{9 * time.Hour, "it is ended", func(s *story) { s.w.Others[0].Operation = "" }},
			},
		},
	})
}
