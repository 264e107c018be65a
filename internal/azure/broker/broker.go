package broker

import (
	"context"
	"fmt"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/fleetwright/fleetwright/internal/azure/refusal"
)

const (
	// patience is how long a request waits for budget at most. Who would wait longer comes back by itself: a worker that is
	// held here serves no cluster of another subscription.
	patience = 5 * time.Second

	// CodeBudgetSpent and CodeChangeUnderWay are the codes of refusals that are the broker's own.
	CodeBudgetSpent    = "BudgetSpent"
	CodeChangeUnderWay = "ChangeUnderWay"
)

// Broker is the budget of all identities of one process. It is safe for concurrent use.
type Broker struct {
	clock   clock.WithDelayedExecution
	metrics metrics

	mu   sync.Mutex
	line *line
	// timer is the next look at the line, nil for none.
	timer clock.Timer
	at    time.Time
}

// New makes a Broker whose buckets are full: what was spent before is not known, and Azure tells with its first answers. A
// nil clock is the real one.
func New(c clock.WithDelayedExecution) *Broker {
	if c == nil {
		c = clock.RealClock{}
	}
	return &Broker{clock: c, line: newLine(), metrics: newMetrics()}
}

// enter waits until a request may go. The error is a refusal, or the end of ctx.
func (b *Broker) enter(ctx context.Context, call Call, t target) (*ticket, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	b.mu.Lock()
	ticket := b.line.ask(b.clock.Now(), call, t, patienceOf(ctx))
	b.look()
	b.mu.Unlock()
	select {
	case <-ticket.done:
	case <-ctx.Done():
		if b.withdraw(ticket) {
			return nil, context.Cause(ctx)
		}
	}
	if ticket.answer.refused {
		return nil, ticket.refusal()
	}
	return ticket, nil
}

// patienceOf leaves Azure at least as much time for its answer as was waited: a write that is given up while Azure works
// on it has happened or not, and nobody knows. Deadlines are of the runtime's clock, whatever that of the broker is.
func patienceOf(ctx context.Context) time.Duration {
	deadline, set := ctx.Deadline()
	if !set {
		return patience
	}
	return min(patience, time.Until(deadline)/2)
}

// withdraw is for one who has gone; false when it was answered before.
func (b *Broker) withdraw(t *ticket) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if t.answer != nil {
		return false
	}
	b.line.leave(t)
	b.look()
	return true
}

// leave is called once for each request that was let through, with what Azure answered.
func (b *Broker) leave(t *ticket, r reply) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if shut := b.line.learn(b.clock.Now(), t, r); shut != nil {
		b.metrics.throttled(shut)
	}
	b.line.end(t)
	b.look()
}

// look lets through who can go and sees to the next look. b.mu is held.
func (b *Broker) look() {
	now := b.clock.Now()
	decided, again := b.line.advance(now)
	for _, t := range decided {
		b.metrics.decided(t)
		close(t.done)
	}
	if again.Equal(b.at) {
		return
	}
	if b.timer != nil {
		b.timer.Stop()
		b.timer = nil
	}
	if b.at = again; again.IsZero() {
		return
	}
	// By another goroutine: a fake clock calls while it holds its lock.
	b.timer = b.clock.AfterFunc(again.Sub(now), func() { go b.lookAgain(again) })
}

func (b *Broker) lookAgain(at time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.at.Equal(at) {
		b.at, b.timer = time.Time{}, nil
	}
	b.look()
}

// refusal says to a controller what it waits for, and when to come back.
func (t *ticket) refusal() *refusal.Error {
	a := t.answer
	if a.busy {
		return &refusal.Error{Kind: refusal.Busy, Doing: "ask Azure", Code: CodeChangeUnderWay, Message: "another change of this cluster is being sent"}
	}
	return &refusal.Error{
		Kind: refusal.Passing, Doing: "ask Azure", Code: CodeBudgetSpent, RetryAfter: max(a.wait.Round(time.Second), time.Second),
		Message: fmt.Sprintf("the budget %s of requests to Azure is spent, and %d others wait for it", a.bucket.limit.name, a.before),
	}
}
