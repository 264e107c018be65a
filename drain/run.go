package drain

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

const (
	// together is how many evictions outside budgets one decision gives out; the pace bounds how fast they go.
	together = 50
	// breath is the shortest time between two decisions about one group, and breathShare how many times as long as the
	// decision took it is, so that many thousand pods in one never fill a processor.
	breath      = 10 * time.Millisecond
	breathShare = 5
	// patience is how long a decision holds if nothing moves, unless it depends on a moment that comes earlier.
	patience = 5 * time.Second
)

// run is one drain of a Watcher. Each group of pods that depend on each other is decided about by itself, when something in it
// moved.
type run struct {
	nodes   []NodeRef
	policy  Policy
	report  func(Plan)
	session *session
	follows []*follower
	// whole says that the order of some pods ties all groups together, so that they are decided about at once.
	whole   bool
	sending sync.WaitGroup
	on      map[string]types.UID
	woken   chan struct{}
	// The mirror's lock guards these: the groups that are decided about, those in which something moved since, whether it may
	// be any of them, and the number of evictions without an answer.
	parts  map[*group]*part
	moved  map[*group]bool
	all    bool
	flying int

	// watched are the nodes to empty as the mirror had them when one moved last, open those that take pods, and left how many
	// pods are left on each.
	watched map[string]Node
	open    []Node
	left    map[string]int
	told    Plan
	toldAt  time.Time
}

// part is the plan for one group, or for all of them if the run is whole.
type part struct {
	plan Plan
	// sent are the evictions of the plan that are on their way or over.
	sent map[types.UID]bool
	// due is when it is decided anew without being woken, notBefore when at the earliest.
	due, notBefore time.Time
}

// leaves notes that an eviction was sent, after which the part is soon due.
func (p *part) leaves(uid types.UID, now time.Time) {
	if p.sent == nil {
		p.sent = map[types.UID]bool{}
	}
	p.sent[uid] = true
	p.due = now.Add(cmp.Or(p.plan.CheckAgain, patience))
}

func newRun(nodes []NodeRef, policy Policy, report func(Plan)) *run {
	r := &run{
		nodes: nodes, policy: policy, report: report,
		on: map[string]types.UID{}, woken: make(chan struct{}, 1),
		moved: map[*group]bool{}, all: true, parts: map[*group]*part{},
	}
	r.policy.MaxUnbudgeted = together
	for _, n := range nodes {
		r.on[n.Name] = n.UID
	}
	r.whole = slices.ContainsFunc(policy.Rules, func(rule Rule) bool { return rule.Order != 0 })
	return r
}

// drain looks again and again until the nodes are empty.
func (r *run) drain(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer r.sending.Wait()
	defer cancel()
	for {
		next, err := r.look(ctx)
		if err != nil {
			return err
		}
		if r.told.Empty {
			return nil
		}
		timer := time.NewTimer(next)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-r.woken:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// look decides about what moved, sends what may go, reports, and returns the time until the next look.
func (r *run) look(ctx context.Context) (time.Duration, error) {
	now := time.Now()
	seen, err := r.observe(now)
	if err != nil {
		return 0, err
	}
	for _, g := range seen.moved {
		r.decide(g, now)
	}
	next := seen.next
	if seen.trouble == nil {
		next = min(next, r.send(ctx, now))
	}
	for _, p := range r.parts {
		next = min(next, p.due.Sub(now))
	}
	next = min(next, r.tell(seen, now))
	return max(next, time.Millisecond), nil
}

// decide decides anew about a group, or forgets it when no pod of it is left on the nodes.
func (r *run) decide(g *group, now time.Time) {
	began := time.Now()
	snapshot, flying, found := r.snapshot(g, now)
	if !found {
		return
	}
	snapshot.sort()
	d := newDecision(snapshot, r.policy, now)
	if g != everything {
		d.leftOn = r.left
	}
	plan := d.decide()
	p := &part{plan: plan, due: now.Add(r.unprompted(d, flying)), notBefore: now.Add(max(breath, breathShare*time.Since(began)))}
	s := r.session
	s.mu.Lock()
	defer s.mu.Unlock()
	r.parts[g] = p
}

// unprompted is when to decide anew although nothing moved. What moves is told by watches; this is for what passes with time.
func (r *run) unprompted(d *decision, flying bool) time.Duration {
	wait := max(patience, d.plan.CheckAgain)
	if flying {
		wait = min(wait, r.policy.LookAgain) // its answer may be all there is to come
	}
	if d.hold.left > 0 {
		wait = min(wait, d.hold.left)
	}
	for _, b := range d.Budgets {
		for _, e := range b.Disrupted {
			if left := countsWithin - d.now.Sub(e.At); left > 0 {
				wait = min(wait, left)
			}
		}
	}
	return wait
}

// send starts what may go, the longest chain first, and returns when it should be called again because the pace was the
// limit. What was decided before something moved is not sent: it is decided anew first.
func (r *run) send(ctx context.Context, now time.Time) time.Duration {
	s := r.session
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.all {
		return 0 // a node moved since, or a watch broke
	}
	if wait := s.pausedUntil.Sub(now); wait > 0 {
		return wait
	}
	if s.flying >= s.options.Parallel {
		return time.Hour // an answer wakes us
	}
	if wait := s.untilPace(now); wait > 0 {
		return wait
	}
	for _, e := range r.ready() {
		switch {
		case s.flying >= s.options.Parallel:
			return time.Hour // an answer wakes us
		case s.underWay(*e.Eviction, r.policy.WaitFor):
			continue
		case !s.pace.AllowN(now, 1):
			return s.untilPace(now)
		}
		s.depart(*e.Eviction)
		e.part.leaves(e.UID, now)
		r.flying++
		r.sending.Go(func() {
			answer := evictOne(ctx, s.client, *e.Eviction, s.options.Timeout)
			if s.options.Answered != nil {
				s.options.Answered(answer)
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			r.flying--
			s.arrive(answer, e.group, ctx.Err() != nil, time.Now())
		})
	}
	return time.Hour
}

// departure is an eviction with its group and the part that decided on it.
type departure struct {
	*Eviction
	group *group
	part  *part
}

// ready are the evictions of all parts that were decided on and not sent.
func (r *run) ready() []departure {
	var ready []departure
	for g, p := range r.parts {
		if r.moved[g] {
			continue
		}
		for i := range p.plan.Evict {
			if e := &p.plan.Evict[i]; !p.sent[e.UID] {
				ready = append(ready, departure{e, g, p})
			}
		}
	}
	slices.SortFunc(ready, func(a, b departure) int { return compareEvictions(*a.Eviction, *b.Eviction) })
	return ready
}

// compareEvictions puts the longest chain first.
func compareEvictions(a, b Eviction) int {
	return cmp.Or(cmp.Compare(b.chain, a.chain), strings.Compare(a.Budget, b.Budget), compareKeys(a.Pod, a.UID, b.Pod, b.UID))
}
