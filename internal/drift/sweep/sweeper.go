package sweep

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/fleetwright/fleetwright/internal/azure/graph"
)

// DefaultEvery is the time between two looks at the same thing. With what Resource Graph is late by, 99 of 100 drifts are found within 5
// minutes; docs/benchmarks.md has what other times would cost.
const DefaultEvery = 150 * time.Second

// Rest is how long a controller leaves a thing alone by itself while sweeps look at it. It is for what Resource Graph was never told, and
// long, because it costs a request per thing: seven things of a cluster cost 0.04 requests an hour so, and 0.6 if they were looked at
// twice a day.
const Rest = 7 * 24 * time.Hour

// Options are what a Sweeper needs.
type Options struct {
	// Azure is the way to Azure of an identity, "" for the operator's own.
	Azure func(ctx context.Context, identity string) (graph.Azure, error)
	// Every is DefaultEvery when it is zero.
	Every time.Duration
	// Clock is the real one when it is nil.
	Clock clock.Clock
	Log   logr.Logger
}

// Sweeper looks at the things of all Targets again and again and wakes the controllers of those that look different. Targets are
// registered before it is started; the manager starts it, on the leader only.
type Sweeper struct {
	options Options
	targets []registered

	mu   sync.Mutex
	seen map[string]known
}

type registered struct {
	Target
	wake chan event.GenericEvent
}

// New makes a Sweeper without Targets.
func New(o Options) *Sweeper {
	if o.Every == 0 {
		o.Every = DefaultEvery
	}
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	return &Sweeper{options: o, seen: map[string]known{}}
}

// Register adds a Target. What it returns tells which objects should be looked at; Source makes a controller's source of it.
func (s *Sweeper) Register(t Target) <-chan event.GenericEvent {
	if t.Every == 0 {
		t.Every = s.options.Every
	}
	wake := make(chan event.GenericEvent)
	s.targets = append(s.targets, registered{t, wake})
	return wake
}

// Looked is told by a controller when it has read or written a thing itself and is done with it, with the time and whether the thing had
// drifted. Rows that are older wake it no more. at is Azure's time where the answer has one. It is told after what followed has
// succeeded: a look that led to nothing must not hide the drift.
func (s *Sweeper) Looked(id string, at time.Time, drifted bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen[idKey(id)] = known{at: at, drifted: drifted}
}

// Forget is told when an object is gone.
func (s *Sweeper) Forget(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.seen, idKey(id))
}

func (s *Sweeper) lookUp(key string) (known, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, found := s.seen[key]
	return k, found
}

// caughtUp notes what Resource Graph has shown, unless the thing was looked at again meanwhile.
func (s *Sweeper) caughtUp(shown map[string]time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, at := range shown {
		if k, found := s.seen[key]; found && k.at.Equal(at) {
			k.shown = true
			s.seen[key] = k
		}
	}
}

// NeedLeaderElection makes one replica sweep.
func (*Sweeper) NeedLeaderElection() bool { return true }

// Start sweeps until ctx ends.
func (s *Sweeper) Start(ctx context.Context) error {
	var all sync.WaitGroup
	for _, t := range s.targets {
		all.Go(func() { s.rounds(ctx, t) })
	}
	all.Wait()
	return nil
}

// rounds spreads the batches of a Target over the time between two looks, each at its own moment, so that requests come evenly and a
// thing is looked at again after Every. It begins at a moment of its own as well.
func (s *Sweeper) rounds(ctx context.Context, t registered) {
	log := s.options.Log.WithValues("target", t.Name)
	next := s.options.Clock.Now().Add(rand.N(t.Every))
	for s.until(ctx, next) {
		began := next
		next = began.Add(t.Every)
		declared, err := t.Declared(ctx)
		if err != nil {
			sweepsTotal.WithLabelValues(t.Name, resultFailed).Inc()
			log.Error(err, "What should be in Azure cannot be listed")
			continue
		}
		all := batches(declared, t.Row, graph.PageRows)
		for i, b := range all {
			if !s.until(ctx, began.Add(t.Every*time.Duration(i)/time.Duration(len(all)))) {
				return
			}
			s.sweep(ctx, log, t, b)
		}
		// A round that took longer is not made up for.
		if now := s.options.Clock.Now(); next.Before(now) {
			next = now
		}
	}
}

// until waits; false when ctx has ended.
func (s *Sweeper) until(ctx context.Context, at time.Time) bool {
	wait := at.Sub(s.options.Clock.Now())
	if wait <= 0 {
		return ctx.Err() == nil
	}
	timer := s.options.Clock.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C():
		return true
	}
}

// sweep asks about a batch and wakes whose things look different. What cannot be asked is unknown, and nobody is woken.
func (s *Sweeper) sweep(ctx context.Context, log logr.Logger, t registered, b batch) {
	rows, err := s.ask(ctx, t, b)
	if err != nil {
		if ctx.Err() == nil {
			sweepsTotal.WithLabelValues(t.Name, resultFailed).Inc()
			log.Error(err, "Azure cannot be asked what has changed; nothing is concluded", "subscriptions", b.subscriptions)
		}
		return
	}
	found := make(map[string]Found, len(rows))
	var unread error
	for _, row := range rows {
		read, err := t.Read(row)
		if err != nil {
			unread = fmt.Errorf("read a row: %w", err)
		}
		for _, f := range read {
			found[idKey(f.ID)] = f
		}
	}
	if unread != nil {
		sweepsTotal.WithLabelValues(t.Name, resultFailed).Inc()
		log.Error(unread, "Azure answers rows of another form; nothing is concluded", "subscriptions", b.subscriptions)
		return
	}
	v := judge(b.declared, found, s.lookUp, t.Rules, s.options.Clock.Now())
	s.caughtUp(v.shown)
	suspectsTotal.WithLabelValues(t.Name).Add(float64(len(v.wake)))
	sweepsTotal.WithLabelValues(t.Name, v.result()).Inc()
	if v.strange {
		log.Info("Most of what is declared looks different at once: a few are asked about first",
			"declared", len(b.declared), "different", v.suspects, "asked", len(v.wake), "subscriptions", b.subscriptions)
	}
	for _, object := range v.wake {
		select {
		case t.wake <- eventOf(object):
		case <-ctx.Done():
			return
		}
	}
}

func eventOf(object types.NamespacedName) event.GenericEvent {
	return event.GenericEvent{Object: &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Namespace: object.Namespace, Name: object.Name}}}
}
