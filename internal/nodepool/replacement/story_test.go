package replacement

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/utils/ptr"

	"github.com/fleetwright/fleetwright/internal/agentpool"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/capi/capitest"
)

// story plays Next against a small world in which time passes: operations of
// Azure take a while, nodes boot, pods move within a budget. It writes one line
// for each change of plan and checks the invariants after every step.
type story struct {
	t     *testing.T
	w     World
	start time.Time
	now   time.Time
	log   strings.Builder
	last  string
	// repeats counts looks that gave the last line again.
	repeats int

	// pods on each node; others are pods that wait for a place.
	pods    map[string]int
	pending int
	// budget is how many pods may move at once; zero blocks for ever.
	budget int
	// due is what Azure and the cluster will do, and when.
	due []due
	// jitter varies how long things take, when set.
	jitter *rand.Rand
	// script runs before the look at or after its time.
	script []scripted

	serial  int
	wanted  string          // the pool that stays, by the last plan
	proven  map[string]bool // pools something was evicted for
	removed bool
	created map[string]int
	// provisionFails makes Azure refuse new pools and changes with this message.
	provisionFails string
	bootVersion    string // what kubelets say instead of the truth
	// flavor is the provider whose objects the pools are kept in; nil for none.
	flavor capi.Flavor
	// chaos is a world in which everything changes at any time, the node cap too.
	chaos bool
	// quota, if any, is how many nodes Azure lets the pool have in all.
	quota int
	// missing machines of any pool are counted by Azure and not listed.
	missing int
	// resizeFails makes Azure refuse another number or other bounds of a pool.
	resizeFails string
	// azure is what Azure has left; zone is where the nodes of a pool are.
	azure Azure
	zones map[string]string
	// pinned is the number of pods per zone that a volume keeps there.
	pinned map[string]int
	noBoot bool
	// unfit is how many pods have no place but where they are.
	unfit int
}

type due struct {
	at time.Time
	do func(*story)
}

type scripted struct {
	at   time.Duration
	what string
	do   func(*story)
}

const (
	tControlPlane = 6 * time.Minute
	tCreate       = 3 * time.Minute
	tBoot         = 1 * time.Minute
	tUpdate       = 30 * time.Second
	tDelete       = 2 * time.Minute
	tMove         = 20 * time.Second
)

func newStory(t *testing.T, script ...scripted) *story {
	t.Helper()
	start := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	return &story{
		t: t, start: start, now: start, script: script, budget: 1,
		pods: map[string]int{}, proven: map[string]bool{}, created: map[string]int{}, zones: map[string]string{},
		azure: Azure{Asked: true, Room: 1000, Machines: true},
		w: World{
			Nodepool: Nodepool{
				Name: "prod-general", BaseName: "general", UID: "uid-1",
				MinReady: time.Minute, ProvisionTimeout: time.Hour,
				Spec: agentpool.Spec{Version: "v1.33.5", MachineType: "D4", Replicas: ptr.To[int32](3)},
			},
			Cluster: Cluster{Name: "prod", Found: true, Provisioned: true, Version: "v1.34.2", WantedVersion: "v1.34.2"},
			Others:  []Neighbour{{Name: "system", Owner: "prod-system", Mode: "System", ReadyNodes: 2}},
		},
	}
}

// running puts a finished pool in the world, as an earlier rollout left it.
func (s *story) running(pods int) *story {
	plan := Next(s.world(), s.now)
	if plan.Action.Kind != CreatePool {
		s.t.Fatalf("a new Nodepool should create a pool, got %s", plan)
	}
	s.act(plan)
	due := len(s.due)
	for i := range due {
		s.due[i].do(s)
	}
	booting := s.due[due:]
	s.due = nil
	for _, d := range booting {
		d.do(s)
	}
	s.due = nil
	s.now = s.now.Add(time.Hour)
	s.start = s.now
	s.pending = pods
	s.schedule()
	return s
}

func (s *story) takes(d time.Duration) time.Time {
	if s.jitter != nil {
		d = time.Duration(float64(d) * (0.2 + 2*s.jitter.Float64()))
	}
	return s.now.Add(d)
}

func (s *story) after(d time.Duration, do func(*story)) {
	s.due = append(s.due, due{s.takes(d), do})
}

