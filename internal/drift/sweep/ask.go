package sweep

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/fleetwright/fleetwright/internal/azure/broker"
	"github.com/fleetwright/fleetwright/internal/azure/graph"
	"github.com/fleetwright/fleetwright/internal/azure/refusal"
)

const (
	// tries is how often a request that Azure does not answer for the moment is made.
	tries = 3
	// patience is how long it is let alone when it does not say; longest is how long at most: the next round comes anyway.
	patience = 5 * time.Second
	longest  = time.Minute
	// maxPages bounds an answer that never ends.
	maxPages = 100
)

// ask reads all rows about a batch, or fails as a whole: half an answer would make the rest look as if it were gone.
func (s *Sweeper) ask(ctx context.Context, t registered, b batch) ([]json.RawMessage, error) {
	// Nothing waits for a sweep: all others go first.
	ctx = broker.For(ctx, broker.Call{Priority: broker.PrioritySweep})
	if t.Query != nil {
		return s.query(ctx, graph.Query{Subscriptions: b.subscriptions, Text: t.Query(b.declared) + "\n| order by id asc"})
	}
	var all []json.RawMessage
	for _, c := range t.Lists(b.declared) {
		err := s.patiently(ctx, func() error {
			rows, err := s.options.Azure.Rows(ctx, c)
			all = append(all, rows...)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (s *Sweeper) query(ctx context.Context, q graph.Query) ([]json.RawMessage, error) {
	var all []json.RawMessage
	for range maxPages {
		var page graph.Page
		err := s.patiently(ctx, func() (err error) {
			page, err = s.options.Azure.Query(ctx, q)
			return err
		})
		if err != nil {
			return nil, err
		}
		all = append(all, page.Rows...)
		if page.Spent() && !s.until(ctx, s.options.Clock.Now().Add(min(page.ResetsAfter, longest))) {
			return nil, context.Cause(ctx)
		}
		if q.SkipToken = page.SkipToken; q.SkipToken == "" {
			if len(all) < page.Total {
				return nil, fmt.Errorf("the answer of Resource Graph has %d of %d rows", len(all), page.Total)
			}
			return all, nil
		}
	}
	return nil, fmt.Errorf("the answer of Resource Graph has more than %d pages", maxPages)
}

// patiently makes a request again when Azure asks for patience.
func (s *Sweeper) patiently(ctx context.Context, request func() error) error {
	var err error
	for range tries {
		if err = request(); err == nil {
			return nil
		}
		r, is := refusal.Of(err)
		if !is || r.Kind != refusal.Passing {
			return err
		}
		wait := r.RetryAfter
		if wait == 0 {
			wait = patience
		}
		if wait > longest || !s.until(ctx, s.options.Clock.Now().Add(wait)) {
			return err
		}
	}
	return err
}
