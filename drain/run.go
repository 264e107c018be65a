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
	// breath is the shortest time between two decisions about one namespace, and breathShare how many times as long as
	// the look that decided it is, so that many thousand pods never fill a processor.
	breath      = 10 * time.Millisecond
	breathShare = 5
)

// run is one drain of a Watcher. Budgets, controllers and their pods live in one namespace, so each namespace is decided
// about by itself, when something in it moved.
type run struct {
	nodes   []NodeRef
	policy  Policy
	report  func(Plan)
	session *session
	follows []*follower
	// whole says that the order of some pods ties namespaces together, so that all are decided about at once.
	whole   bool
	sending sync.WaitGroup
	on      map[string]types.UID
	woken   chan struct{}
	// The mirror's lock guards these: the namespaces that are decided about, those in which something moved since, whether
	// it may be any of them, and the number of evictions without an answer.
	rooms  map[string]bool
	moved  map[string]bool
	all    bool
	flying int

	parts  map[string]*part
	told   Plan
	toldAt time.Time
}

// part is the plan for one namespace, or for all of them if the run is whole.
type part struct {
	plan Plan
	// sent are the evictions of the plan that are on their way or over.
	sent map[types.UID]bool
	// due is when it is decided anew without being woken, notBefore when at the earliest.
	due, notBefore time.Time
}

func newRun(nodes []NodeRef, policy Policy, report func(Plan)) *run {
	r := &run{
		nodes: nodes, policy: policy, report: report,
		on: map[string]types.UID{}, woken: make(chan struct{}, 1),
		rooms: map[string]bool{}, moved: map[string]bool{}, all: true, parts: map[string]*part{},
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
	for namespace, snapshot := range seen.snapshots {
		plan := Decide(snapshot, r.policy, now)
		r.parts[namespace] = &part{plan: plan, sent: map[types.UID]bool{}, due: now.Add(cmp.Or(plan.CheckAgain, time.Hour))}
	}
	spent := time.Since(now)
	for namespace := range seen.snapshots {
		r.parts[namespace].notBefore = now.Add(max(breath, breathShare*spent))
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
	for _, e := range r.ready() {
		switch {
		case s.flying >= s.options.Parallel:
			return time.Hour // an answer wakes us
		case s.underWay(e.Eviction, r.policy.WaitFor):
			continue
		case !s.pace.AllowN(now, 1):
			return time.Duration((1 - s.pace.TokensAt(now)) / s.options.Pace * float64(time.Second))
		}
		s.depart(e.Eviction)
		e.part.sent[e.UID] = true
		r.flying++
		r.sending.Go(func() {
			answer := evictOne(ctx, s.client, e.Eviction, s.options.Timeout)
			if s.options.Answered != nil {
				s.options.Answered(answer)
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			r.flying--
			s.arrive(answer, ctx.Err() != nil, time.Now())
		})
	}
	return time.Hour
}

// departure is an eviction and the part that decided on it.
type departure struct {
	Eviction
	part *part
}

// ready are the evictions of all parts that were decided on and not sent.
func (r *run) ready() []departure {
	var ready []departure
	for namespace, p := range r.parts {
		if r.moved[namespace] {
			continue
		}
		for _, e := range p.plan.Evict {
			if !p.sent[e.UID] {
				ready = append(ready, departure{e, p})
			}
		}
	}
	slices.SortFunc(ready, func(a, b departure) int { return compareEvictions(a.Eviction, b.Eviction) })
	return ready
}

// compareEvictions puts the longest chain first.
func compareEvictions(a, b Eviction) int {
	return cmp.Or(cmp.Compare(b.chain, a.chain), strings.Compare(a.Budget, b.Budget), compareKeys(a.Pod, a.UID, b.Pod, b.UID))
}
