package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"time"

	"github.com/fleetwright/fleetwright/hack/benchmarks/measurement"
)

const titleLocalstack = "Local stack: start, memory and idle load"

// soakSample is how often memory is looked at while nothing happens.
const soakSample = 30 * time.Second

// stackRun are the settings of one measurement of the local stack.
type stackRun struct {
	*bench
	repeats, clusters    int
	settle, window, soak time.Duration

	figures []measurement.Figure
}

func measureLocalstack(ctx context.Context, b *bench, args []string) ([]measurement.Measurement, error) {
	r := &stackRun{bench: b}
	flags := flag.NewFlagSet("bench localstack", flag.ContinueOnError)
	flags.SetOutput(b.progress)
	flags.IntVar(&r.repeats, "repeats", 5, "how often the stack is started")
	flags.IntVar(&r.clusters, "clusters", 10, "the greater number of workload clusters")
	flags.DurationVar(&r.settle, "settle", 150*time.Second, "how long nothing happens before memory is read; Go gives memory back after minutes")
	flags.DurationVar(&r.window, "window", time.Minute, "over how long idle load is measured")
	flags.DurationVar(&r.soak, "soak", 0, "also watch the memory of the idle stack for so long")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if r.clusters < 2 {
		return nil, errors.New("-clusters is at least 2: one cluster is always measured")
	}
	m := b.measured("localstack", titleLocalstack, "make bench-localstack", r.repeats)
	m.Note = fmt.Sprintf("Each cluster is that of `examples/cluster-and-nodepools`: a real kube-apiserver with controllers and a scheduler, %d node pools, %d nodes, no "+
		"workload. The stack is one process: all API servers, etcd, Cluster API, the provider and the simulated Azure; the operator is another. Memory and "+
		"idle load are from one run, memory %s after the last change. 1000 m is one core.", poolsPerCluster, nodesPerCluster, r.settle)
	if err := r.starts(ctx); err != nil {
		return nil, err
	}
	if err := r.grows(ctx); err != nil {
		return nil, err
	}
	m.Figures = r.figures
	return []measurement.Measurement{m}, nil
}

// starts times empty stacks.
func (r *stackRun) starts(ctx context.Context) error {
	var start, stop []float64
	for i := range r.repeats {
		s, err := startStack(ctx, filepath.Join(r.scratch, fmt.Sprintf("start-%d", i)))
		if err != nil {
			return err
		}
		began := time.Now()
		if err := s.stop(); err != nil {
			return err
		}
		start, stop = append(start, s.readyAfter.Seconds()), append(stop, time.Since(began).Seconds())
		r.say("Start %d of %d: ready after %.1f s, ended after %.1f s", i+1, r.repeats, start[i], stop[i])
	}
	r.figures = append(r.figures,
		median("Start of an empty stack until it is ready", start, "s", "management API server with Cluster API, simulated Azure, provider and operator"),
		median("End of an empty stack", stop, "s", ""))
	return nil
}

// grows measures one stack with more and more clusters.
func (r *stackRun) grows(ctx context.Context) (err error) {
	root := filepath.Join(r.scratch, "fleet")
	s, err := startStack(ctx, root)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	f, err := newFleet(s.kubeconfig())
	if err != nil {
		return err
	}
	first, err := r.grow(ctx, f, 1)
	if err != nil {
		return err
	}
	r.add(figure("The first workload cluster until its node pools are ready", first.Seconds(), "s", "of which the simulated Azure takes 6 s for the control plane, 4 s for a pool and 3 s for a node"))
	if err := r.idle(ctx, s, "1 cluster"); err != nil {
		return err
	}
	more, err := r.grow(ctx, f, r.clusters-1)
	if err != nil {
		return err
	}
	r.add(figure(fmt.Sprintf("%d more clusters at once until all are ready", r.clusters-1), more.Seconds(), "s", ""))
	if err := r.idle(ctx, s, fmt.Sprintf("%d clusters", r.clusters)); err != nil {
		return err
	}
	if err := r.soaks(ctx, s); err != nil {
		return err
	}
	last, err := r.grow(ctx, f, 1)
	if err != nil {
		return err
	}
	r.add(figure(fmt.Sprintf("Cluster %d until its node pools are ready", f.size), last.Seconds(), "s", "beside the others"))
	if err := s.stop(); err != nil {
		return err
	}
	again, err := startStack(ctx, root)
	if err != nil {
		return err
	}
	r.add(figure(fmt.Sprintf("Start of a stack that has %d clusters", f.size), again.readyAfter.Seconds(), "s", "the management cluster is ready; the workload clusters follow"))
	return again.stop()
}

func (r *stackRun) add(figures ...measurement.Figure) { r.figures = append(r.figures, figures...) }

