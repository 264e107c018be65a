package drain

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
)

// session is the time in which a Watcher has drains: its watches, what they told, and the evictions under way.
type session struct {
	client    kubernetes.Interface
	options   Options
	pace      *rate.Limiter
	ctx       context.Context
	stop      context.CancelFunc
	followers sync.WaitGroup

	// The lock of the mirror guards what follows.
	*mirror
	runs      map[*run]bool
	following map[string]*follower
	// flights are evictions that were sent and do not show in the mirror yet.
	flights map[types.UID]*flight
	// flying counts the flights without an answer.
	flying   int
	refusals []Refusal
	// Nothing is sent before pausedUntil; unanswered counts the requests without an answer since the last one that had any.
	pausedUntil time.Time
	unanswered  int
}

func newSession(client kubernetes.Interface, options Options, pace *rate.Limiter) *session {
	s := &session{
		client: client, options: options, pace: pace,
		runs: map[*run]bool{}, following: map[string]*follower{}, flights: map[types.UID]*flight{},
	}
	// It outlives the drain that began it: others may have joined.
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.mirror = newMirror(s.wake, s.count)
	return s
}

// join follows what the run needs, and wakes it from now on.
func (s *session) join(r *run) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.session = s
	s.runs[r] = true
	for _, kind := range kindsFor(r.policy) {
		f := s.following[kind]
		if f == nil {
			f = newFollower(s.mirror, s.client, kind)
			s.following[kind] = f
			s.followers.Go(func() { f.run(s.ctx) })
		}
		r.follows = append(r.follows, f)
	}
}

// leave says whether this was the last run.
func (s *session) leave(r *run) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.runs, r)
	return len(s.runs) == 0
}

func (s *session) close() {
	s.stop()
	s.followers.Wait()
}

// untilPace is how long the pace lets nothing more be sent.
func (s *session) untilPace(now time.Time) time.Duration {
	return time.Duration((1 - s.pace.TokensAt(now)) / s.options.Pace * float64(time.Second))
}

// wake tells the runs that something moved. It is called with the lock held.
func (s *session) wake(g *group, nodes ...string) {
	for r := range s.runs {
		r.note(g, nodes)
	}
}
