package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/fleetwright/fleetwright/localstack/bench/cluster"
	"github.com/fleetwright/fleetwright/localstack/bench/drainer"
	"github.com/fleetwright/fleetwright/localstack/bench/record"
	"github.com/fleetwright/fleetwright/localstack/bench/workload"
)

// lane is one control plane with one workload, which is driven from one pool of nodes to the other and back.
type lane struct {
	*settings
	size
	number   int
	cluster  *cluster.Cluster
	services []workload.Service
	record   *record.Recorder
	pools    [2][]string
	// limit is how long a drain may take until the drainer is told to stop; 0 is for ever.
	limit time.Duration
	// at is the pool where the pods are.
	at   int
	stop context.CancelFunc
}

// settleLimit is how long the workload may take to get Ready when nothing is in its way.
const settleLimit = 15 * time.Minute

// noticeLimit is how much later than the drainer the record may see that the nodes are empty.
const noticeLimit = 10 * time.Second

func (s *settings) newLane(part string, size size, number int) (*lane, error) {
	l := &lane{settings: s, size: size, number: number}
	var err error
	if l.services, err = workload.Draw(workload.Shape{
		Pods: size.Pods, Services: size.Services, MaxReplicas: size.MaxReplicas, Namespaces: 8, Seed: s.seed, Scale: size.Scale,
	}); err != nil {
		return nil, err
	}
	l.cluster, err = cluster.Start(fmt.Sprintf("%s-%d", part, number), s.scratch)
	return l, err
}

// load brings the workload to the first pool and waits until all of it is Ready.
func (l *lane) load(ctx context.Context) error {
	if err := l.addPools(ctx); err != nil {
		return err
	}
	if err := l.cluster.Run(); err != nil {
		return err
	}
	if err := l.cluster.WaitNodes(ctx); err != nil {
		return fmt.Errorf("wait for nodes: %w", err)
	}
	l.watch(ctx)
	if err := l.cluster.Cordon(ctx, l.pools[0], false); err != nil {
		return err
	}
	if err := l.cluster.Apply(ctx, l.services); err != nil {
		return err
	}
	return l.settle(ctx)
}

func (l *lane) addPools(ctx context.Context) (err error) {
	for i, name := range []string{"a", "b"} {
		if l.pools[i], err = l.cluster.AddPool(ctx, name, l.Nodes); err != nil {
			return err
		}
	}
	return nil
}

func (l *lane) watch(ctx context.Context) {
	ctx, l.stop = context.WithCancel(ctx)
	l.record = record.Start(ctx, l.cluster.Client, l.services)
}

func (l *lane) close() {
	if l.stop != nil {
		l.stop()
	}
	l.cluster.Close()
}

func (l *lane) settle(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, settleLimit, errors.New("the workload does not get Ready"))
	defer cancel()
	return l.record.WaitSettled(ctx)
}

// drain lets one drainer empty the pool where the pods are, and then waits until all of them are Ready on the other.
func (l *lane) drain(ctx context.Context, name string) (drained, error) {
	from := l.pools[l.at]
	if err := l.turn(ctx); err != nil {
		return drained{}, err
	}
	bound, whose := workload.Bound(l.services)
	d := drained{
		Drainer: name, Lane: l.number, Seed: l.seed, Size: l.size, BoundSeconds: bound.Seconds(), BoundOf: whose.String(),
		BoundLinks: whose.Rounds(),
	}
	// A drainer that takes far too long is killed, which counts as giving up.
	limited, cancel := context.WithTimeout(ctx, 30*bound+settleLimit)
	defer cancel()
	p, err := drainer.Spawn(limited, l.cluster.Kubeconfig, filepath.Join(l.scratch, "drainer.log"))
	if err != nil {
		return d, err
	}
	l.record.Begin(from)
	busy := processorsBusy()
	job := drainer.Job{
		Drainer: name, Nodes: l.cluster.Refs(from), Scale: l.Peers, LimitSeconds: l.limit.Seconds(), CPUProfile: l.profiles.cpu, AllocProfile: l.profiles.alloc,
	}
	began := time.Now()
	if err := p.Do(job); err != nil {
		return d, err
	}
	if err := l.until(ctx, p, &d); err != nil {
		return d, err
	}
	d.Busy = processorsBusy().since(busy)
	d.took(l.record.Run(), began)
	if d.TimeIsUp {
		return d, nil
	}
	if d.Error != "" {
		l.say("%s did not finish: %s", name, d.Error)
		return d, l.finish(ctx, from)
	}
	return d, l.settle(ctx)
}

// turn closes the pool where the pods are and opens the other. That comes before the drain for every drainer, because pods would hop from
// old node to old node otherwise.
func (l *lane) turn(ctx context.Context) error {
	from := l.pools[l.at]
	l.at = 1 - l.at
	if err := l.cluster.Cordon(ctx, l.pools[l.at], false); err != nil {
		return err
	}
	return l.cluster.Cordon(ctx, from, true)
}

// until waits for the nodes to be empty and for the drainer to notice. One that gives up leaves its error in the result.
func (l *lane) until(ctx context.Context, p *drainer.Process, d *drained) error {
	waiting, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	reported := make(chan error, 1)
	go func() {
		report, err := p.Wait()
		d.used(report)
		d.TimeIsUp = report.TimeIsUp
		if err != nil {
			stop(err)
		} else {
			time.AfterFunc(noticeLimit, func() { stop(fmt.Errorf("%s says that it is done", d.Drainer)) })
		}
		reported <- err
	}()
	empty := l.record.WaitEmpty(waiting)
	if err := <-reported; err != nil {
		d.Error = err.Error()
		return ctx.Err()
	}
	return empty
}

// finish moves what a drainer that gave up has left.
func (l *lane) finish(ctx context.Context, from []string) error {
	p, err := drainer.Spawn(ctx, l.cluster.Kubeconfig, filepath.Join(l.scratch, "drainer.log"))
	if err != nil {
		return err
	}
	if err := p.Do(drainer.Job{Drainer: "ours-level", Nodes: l.cluster.Refs(from), Scale: 1}); err != nil {
		return err
	}
	if _, err := p.Wait(); err != nil {
		return err
	}
	return l.settle(ctx)
}
