package main

import (
	"context"
	"errors"
	"time"

	"github.com/fleetwright/fleetwright/localstack/bench/workload"
)

// takers is one new node for how many old ones in the large drain: enough for their pods, with room for surges.
const takers = 3

// large is one drain of many nodes by ours. The pods are put on their nodes and made Ready directly, before any controller runs.
func (s *settings) large(ctx context.Context) ([]drained, error) {
	l, err := s.newLane(partScale, s.scale, 1)
	if err != nil {
		return nil, err
	}
	defer l.close()
	for i := range l.services {
		l.services[i].Kind = workload.ReplicaSet
	}
	s.say("Creating %d nodes and %d pods ...", l.Nodes, l.Pods)
	began := time.Now()
	if l.pools[0], err = l.cluster.AddPool(ctx, "a", l.Nodes); err != nil {
		return nil, err
	}
	if l.pools[1], err = l.cluster.AddPool(ctx, "b", (l.Nodes+takers-1)/takers); err != nil {
		return nil, err
	}
	if err := l.cluster.ApplyRunning(ctx, l.services, l.pools[0]); err != nil {
		return nil, err
	}
	if err := l.cluster.Run(); err != nil {
		return nil, err
	}
	if err := l.cluster.WaitNodes(ctx); err != nil {
		return nil, err
	}
	l.watch(ctx)
	if err := l.settle(ctx); err != nil {
		return nil, err
	}
	l.limit = s.scaleFor
	s.say("All pods are Ready after %.0f s", time.Since(began).Seconds())
	d, err := l.drain(ctx, "ours")
	if err == nil && d.Error != "" && !d.TimeIsUp {
		err = errors.New(d.Error)
	}
	d.Repeat, d.Place = 1, 1
	s.say("scale: ours took %.1f s (0: was stopped), evicted %d of %d pods, bound of the budgets %.1f s; calls %v; memory %.0f MiB over idle, heap %.0f MiB, CPU %.1f s; %d violations, processors %.0f %% busy",
		d.MakespanSeconds, d.granted(), d.Pods, d.BoundSeconds, d.Calls, d.PeakRSS-d.IdleRSS, d.PeakHeap, d.CPUSeconds, len(d.Violations), 100*d.Busy)
	return []drained{d}, err
}
