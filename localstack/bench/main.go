// Command bench measures how fast nodes are emptied, by package drain and by its peers, on real control planes with simulated nodes.
//
// Usage, from the root of the repository:
//
//	bench                      the figures of docs/benchmarks/drain.json
//	bench -scale               besides, one drain of 1,000 nodes and 30,000 pods
//	bench -only scale          nothing but that; or p1, alone, p2. The other parts' figures stay as they are in the file
//	bench -quick               all of it tiny, to see that it works; nothing is written unless -out is given
//	bench -only p1 -drainers ours -lanes 1 -repeats 1 -cpuprofile cpu.pprof -allocprofile allocs.pprof -out ""
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/fleetwright/fleetwright/localstack/bench/drainer"
	"github.com/fleetwright/fleetwright/localstack/controlplane"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := begin(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}

// begin is the harness, or one of the drainers that it starts.
func begin(ctx context.Context, args []string) error {
	if len(args) == 2 && args[0] == drainer.Argument {
		return drainer.Serve(ctx, args[1], os.Stdin, os.Stdout)
	}
	s, err := parse(args, os.Stdout)
	if err != nil {
		return err
	}
	return s.run(ctx)
}

// parts of the benchmark, in their order.
const (
	partP1    = "p1"
	partAlone = "alone"
	partP2    = "p2"
	partScale = "scale"
)

// settings are what the command line says.
type settings struct {
	progress io.Writer
	// out is the folder for the figures; empty: none are written.
	out      string
	command  string
	parts    []string
	drainers []string
	repeats  int
	lanes    int
	seed     uint64
	// serial is how often the drainer runs that takes an hour.
	serial int
	p1     size
	p2     contended
	scale  size
	// scaleFor is how long scale drains at most; 0 is to its end.
	scaleFor time.Duration
	profiles struct{ cpu, alloc string }
	// journal keeps what p1 has measured so far.
	journal journal
	// scratch is a folder that goes away at the end.
	scratch string
}

// size of one workload.
type size struct {
	Nodes, Pods, Services, MaxReplicas int
	// Scale multiplies the delays of pods, and Peers the drainers' own waits.
	Scale, Peers float64
}

// The sizes that are published. At 2 to 12 replicas, 290 services hold 3,000 pods with something to spare.
var (
	sizeP1    = size{Nodes: 100, Pods: 3000, Services: 290, MaxReplicas: 12, Scale: 1, Peers: 1}
	sizeScale = size{Nodes: 1000, Pods: 30000, Services: 2180, MaxReplicas: 15, Scale: 0.04, Peers: 1}
	sizeP2    = contended{Nodes: 10, Pods: 1000, Budgets: []int{1, 100}, Termination: 5 * time.Second}
)

// The sizes of -quick.
var (
	quickP1    = size{Nodes: 6, Pods: 27, Services: 9, MaxReplicas: 4, Scale: 0.02, Peers: 0.05}
	quickScale = size{Nodes: 10, Pods: 60, Services: 8, MaxReplicas: 15, Scale: 0.01, Peers: 1}
	quickP2    = contended{Nodes: 2, Pods: 20, Budgets: []int{5}, Termination: 500 * time.Millisecond}
)

// publishedDrainers run by default. The slowest one is the first of the first round, so that it is not what everybody waits for in the end.
var (
	publishedDrainers = []string{serialDrainer, ours, "cluster-api", "kubectl-x10", "karpenter-like", "goroutine-per-pod", "ours-level"}
	optionalDrainers  = []string{"kubectl-x10-noqps", "cluster-api-noqps"}
)

// serialDrainer takes an hour for what the others do in ten minutes.
const serialDrainer = "kubectl-serial"

