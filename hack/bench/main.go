// Command bench measures this project on this machine and writes the figures to docs/benchmarks/NAME.json, from which
// docs/benchmarks.md is made.
//
// Usage:
//
//	bench [-out folder] build [-repeats n] [-cold] [-download]
//	bench [-out folder] localstack [-repeats n] [-clusters n] [-settle d] [-window d] [-soak d]
//	bench [-out folder] demo [-repeats n]
//	bench [-out folder] fleet [-clusters n] [-repeats n] [-settle d] [-window d] [-resume file] [-only ours|plain] [-quick]
//
// It is run from the root of the repository, after `make build`, while nothing else keeps the machine busy. It reads /proc and
// so runs on Linux only.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/fleetwright/fleetwright/hack/benchmarks/measurement"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}

// subject is something that can be measured: it reads its own flags and returns one or more measurements.
type subject func(ctx context.Context, b *bench, args []string) ([]measurement.Measurement, error)

func subjects() map[string]subject {
	return map[string]subject{"build": measureBuild, "localstack": measureLocalstack, "demo": measureDemo, "fleet": measureClusters}
}

// bench is what all subjects share.
type bench struct {
	// progress hears what is being done.
	progress io.Writer
	machine  measurement.Machine
	// scratch is a folder that goes away at the end.
	scratch string
}

func (b *bench) say(format string, args ...any) {
	_, _ = fmt.Fprintf(b.progress, format+"\n", args...) // a closed terminal is no reason to fail
}

// measured begins a measurement of this machine and day.
func (b *bench) measured(name, title, command string, repeats int) measurement.Measurement {
	return measurement.Measurement{
		Name: name, Title: title, Command: command, Repeats: repeats, Machine: b.machine, Date: time.Now().Format(time.DateOnly),
	}
}

func run(ctx context.Context, args []string, progress io.Writer) (err error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(progress)
	out := flags.String("out", "docs/benchmarks", "folder for the figures")
	if err := flags.Parse(args); err != nil {
		return err
	}
	measure, ok := subjects()[flags.Arg(0)]
	if !ok {
		return fmt.Errorf("say what to measure: build, localstack, demo or fleet, not %q", flags.Arg(0))
	}
	b := &bench{progress: progress}
	if b.machine, err = measurement.ThisMachine(); err != nil {
		return err
	}
	if b.scratch, err = os.MkdirTemp("", "fleetwright-bench-"); err != nil {
		return fmt.Errorf("make a folder to work in: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.scratch)) }()
	if load, err := loadAverage(); err == nil && load > 0.5 {
		b.say("Something else keeps this machine busy (load %.1f): the times will be too long", load)
	}
	results, err := measure(ctx, b, flags.Args()[1:])
	if err != nil {
		return fmt.Errorf("measure %s: %w", flags.Arg(0), err)
	}
	if err := os.MkdirAll(*out, 0o755); err != nil {
		return fmt.Errorf("make folder for the figures: %w", err)
	}
	for _, m := range results {
		if err := m.Save(*out); err != nil {
			return err
		}
		b.say("Wrote %d figures to %s/%s.json", len(m.Figures), *out, m.Name)
	}
	return nil
}
