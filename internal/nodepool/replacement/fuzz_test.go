package replacement

import (
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"k8s.io/utils/ptr"

	"github.com/fleetwright/fleetwright/internal/agentpool"
)

// randomWorld makes any World, likely or not: the planner must have an answer
// to all of them.
func randomWorld(r *rand.Rand, now time.Time) World {
	yes := func(percent int) bool { return r.IntN(100) < percent }
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	past := func() time.Time {
		if yes(30) {
			return time.Time{}
		}
		return now.Add(-time.Duration(r.IntN(4000)) * time.Second)
	}
	spec := func() agentpool.Spec {
		s := agentpool.Spec{Version: pick("v1.33.5", "v1.34.2", "v1.36.0", "", "x"), MachineType: pick("D4", "D8"), Mode: pick("", "System", "User")}
		if yes(50) {
			s.Replicas = ptr.To(int32(r.IntN(4)))
		} else if yes(50) {
			s.Scaling = &agentpool.Scaling{Min: int32(r.IntN(2)), Max: int32(1 + r.IntN(3))}
		}
		if yes(20) {
			s.Labels = map[string]string{"team": pick("a", "b")}
		}
		return s
	}
	w := World{
		Nodepool: Nodepool{
			Name: "prod-general", BaseName: pick("general", "9", "ÜBER", ""), UID: "u", Deleting: yes(20), Spec: spec(),
			Invalid: pick("", "", "", "", "no"), MinReady: time.Minute, ProvisionTimeout: time.Hour,
		},
		Cluster: Cluster{
			Name: "prod", Found: !yes(5), Deleting: yes(10), Provisioned: !yes(15), Version: pick("v1.34.2", "v1.34.2", ""),
			WantedVersion: pick("v1.34.2", "v1.36.0"), Unreachable: pick("", "", "", "timeout"), Operation: pick("", "", "", "Updating"),
		},
	}
	if yes(25) {
		w.Nodepool.Hold = Hold{Reason: "Frozen", Message: "frozen", NonDisruptive: yes(50)}
	}
	w.Nodepool.Strategy, w.Nodepool.DeletionPolicy = pick("", "Auto", "InPlaceOnly", "FullGreen", "StagedShift"), pick("", "", "Retain", "Protect")
	w.Nodepool.Window, w.Cluster.NodeCap = Window{Closed: yes(10), Opens: past()}, r.IntN(20)
	w.Nodepool.Soak, w.Nodepool.SoakCordoned, w.Nodepool.RolloutAfter = time.Duration(r.IntN(3))*time.Hour, yes(50), past()
	w.Azure = Azure{Asked: yes(80), Refused: pick("", "", "", "not offered"), Room: int32(r.IntN(5)), Limit: pick("", "no quota"), Machines: yes(80)}
	if yes(15) {
		w.Adoptable = append(w.Adoptable, Adoptable{Object: "np1", Found: yes(70), Owner: pick("", "other"), Mine: yes(20), Name: "np1", Spec: spec()})
		w.Nodepool.Adopt = yes(50)
	}
	if yes(15) {
		w.Ahead = append(w.Ahead, Turn{"prod-a", "create a pool"}, Turn{"prod-b", "delete a pool"})
	}
	for range r.IntN(3) {
		w.Others = append(w.Others, Neighbour{Name: pick("system", "generalx"), Mode: pick("System", "User"), Operation: pick("", "", "Creating"), Deleting: yes(10), ReadyNodes: r.IntN(3)})
	}
	for i := range r.IntN(5) {
		p := Pool{
			Name: pick("blue", "green") + string(rune('a'+i)), Object: "o" + string(rune('a'+i)), UID: "u", Created: past(), Deleting: yes(15), Spec: spec(),
			Incomplete: yes(8), Provisioned: !yes(20), Operation: pick("", "", "", "Creating", "Updating"), Failure: pick("", "", "", strings.Repeat("no quota ü", 200)),
			FailureSince: past(), EmptySince: past(), Replaces: int32(r.IntN(4)), ProvisionStarted: past(), DrainStarted: past(), IdentityConflict: pick("", "", "", "", "", "conflict"), Unlisted: r.IntN(8) / 7,
		}
		if yes(20) {
			p.Fingerprint = agentpool.Fingerprint("u", w.Nodepool.Spec)
		}
		for n := range r.IntN(4) {
			p.Nodes = append(p.Nodes, Node{
				Name: p.Name + string(rune('0'+n)), UID: "n", Ready: !yes(20), ReadySince: past(), Cordoned: yes(40), CordonedByUs: yes(50), Quarantined: yes(10),
				Version: pick("v1.33.5", "v1.34.2"), Zone: pick("", "w-1"),
			})
		}
		if yes(20) {
			p.Carried = &agentpool.Scaling{Min: 1, Max: 5}
		}
		if yes(70) {
			p.Size = ptr.To(int32(r.IntN(5)))
		}
		p.Members = len(p.Nodes) + r.IntN(8)/7
		p.Drain = Drain{Known: yes(80), Closed: yes(80), Remaining: r.IntN(3), Elsewhere: r.IntN(2), Pinned: map[string]int{pick("w-1", "w-2"): r.IntN(2)}, Staying: pick("", " but for 1 pod"), Summary: "pods left", CheckAgain: time.Second}
		w.Pools = append(w.Pools, p)
	}
	return w
}

