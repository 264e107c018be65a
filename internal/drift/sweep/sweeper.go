package sweep

import (
	"sync"
	"time"

	"github.com/go-logr/logr"
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
	// Azure is the way to Azure by the operator's own identity, which needs the right to read what is declared.
	Azure graph.Azure
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
	// unreadable are the subscriptions that could not be read last. They are only told of when that changes.
	unreadable map[string]bool
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
	s.targets = append(s.targets, registered{t, wake, map[string]bool{}})
	return wake
}

// Looked is told by a controller when it has read or written a thing itself and is done with it, with the time and what came of it. Rows
// that are older wake it no more. It is told after what followed has succeeded: a look that led to nothing must not hide the drift; see
// Later.
func (s *Sweeper) Looked(id string, at time.Time, outcome Outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := idKey(id)
	was := s.seen[key]
	s.seen[key] = known{at: at, outcome: outcome, woken: was.woken, pause: was.pause}
}

// Later is told by a controller that could not finish a look, and comes back by itself at a time: until then no row wakes it.
func (s *Sweeper) Later(id string, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := idKey(id)
	k := s.seen[key]
	k.until = until
	s.seen[key] = k
}

// Forget is told when an object is gone.
func (s *Sweeper) Forget(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.seen, idKey(id))
}

func (s *Sweeper) lookUp(key string) known {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen[key]
}

// hide notes since when things cannot be seen, where no look is known that tells as much.
func (s *Sweeper) hide(declared []Declared, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range declared {
		if key := idKey(d.ID); !s.seen[key].met() {
			k := s.seen[key]
			k.hidden = now
			s.seen[key] = k
		}
	}
}

// note keeps what an answer has taught. A row says nothing about a look that was made meanwhile.
func (s *Sweeper) note(v verdict, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, agreed := range v.agreed {
		if k, found := s.seen[key]; found && k.at.Equal(agreed.at) {
			s.seen[key] = k.afterRow(agreed.asDeclared)
		}
	}
	for _, w := range v.wake {
		s.seen[w.key] = s.seen[w.key].afterWake(w.news, now)
	}
}