func (s *story) pool(object string) *Pool {
	for i := range s.w.Pools {
		if s.w.Pools[i].Object == object {
			return &s.w.Pools[i]
		}
	}
	return nil
}

// boot makes machines, which Azure lists at once and which become nodes later.
func (s *story) boot(object string, n int) {
	s.pool(object).Members += n
	for range n {
		s.serial++
		name := fmt.Sprintf("node%02d", s.serial)
		s.after(tBoot, func(s *story) {
			p := s.pool(object)
			if p == nil || p.Deleting || s.noBoot {
				return
			}
			version := p.Spec.Version
			if s.bootVersion != "" {
				version = s.bootVersion
			}
			p.Nodes = append(p.Nodes, Node{Name: name, UID: "uid-" + name, ProviderID: "azure://" + p.Name + "/" + name, Ready: true, ReadySince: s.now, Version: version, Zone: s.zones[p.Spec.MachineType]})
			s.schedule()
		})
	}
}

// schedule gives waiting pods the emptiest open node.
func (s *story) schedule() {
	for s.pending > 0 {
		best := ""
		for _, p := range s.w.Pools {
			for _, n := range p.Nodes {
				if n.Ready && !n.Cordoned && (best == "" || s.pods[n.Name] < s.pods[best]) {
					best = n.Name
				}
			}
		}
		if best == "" {
			return
		}
		s.pods[best]++
		s.pending--
	}
}

// world is a fresh reading, as Observe gives it: a copy, pools in any order.
func (s *story) world() World {
	w := s.w
	w.Azure = s.azure
	if s.quota > 0 {
		w.Azure.Room, w.Azure.Limit = int32(s.quota), fmt.Sprintf("quota Total Regional vCPUs: %d nodes are allowed", s.quota)
		for _, p := range s.w.Pools {
			w.Azure.Room -= int32(p.Members)
		}
	}
	w.Pools = slices.Clone(s.w.Pools)
	for i := range w.Pools {
		p := &w.Pools[i]
		p.Nodes = slices.Clone(p.Nodes)
		if p.Spec.Scaling != nil && p.Provisioned {
			p.Size = ptr.To(int32(p.Members)) // CAPZ writes back what the autoscaler chose
		}
		if w.Cluster.Unreachable != "" {
			p.Nodes = nil
		}
		if len(p.Nodes) == 0 {
			p.Drain = Drain{} // there is nothing to read pods of
			continue
		}
		p.Drain = s.drainOf(*p, nil)
		if s.budget == 0 && p.Drain.Remaining > 0 {
			p.Drain.Summary += "; waits for pod shop/cart (PodDisruptionBudget shop/cart allows 0)"
		}
	}
	if s.jitter != nil {
		s.jitter.Shuffle(len(w.Pools), func(i, j int) { w.Pools[i], w.Pools[j] = w.Pools[j], w.Pools[i] })
	}
	return w
}

func (s *story) podsOf(of []PodsOf) (n int) {
	for _, some := range of {
		for _, node := range s.pool(some.Object).Nodes {
			if some.Nodes == nil || slices.Contains(some.Nodes, node.Name) {
				n += s.pods[node.Name]
			}
		}
	}
	return n
}

// fitOf is what the scheduler says of pods that leave.
func (s *story) fitOf(of []PodsOf) Fit {
	fit := Fit{Of: of, Unfit: min(s.unfit, s.podsOf(of))}
	if fit.Alike = fit.Unfit; fit.Unfit > 0 {
		fit.Worst, fit.Why = "shop/cart-0", "0/6 nodes are available: 3 node(s) didn't match Pod's node affinity/selector, 3 node(s) were unschedulable"
	}
	return fit
}

func (s *story) say(format string, args ...any) {
	fmt.Fprintf(&s.log, "%8s  %s\n", s.now.Sub(s.start).Round(time.Second), fmt.Sprintf(format, args...))
}