// FuzzNext holds what must be true of every answer to every World.
func FuzzNext(f *testing.F) {
	for seed := range uint64(200) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
		r := rand.New(rand.NewPCG(seed, 1))
		w := randomWorld(r, now)
		plan := Next(w, now)
		if plan.Reason == "" || plan.Message == "" || plan.Verdict == "" || plan.Step == "" || plan.Action.Kind == "" || len(plan.Message) > maxMessage {
			t.Fatalf("incomplete plan %+v", plan)
		}
		if again := Next(w, now); !reflect.DeepEqual(plan, again) {
			t.Fatalf("two answers to one World:\n%s\n%s", plan, again)
		}
		r.Shuffle(len(w.Pools), func(i, j int) { w.Pools[i], w.Pools[j] = w.Pools[j], w.Pools[i] })
		if again := Next(w, now); !reflect.DeepEqual(plan, again) {
			t.Fatalf("the order of reading matters:\n%s\n%s", plan, again)
		}
		checkAnswer(t, w, plan, now)
		// Losing the start of a drain or of a creation only moves deadlines: nothing
		// is deleted because of it.
		for i := range w.Pools {
			w.Pools[i].ProvisionStarted = now
		}
		if later := Next(w, now); later.Verdict == Stuck && plan.Verdict != Stuck {
			t.Fatalf("a lost start time made it stuck: %s", later)
		}
	})
}

func checkAnswer(t *testing.T, w World, plan Plan, now time.Time) {
	t.Helper()
	a := plan.Action
	if h := w.Nodepool.Hold; h.Reason != "" && a.Kind != None && (!h.NonDisruptive || newLook(w, now).disrupts(a)) {
		t.Fatalf("I15: %s in spite of %s", plan, h.Reason)
	}
	inService := w.Cluster.Found && !w.Cluster.Deleting && w.Cluster.Provisioned
	if plan.Verdict == Done && (len(w.Pools) != 1 || len(agentpool.Changes(w.Nodepool.Spec, w.Pools[0].Spec)) > 0) {
		t.Fatalf("Done with %d pools: %s", len(w.Pools), plan)
	}
	if a.Kind == RemoveFinalizer && len(w.Pools) > 0 {
		t.Fatalf("I16: %s with %d pools", plan, len(w.Pools))
	}
	for _, p := range w.Pools {
		if a.Kind == None || a.Object != p.Object {
			continue
		}
		conflict := p.IdentityConflict != ""
		drains := a.Kind == CordonNodes || a.Kind == EvictPods || a.Kind == DeletePool
		if drains && inService && (conflict || w.Cluster.Unreachable != "") {
			t.Fatalf("I2/I8: %s in spite of %q %q", plan, p.IdentityConflict, w.Cluster.Unreachable)
		}
		if a.Kind == DeletePool && inService {
			for _, n := range p.Nodes {
				if !n.Cordoned {
					t.Fatalf("I3: %s with node %s open", plan, n.Name)
				}
			}
			if len(p.Nodes) != p.Members || p.Unlisted > 0 || len(p.Nodes) > 0 && !p.Drain.Empty() {
				t.Fatalf("I3: %s with %d of %d nodes seen, drain %+v", plan, len(p.Nodes), p.Members, p.Drain)
			}
		}
	}
	if (a.Kind == CreatePool || a.Kind == UpdatePool || a.Kind == DeletePool) && inService {
		s := story{w: w}
		if op := s.operation(); op != "" {
			t.Fatalf("I12: %s while Azure is busy %s", plan, op)
		}
	}
}
