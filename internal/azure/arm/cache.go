package arm

import (
	"context"
	"maps"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
	"k8s.io/utils/clock"

	"github.com/fleetwright/fleetwright/internal/azure/broker"
)

// cache keeps answers for a while and lets those who ask for the same at the same time share one request. Errors are
// never kept.
type cache[V any] struct {
	clock   clock.PassiveClock
	keep    time.Duration
	flights singleflight.Group

	mu      sync.Mutex
	answers map[string]kept[V]
}

type kept[V any] struct {
	value     V
	at, until time.Time
}

func newCache[V any](c clock.PassiveClock, keep time.Duration) *cache[V] {
	return &cache[V]{clock: c, keep: keep, answers: map[string]kept[V]{}}
}

// get is the kept answer, if it is not older than since, or what fetch answers. A fetch goes on when the one who asked has gone: others may wait for it,
// and it ends by itself at the timeout.
func (c *cache[V]) get(ctx context.Context, key string, since time.Time, fetch func(context.Context) (V, error)) (V, error) {
	if value, found := c.fresh(key, since); found {
		return value, nil
	}
	// Nobody shares a request that may have been answered before what he asks about, or that waits for budget behind others he goes before.
	shared := key + "@" + since.UTC().Format(time.RFC3339Nano) + "@" + broker.CallOf(ctx).Priority.String()
	flight := c.flights.DoChan(shared, func() (any, error) {
		// The answer may have come between the look above and here.
		if value, found := c.fresh(key, since); found {
			return value, nil
		}
		asked := c.clock.Now()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
		defer cancel()
		value, err := fetch(ctx)
		if err == nil {
			c.store(key, value, asked)
		}
		return value, err
	})
	select {
	case <-ctx.Done():
		var none V
		return none, context.Cause(ctx)
	case answer := <-flight:
		return answer.Val.(V), answer.Err
	}
}

func (c *cache[V]) fresh(key string, since time.Time) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k, found := c.answers[key]
	if !found || k.at.Before(since) || !c.clock.Now().Before(k.until) {
		var none V
		return none, false
	}
	return k.value, true
}

func (c *cache[V]) store(key string, value V, asked time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.clock.Now()
	maps.DeleteFunc(c.answers, func(_ string, k kept[V]) bool { return !now.Before(k.until) })
	c.answers[key] = kept[V]{value, asked, now.Add(c.keep)}
}

// drop forgets an answer.
func (c *cache[V]) drop(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.answers, key)
}