// next answers as the reconciler does: what a plan asks for is read.
func (s *story) next() Plan {
	w := s.world()
	azure := w.Azure
	w.Azure = Azure{}
	plan := Next(w, s.now)
	s.wanted = plan.Wanted
	for range 16 {
		if len(plan.NeedsPods)+len(plan.NeedsCount)+len(plan.NeedsFit) == 0 && !plan.NeedsAzure {
			break
		}
		if plan.NeedsAzure {
			w.Azure = azure
		}
		if plan.NeedsFit != nil {
			w.Fits = append(w.Fits, s.fitOf(plan.NeedsFit))
		}
		for i := range w.Pools {
			if p := &w.Pools[i]; slices.Contains(plan.NeedsCount, p.Object) {
				p.Counted = Counted{Asked: true, Known: p.Failure == "", Nodes: int32(p.Members + s.missing)}
			}
		}
		for _, of := range plan.NeedsPods {
			for i := range w.Pools {
				if w.Pools[i].Object == of.Object {
					w.Pools[i].Drain = s.drainOf(w.Pools[i], of.Nodes)
				}
			}
		}
		plan = Next(w, s.now)
	}
	return plan
}

// drainOf is what the drain engine says of some nodes of a pool.
func (s *story) drainOf(p Pool, names []string) Drain {
	d := Drain{Known: true, Closed: true, Of: names, CheckAgain: 5 * time.Second, Pinned: s.pinned}
	for _, n := range p.Nodes {
		if names == nil || slices.Contains(names, n.Name) {
			d.Closed = d.Closed && n.Cordoned
			d.Remaining += s.pods[n.Name]
			if !n.Quarantined {
				d.Elsewhere += s.pods[n.Name]
			} else if s.pods[n.Name] > 0 {
				d.Quarantined = append(d.Quarantined, n.Name)
			}
		}
	}
	d.Summary = fmt.Sprintf("%d pods left", d.Remaining)
	return d
}

// run goes on until the plan is done (or stuck, or the finalizer is gone) with
// nothing left to happen, or the steps are used up.
func (s *story) run(steps int) Plan {
	s.t.Helper()
	var plan Plan
	for range steps {
		s.happen()
		plan = s.next()
		s.check(plan)
		s.repeats++
		if line := plan.String(); line != s.last {
			s.say("%s", line)
			s.last, s.repeats = line, 0
		}
		if plan.Action.Kind == RemoveFinalizer {
			s.removed = true
			return plan
		}
		s.act(plan)
		resting := plan.Action.Kind == None && len(s.due) == 0 && len(s.script) == 0 && plan.Reason != "Soaking"
		if resting && plan.Verdict != Moving {
			return plan
		}
		s.pass(plan)
	}
	s.t.Errorf("no end after %d steps; last plan: %s\n%s", steps, plan, s.log.String())
	return plan
}

// pass moves the clock to the next thing that can happen.
func (s *story) pass(plan Plan) {
	next := s.now.Add(time.Hour)
	// The same plan a few times over, with nothing on its way, is a wait: looking
	// again every few seconds would show nothing new.
	if plan.CheckAgain > 0 && (len(s.due) > 0 || s.repeats < 3) {
		next = s.now.Add(plan.CheckAgain)
	}
	if plan.Action.Kind != None && plan.Action.Kind != EvictPods {
		next = s.now.Add(time.Second)
	}
	for _, d := range s.due {
		if d.at.Before(next) {
			next = d.at
		}
	}
	if len(s.script) > 0 {
		if at := s.start.Add(s.script[0].at); at.Before(next) {
			next = at
		}
	}
	if !next.After(s.now) {
		next = s.now.Add(time.Second)
	}
	s.now = next
}

func (s *story) happen() {
	for len(s.script) > 0 && !s.start.Add(s.script[0].at).After(s.now) {
		s.say("-- %s", s.script[0].what)
		s.script[0].do(s)
		s.script = s.script[1:]
	}
	slices.SortStableFunc(s.due, func(a, b due) int { return a.at.Compare(b.at) })
	for len(s.due) > 0 && !s.due[0].at.After(s.now) {
		d := s.due[0]
		s.due, s.repeats = s.due[1:], 0
		d.do(s)
	}
}

