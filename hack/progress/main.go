// Command progress runs `go build` and says how far it is. A build that finds everything in the build cache prints
// nothing, so it can stand in front of every command.
//
// Usage:
//
//	progress -what "the local stack" [-C dir] [-o file] [-ldflags flags] packages...
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

type options struct {
	what, dir, output, ldflags string
	packages                   []string
}

func parse(args []string, out io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("progress", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.StringVar(&o.what, "what", "the program", "what is built, for people")
	flags.StringVar(&o.dir, "C", ".", "folder of the Go module")
	flags.StringVar(&o.output, "o", "", "file to write, relative to -C; none: only compile")
	flags.StringVar(&o.ldflags, "ldflags", "", "flags for the linker")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.packages = flags.Args(); len(o.packages) == 0 {
		o.packages = []string{"."}
	}
	return o, nil
}

func (o options) buildArgs() []string {
	args := []string{"build", "-C", o.dir, "-v"}
	if o.ldflags != "" {
		args = append(args, "-ldflags", o.ldflags)
	}
	if o.output != "" {
		args = append(args, "-o", o.output)
	}
	return append(args, o.packages...)
}

// run builds and reports to out until the build ends. The error of a failed build carries what the compiler said.
func run(ctx context.Context, args []string, out io.Writer) error {
	o, err := parse(args, out)
	if err != nil {
		return err
	}
	countContext, stopCounting := context.WithCancel(ctx)
	defer stopCounting()
	total := make(chan int, 1)
	go func() { total <- stalePackages(countContext, o) }()

	build := exec.CommandContext(ctx, "go", o.buildArgs()...)
	build.Cancel = func() error { return build.Process.Signal(os.Interrupt) }
	build.WaitDelay = 10 * time.Second
	reader, writer := io.Pipe()
	build.Stdout, build.Stderr = writer, writer
	if err := build.Start(); err != nil {
		return fmt.Errorf("start go build: %w", err)
	}
	done := make(chan error, 1)
	go func() {
		err := build.Wait()
		writer.Close()
		done <- err
	}()
	r := newReport(o.what, out, isTerminal(out))
	r.follow(reader, total)
	if err := <-done; err != nil {
		return fmt.Errorf("build %s: %w\n%s", o.what, err, strings.Join(r.rest, "\n"))
	}
	r.finish()
	return nil
}

// stalePackages counts what the build cache does not hold, the way go build will see it; 0 if that cannot be told.
func stalePackages(ctx context.Context, o options) int {
	args := append([]string{"list", "-C", o.dir, "-e", "-deps", "-f", "{{if .Stale}}x{{end}}"}, o.packages...)
	list, err := exec.CommandContext(ctx, "go", args...).Output()
	if err != nil {
		return 0
	}
	return bytes.Count(list, []byte("x"))
}

func isTerminal(out io.Writer) bool {
	file, ok := out.(*os.File)
	if !ok || os.Getenv("CI") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