func parse(args []string, progress io.Writer) (*settings, error) {
	s := &settings{progress: progress, p1: sizeP1, p2: sizeP2, scale: sizeScale}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(progress)
	quick := flags.Bool("quick", false, "everything tiny and nothing written, to see that it works")
	scale := flags.Bool("scale", false, "also drain 1,000 nodes with 30,000 pods")
	only := flags.String("only", "", "parts to run, separated by commas: p1, alone, p2, scale")
	names := flags.String("drainers", strings.Join(publishedDrainers, ","), "drainers of p1, out of "+strings.Join(drainer.Names(), ", "))
	flags.StringVar(&s.out, "out", "docs/benchmarks", "folder for the figures; empty: do not write them")
	flags.IntVar(&s.repeats, "repeats", 5, "how often each drainer runs")
	flags.IntVar(&s.serial, "serial-repeats", 1, "how often the serial drainer runs, which takes an hour")
	flags.IntVar(&s.lanes, "lanes", 7, "how many control planes run drains side by side in p1; waiting is most of a drain, so they hardly disturb each other")
	flags.Uint64Var(&s.seed, "seed", 1, "seed of the workload")
	flags.IntVar(&s.p1.Nodes, "nodes", s.p1.Nodes, "nodes of p1 to empty, and as many that take the pods")
	flags.IntVar(&s.p1.Pods, "pods", s.p1.Pods, "pods of p1")
	flags.IntVar(&s.p1.Services, "services", s.p1.Services, "services of p1")
	flags.IntVar(&s.p1.MaxReplicas, "replicas", s.p1.MaxReplicas, "most replicas of a service of p1")
	flags.Float64Var(&s.p1.Scale, "time", s.p1.Scale, "multiplies the pods' delays in p1; 1 is real time")
	flags.Float64Var(&s.p1.Peers, "peers-time", s.p1.Peers, "multiplies the drainers' own waits in p1, where their code lets us; 1 is as published")
	flags.IntVar(&s.scale.Nodes, "scale-nodes", s.scale.Nodes, "nodes of scale to empty")
	flags.IntVar(&s.scale.Pods, "scale-pods", s.scale.Pods, "pods of scale")
	flags.DurationVar(&s.scaleFor, "scale-for", 0, "how long scale drains at most; 0: to the end, which takes a quarter of an hour")
	flags.IntVar(&s.scale.Services, "scale-services", s.scale.Services, "services of scale")
	flags.StringVar(&s.journal.file, "resume", "", "file to keep each drain of p1 in when it is over; what it has already is not run again")
	flags.StringVar(&s.profiles.cpu, "cpuprofile", "", "file for a CPU profile of the last drainer of p1 or scale")
	flags.StringVar(&s.profiles.alloc, "allocprofile", "", "file for a profile of its allocations")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	s.command = strings.TrimSpace("make bench-drain " + argsOf(args))
	s.drainers = strings.Split(*names, ",")
	s.parts = []string{partP1, partAlone, partP2}
	if *scale {
		s.parts = append(s.parts, partScale)
	}
	if *quick {
		s.quick(set(flags))
	}
	if *only != "" {
		s.parts = strings.Split(*only, ",")
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	return s, nil
}

func argsOf(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return fmt.Sprintf("ARGS=%q", strings.Join(args, " "))
}

// set tells which flags were given.
func set(flags *flag.FlagSet) map[string]bool {
	given := map[string]bool{}
	flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
	return given
}

func (s *settings) quick(given map[string]bool) {
	s.p1, s.p2, s.scale = quickP1, quickP2, quickScale
	s.parts = []string{partP1, partP2, partScale}
	if !given["out"] {
		s.out = ""
	}
	if !given["repeats"] {
		s.repeats = 1
	}
	if !given["lanes"] {
		s.lanes = 3
	}
}

func (s *settings) check() error {
	for _, part := range s.parts {
		if !slices.Contains([]string{partP1, partAlone, partP2, partScale}, part) {
			return fmt.Errorf("there is no part %q, only p1, alone, p2 and scale", part)
		}
	}
	for _, name := range s.drainers {
		if !slices.Contains(drainer.Names(), name) {
			return fmt.Errorf("there is no drainer %q, only %s", name, strings.Join(drainer.Names(), ", "))
		}
	}
	if s.repeats < 1 || s.serial < 1 || s.lanes < 1 {
		return errors.New("at least one repeat and one lane are needed")
	}
	return nil
}

func (s *settings) repeatsOf(name string) int {
	if name == serialDrainer {
		return min(s.serial, s.repeats)
	}
	return s.repeats
}

func (s *settings) say(format string, args ...any) {
	_, _ = fmt.Fprintf(s.progress, format+"\n", args...) // a closed terminal is no reason to fail
}

// run does the parts and writes what they gave.
func (s *settings) run(ctx context.Context) (err error) {
	if s.scratch, err = os.MkdirTemp("", "fleetwright-bench-"); err != nil {
		return fmt.Errorf("make a folder to work in: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(s.scratch)) }()
	if _, err := controlplane.LogToFile(filepath.Join(s.scratch, "klog.log")); err != nil {
		return err
	}
	r, err := s.measure(ctx)
	if err != nil || s.out == "" {
		return err
	}
	return s.write(r)
}

func (s *settings) measure(ctx context.Context) (results, error) {
	r := results{From: map[string]string{}, Lanes: s.lanes}
	var err error
	for _, part := range s.parts {
		switch part {
		case partP1:
			r.P1, err = s.makespans(ctx, partP1, turns(s.drainers, s.repeatsOf), s.lanes, &s.journal)
		case partAlone:
			r.Alone, err = s.makespans(ctx, partAlone, turns([]string{ours}, func(string) int { return 1 }), 1, &journal{})
		case partP2:
			r.P2, err = s.contention(ctx)
		case partScale:
			r.Scale, err = s.large(ctx)
		}
		if err != nil {
			return r, fmt.Errorf("measure %s: %w", part, err)
		}
		r.From[part] = s.from()
	}
	return r, nil
}
