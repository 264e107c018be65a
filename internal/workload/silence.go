package workload

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// A silent cluster costs a worker pagePatience whenever it is asked. It is asked
// again after firstSilence, and after each further attempt twice as late, up to
// longestSilence.
const (
	firstSilence   = time.Minute
	longestSilence = 4 * time.Minute
)

// UnansweredError says that a cluster has let requests run into their timeout.
// It is remembered, and costs no request until Again. A cluster that refuses
// connections, or answers with an error, is not silent: asking it costs nothing.
type UnansweredError struct {
	// Since is when the first attempt without an answer began, Again when there is
	// the next.
	Since, Again time.Time
	// Cause is how the last attempt ended.
	Cause error
}

func (e *UnansweredError) Error() string {
	return fmt.Sprintf("no answer since %s, asked again at %s: %v", e.Since.UTC().Format(time.RFC3339), e.Again.UTC().Format(time.RFC3339), e.Cause)
}

func (e *UnansweredError) Unwrap() error { return e.Cause }

// settle takes down how an attempt ended: the first answer ends a silence, and
// an attempt without one begins it or makes it longer.
func (c *Clusters) settle(ctx context.Context, cluster types.NamespacedName, a *attempt) {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer close(a.done)
	a.finished = true
	if a.err != nil {
		c.drop(cluster)
	}
	k := c.known[cluster]
	if k == nil {
		k = &knowledge{}
		c.known[cluster] = k
	}
	if a.probe {
		k.probing = false
	}
	switch {
	case a.err == nil:
		k.silence, k.attempts = nil, 0
	case ctx.Err() != nil:
		a.abandoned = true
	case !unanswered(a.err):
		k.silence, k.attempts = nil, 0
	case k.silence != nil && !a.probe:
		// It began together with one that has been counted.
		a.err = k.silence
	default:
		a.err = k.prolong(a, c.clock.Now())
	}
}

func (k *knowledge) prolong(a *attempt, now time.Time) *UnansweredError {
	since := a.begun
	if k.silence != nil {
		since = k.silence.Since
	}
	pause := min(firstSilence<<min(k.attempts, 8), longestSilence)
	k.attempts++
	k.silence = &UnansweredError{Since: since, Again: now.Add(pause), Cause: a.err}
	return k.silence
}

// unanswered tells an error that took a timeout from one that came at once.
func unanswered(err error) bool {
	var network net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &network) && network.Timeout() ||
		errors.Is(err, syscall.EHOSTUNREACH) || errors.Is(err, syscall.ENETUNREACH)
}