func (s *story) act(plan Plan) {
	a := plan.Action
	switch a.Kind {
	case None, RemoveFinalizer:
	case CreatePool:
		s.created[a.Object]++
		spec := a.Spec
		spec.Replicas = ptr.To(a.Replicas)
		if a.Spec.Scaling != nil {
			spec.Replicas, spec.Scaling = nil, ptr.To(*a.Spec.Scaling)
		}
		if s.flavor != nil {
			spec = capitest.RoundTrip(s.flavor, spec)
		}
		s.w.Pools = append(s.w.Pools, Pool{
			Name: a.Pool, Object: a.Object, UID: "uid-" + a.Object, Fingerprint: a.Fingerprint, Created: s.now,
			Spec: spec, Size: ptr.To(a.Replicas), Operation: "Creating", ProvisionStarted: s.now, Replaces: a.Replaces, Carried: a.Carried,
		})
		s.after(tCreate, func(s *story) { s.provisioned(a.Object) })
	case UpdatePool:
		p := s.pool(a.Object)
		keep := *p
		p.Spec = a.Spec
		p.Spec.Version, p.Spec.MachineType, p.Spec.RolloutAfter = keep.Spec.Version, keep.Spec.MachineType, keep.Spec.RolloutAfter
		if s.flavor != nil {
			p.Spec = capitest.Update(s.flavor, keep.Spec, a.Spec)
		}
		if p.Spec.Replicas != nil || p.Spec.Scaling != nil {
			p.Carried = a.Carried
		} else {
			p.Spec.Replicas, p.Spec.Scaling = keep.Spec.Replicas, keep.Spec.Scaling
		}
		p.Updated = s.now
		if r := p.Spec.Replicas; r != nil && p.Provisioned {
			p.Size = ptr.To(*r)
		}
		if !p.Provisioned {
			size := *p.Size
			if r, bounds := p.Spec.Replicas, p.Spec.Scaling; r != nil {
				size = *r
			} else if bounds != nil {
				size = min(max(size, bounds.Min), bounds.Max)
			}
			p.Size, p.Failure, p.Operation, p.ProvisionStarted = ptr.To(size), "", "Creating", s.now
			s.after(tCreate, func(s *story) { s.provisioned(a.Object) })
			return
		}
		p.Operation = "Updating"
		s.after(tUpdate, func(s *story) {
			if p := s.pool(a.Object); p != nil && p.Operation == "Updating" {
				p.Operation = ""
				if p.Failure = s.provisionFails; p.Failure != "" {
					p.FailureSince = s.now
					return
				}
				s.resized(p, false)
			}
		})
	case HoldScaling:
		p := s.pool(a.Object)
		if p.Carried == nil {
			p.Carried = p.Spec.Scaling
		}
		p.Spec.Scaling = ptr.To(*a.Spec.Scaling)
		s.updating(p)
	case ResizePool:
		p := s.pool(a.Object)
		if p.Spec.Scaling != nil && p.Carried == nil {
			p.Carried = p.Spec.Scaling
		}
		p.Spec.Scaling, p.Spec.Replicas, p.Size = nil, ptr.To(a.Replicas), ptr.To(a.Replicas)
		s.updating(p)
	case DeleteMachines:
		p := s.pool(a.Object)
		p.Operation = "Updating"
		s.after(tDelete, func(s *story) {
			p := s.pool(a.Object)
			for _, n := range a.Nodes {
				s.leave(p, n.Name)
			}
			p.Operation = ""
		})
	case MatchSize:
		p := s.pool(a.Object)
		p.Size, p.Spec.Replicas = ptr.To(int32(p.Members+s.missing)), ptr.To(int32(p.Members+s.missing))
	case MarkEmpty:
		s.pool(a.Object).EmptySince = s.now
	case AdoptPool:
		for i := range s.w.Adoptable {
			if d := &s.w.Adoptable[i]; d.Object == a.Object {
				d.Mine, d.Owner = true, s.w.Nodepool.Name
				s.w.Pools = append(s.w.Pools, Pool{
					Name: d.Name, Object: d.Object, UID: "uid-" + d.Object, Created: s.now.Add(-time.Hour), Provisioned: true,
					ProvisionStarted: s.now.Add(-time.Hour), Spec: d.Spec, Size: d.Spec.Replicas,
				})
				for range *d.Spec.Replicas {
					s.serial++
					name := fmt.Sprintf("node%02d", s.serial)
					p := s.pool(d.Object)
					p.Members++
					p.Nodes = append(p.Nodes, Node{Name: name, UID: "uid-" + name, Ready: true, ReadySince: s.now.Add(-time.Hour), Version: p.Spec.Version})
				}
			}
		}
	case ReleasePool:
		s.w.Pools = slices.DeleteFunc(s.w.Pools, func(p Pool) bool { return p.Object == a.Object })
	case CordonNodes, UncordonNodes:
		p := s.pool(a.Object)
		closed := a.Kind == CordonNodes
		if !closed {
			if !p.EmptySince.IsZero() {
				for i := range s.w.Pools {
					s.w.Pools[i].Replaces = 0
				}
			}
			p.DrainStarted, p.EmptySince = time.Time{}, time.Time{}
		} else if p.DrainStarted.IsZero() {
			p.DrainStarted = s.now
		}
		for i := range p.Nodes {
			for _, n := range a.Nodes {
				if n.UID == p.Nodes[i].UID {
					if closed && p.Nodes[i].Cordoned {
						s.t.Errorf("node %s, which a person closed, is taken for ours\n%s", n.Name, s.log.String())
					}
					p.Nodes[i].Cordoned, p.Nodes[i].CordonedByUs = closed, closed
					if !closed {
						p.Nodes[i].Quarantined = false // what the drain did is taken back with it
					}
				}
			}
		}
		s.schedule()
	case EvictPods:
		for range s.budget - s.moving() {
			for _, n := range a.Nodes {
				if s.pods[n.Name] == 0 || n.Quarantined {
					continue
				}
				s.pods[n.Name]--
				s.due = append(s.due, due{s.takes(tMove), moved})
				break
			}
		}
	case DeletePool:
		p := s.pool(a.Object)
		if a.UID != p.UID {
			s.t.Errorf("I1: deletes %s with UID %q, which is not its own", a.Object, a.UID)
		}
		p.Deleting, p.Failure = true, ""
		s.after(tDelete, func(s *story) {
			for _, n := range s.pool(a.Object).Nodes {
				s.pending += s.pods[n.Name]
				delete(s.pods, n.Name)
			}
			delete(s.created, a.Object)
			s.w.Pools = slices.DeleteFunc(s.w.Pools, func(p Pool) bool { return p.Object == a.Object })
			s.schedule()
		})
	}
}

