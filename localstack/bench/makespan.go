package main

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// turn is one drain that is to be done.
type turn struct {
	drainer       string
	repeat, place int
}

// turns lets every drainer run once per round, and begins each round with the next one, so that none is always first or always after the
// same. One that runs less often is missing in the later rounds.
func turns(drainers []string, repeats func(string) int) []turn {
	rounds := 0
	for _, name := range drainers {
		rounds = max(rounds, repeats(name))
	}
	var all []turn
	for r := range rounds {
		for i := range drainers {
			if name := drainers[(i+r)%len(drainers)]; r < repeats(name) {
				all = append(all, turn{drainer: name, repeat: r + 1, place: len(all) + 1})
			}
		}
	}
	return all
}

// stagger is how much later each lane begins, so that the evictions of the first moments, of pods without a wait, do not come all at once.
const stagger = 20 * time.Second

// makespans lets drainers empty a pool in turns. Lanes take the next turn when they are free. What was kept
// by an earlier run is not done again.
func (s *settings) makespans(ctx context.Context, part string, todo []turn, lanes int, kept *journal) (_ []drained, err error) {
	all, err := kept.done(todo, s.p1, s.seed)
	if err != nil {
		return nil, err
	}
	if len(all) > 0 {
		s.say("%d of %d drains were measured before", len(all), len(todo))
	}
	missing := slices.DeleteFunc(slices.Clone(todo), func(t turn) bool { return slices.ContainsFunc(all, func(d drained) bool { return d.is(t) }) })
	running, err := s.lanesFor(ctx, part, s.p1, min(lanes, len(missing)))
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
	var workers sync.WaitGroup
	for i, l := range running {
		workers.Go(func() {
			wait(ctx, time.Duration(float64(i)*s.p1.Scale*float64(stagger)))
			for t := range queue {
				d, err := l.drain(ctx, t.drainer)
				if err != nil {
					cancel(err)
					continue
				}
				d.Repeat, d.Place = t.repeat, t.place
				mu.Lock()
				all = append(all, d)
				if err := kept.add(d); err != nil {
					cancel(err)
				}
				s.say("%s %d of %d: %s took %.1f s, %.3f of the bound of %.1f s; %.2f evictions per pod, %.0f refused, %d violations, processors %.0f %% busy",
					part, len(all), len(todo), d.Drainer, d.MakespanSeconds, d.ratio(), d.BoundSeconds, d.evictionsPerPod(), d.refused(), len(d.Violations), 100*d.Busy)
				mu.Unlock()
			}
		})
	}
	for _, t := range missing {
		select {
		case queue <- t:
		case <-ctx.Done():
		}
	}
	close(queue)
	workers.Wait()
	return all, context.Cause(ctx)
}

func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
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