func (r *stackRun) grow(ctx context.Context, f *fleet, n int) (time.Duration, error) {
	r.say("Creating %d clusters ...", n)
	took, err := f.grow(ctx, n)
	if err == nil {
		r.say("%d clusters are ready after %.1f s", f.size, took.Seconds())
	}
	return took, err
}

// load is what was seen of the two processes over a while.
type load struct {
	stackMemory, operatorMemory memory
	stack, operator             time.Duration
	requests                    requests
}

// idle lets the stack rest and then reads its memory and what it does meanwhile.
func (r *stackRun) idle(ctx context.Context, s *stackProcess, with string) error {
	r.say("Letting it rest for %s ...", r.settle)
	if err := pause(ctx, r.settle); err != nil {
		return err
	}
	seen, err := r.watch(ctx, s)
	if err != nil {
		return err
	}
	with = ", " + with
	mib := func(bytes uint64) float64 { return float64(bytes) / mebibyte }
	perMinute := func(n int) float64 { return float64(n) / r.window.Minutes() }
	millicores := func(used time.Duration) float64 { return 1000 * used.Seconds() / r.window.Seconds() }
	r.add(
		figure("Stack's memory"+with, mib(seen.stackMemory.private), "MiB", fmt.Sprintf("private; RSS is %.0f MiB, its peak was %.0f MiB", mib(seen.stackMemory.resident), mib(seen.stackMemory.peak))),
		figure("Stack's idle load"+with, millicores(seen.stack), "m", ""),
		figure("Operator's memory"+with, mib(seen.operatorMemory.private), "MiB", fmt.Sprintf("private; RSS is %.0f MiB", mib(seen.operatorMemory.resident))),
		figure("Operator's idle load"+with, millicores(seen.operator), "m", ""),
		figure("Operator's idle API requests"+with, perMinute(seen.requests.management+seen.requests.workload), "per minute",
			fmt.Sprintf("%.0f to the management API server, %.0f to those of the clusters", perMinute(seen.requests.management), perMinute(seen.requests.workload))),
	)
	r.say("%s: stack %.0f MiB, operator %.0f MiB", with[2:], mib(seen.stackMemory.private), mib(seen.operatorMemory.private))
	return nil
}

func (r *stackRun) watch(ctx context.Context, s *stackProcess) (load, error) {
	operator, err := s.operator()
	if err != nil {
		return load{}, err
	}
	before, err := s.snapshot(ctx, operator)
	if err != nil {
		return load{}, err
	}
	if err := pause(ctx, r.window); err != nil {
		return load{}, err
	}
	after, err := s.snapshot(ctx, operator)
	if err != nil {
		return load{}, err
	}
	after.stack -= before.stack
	after.operator -= before.operator
	after.requests.management -= before.requests.management
	after.requests.workload -= before.requests.workload
	return after, nil
}

// snapshot reads all counters as they are now.
func (s *stackProcess) snapshot(ctx context.Context, operator int) (l load, err error) {
	if l.stackMemory, err = memoryOf(s.record.PID); err != nil {
		return l, err
	}
	if l.operatorMemory, err = memoryOf(operator); err != nil {
		return l, err
	}
	if l.stack, err = processorTime(s.record.PID); err != nil {
		return l, err
	}
	if l.operator, err = processorTime(operator); err != nil {
		return l, err
	}
	l.requests, err = s.requests(ctx)
	return l, err
}

// soaks watches the memory of both processes while nothing happens: a leak shows as growth.
func (r *stackRun) soaks(ctx context.Context, s *stackProcess) error {
	if r.soak <= 0 {
		return nil
	}
	operator, err := s.operator()
	if err != nil {
		return err
	}
	r.say("Watching the memory of the idle stack for %s ...", r.soak)
	var stack, own []float64
	for end := time.Now().Add(r.soak); ; {
		for pid, values := range map[int]*[]float64{s.record.PID: &stack, operator: &own} {
			held, err := memoryOf(pid)
			if err != nil {
				return err
			}
			*values = append(*values, float64(held.private)/mebibyte)
		}
		if !time.Now().Before(end) {
			break
		}
		if err := pause(ctx, soakSample); err != nil {
			return err
		}
	}
	growth := func(values []float64) float64 { return values[len(values)-1] - values[0] }
	note := func(values []float64) string {
		return fmt.Sprintf("from %s to %s MiB, read every %s", number(values[0]), number(values[len(values)-1]), soakSample)
	}
	r.add(
		figure(fmt.Sprintf("Growth of the stack's memory over %.0f idle minutes", r.soak.Minutes()), growth(stack), "MiB", note(stack)),
		figure(fmt.Sprintf("Growth of the operator's memory over %.0f idle minutes", r.soak.Minutes()), growth(own), "MiB", note(own)))
	return nil
}