// updating is a change of a pool's size or bounds on its way.
func (s *story) updating(p *Pool) {
	object, leaves := p.Object, p.Object != s.wanted
	p.Operation, p.Updated = "Updating", s.now
	s.after(tUpdate, func(s *story) {
		if p := s.pool(object); p != nil && p.Operation == "Updating" {
			p.Operation = ""
			if p.Failure = s.resizeFails; p.Failure != "" {
				p.FailureSince = s.now
				return
			}
			s.resized(p, leaves)
		}
	})
}

// resized is what Azure does about a fixed number: it makes machines, or takes
// some, whatever runs on them. What was asked for while the pool was wanted is a
// person's wish, whatever became of the pool since.
func (s *story) resized(p *Pool, leaves bool) {
	if p.Spec.Replicas == nil || p.Spec.Scaling != nil {
		return
	}
	want := int(*p.Spec.Replicas)
	if want > p.Members {
		s.boot(p.Object, want-p.Members)
	}
	for len(p.Nodes) > want {
		if n := p.Nodes[len(p.Nodes)-1]; s.pods[n.Name] > 0 && !p.DrainStarted.IsZero() && leaves {
			s.t.Errorf("I3: a node with %d pods is taken from pool %s, which leaves\n%s", s.pods[n.Name], p.Name, s.log.String())
		}
		s.leave(p, p.Nodes[len(p.Nodes)-1].Name)
	}
}

// leave takes a machine away; what ran on it waits for a place.
func (s *story) leave(p *Pool, name string) {
	p.Members--
	p.Nodes = slices.DeleteFunc(p.Nodes, func(n Node) bool { return n.Name == name })
	s.pending += s.pods[name]
	delete(s.pods, name)
	s.schedule()
}

// provisioned is Azure's answer to a pool that was asked for.
func (s *story) provisioned(object string) {
	p := s.pool(object)
	if p == nil {
		return
	}
	p.Operation = ""
	if p.Failure = s.provisionFails; p.Failure != "" {
		p.FailureSince = s.now
		return
	}
	p.Provisioned = true
	s.boot(object, int(*p.Size))
}

func moved(s *story) {
	s.pending++
	s.schedule()
}

// moving counts pods between two nodes.
func (s *story) moving() (n int) {
	for _, d := range s.due {
		if fmt.Sprintf("%p", d.do) == fmt.Sprintf("%p", moved) {
			n++
		}
	}
	return n
}
