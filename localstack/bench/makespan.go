package main

import (
	"context"
	"errors"
	"sync"
	"time"
)

// turn is one drain that is to be done.
type turn struct {
	drainer       string
	repeat, place int
}

// turns lets every drainer run once per round, and begins each round with the next one, so that none is always first or always after the same.
func turns(drainers []string, repeats int) []turn {
	var all []turn
	for r := range repeats {
		for i := range drainers {
			all = append(all, turn{drainer: drainers[(i+r)%len(drainers)], repeat: r + 1, place: len(all) + 1})
		}
	}
	return all
}

// makespans lets each drainer empty a pool several times. Lanes take the next turn when they are free.
func (s *settings) makespans(ctx context.Context, part string, size size, drainers []string, repeats, lanes int) (_ []drained, err error) {
	todo := turns(drainers, repeats)
	running, err := s.lanesFor(ctx, part, size, min(lanes, len(todo)))
	defer func() {
		for _, l := range running {
			l.close()
		}
	}()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	queue := make(chan turn)
	var mu sync.Mutex
	var all []drained
	var workers sync.WaitGroup
	for _, l := range running {
		workers.Go(func() {
			for t := range queue {
				d, err := l.drain(ctx, t.drainer)
				if err != nil {
					cancel(err)
					continue
				}
				d.Repeat, d.Place = t.repeat, t.place
				mu.Lock()
				all = append(all, d)
				s.say("%s %d of %d: %s took %.1f s, %.3f of the bound of %.1f s; %.2f evictions per pod, %.0f refused, %d violations, processors %.0f %% busy",
					part, len(all), len(todo), d.Drainer, d.MakespanSeconds, d.ratio(), d.BoundSeconds, d.evictionsPerPod(), d.refused(), len(d.Violations), 100*d.Busy)
				mu.Unlock()
			}
		})
	}
	for _, t := range todo {
		select {
		case queue <- t:
		case <-ctx.Done():
		}
	}
	close(queue)
	workers.Wait()
	return all, context.Cause(ctx)
}

// lanesFor starts control planes one after the other and loads them all at once.
func (s *settings) lanesFor(ctx context.Context, part string, size size, n int) ([]*lane, error) {
	s.say("Starting %d control planes with %d nodes and %d pods each ...", n, 2*size.Nodes, size.Pods)
	began := time.Now()
	var lanes []*lane
	for i := range n {
		l, err := s.newLane(part, size, i+1)
		if err != nil {
			return lanes, err
		}
		lanes = append(lanes, l)
	}
	errs := make([]error, n)
	var loading sync.WaitGroup
	for i, l := range lanes {
		loading.Go(func() { errs[i] = l.load(ctx) })
	}
	loading.Wait()
	s.say("All pods are Ready after %.0f s", time.Since(began).Seconds())
	return lanes, errors.Join(errs...)
}
