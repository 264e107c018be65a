package main

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"
)

// packagePath is what `go build -v` prints as it begins to compile a package; anything else is a message.
var packagePath = regexp.MustCompile(`^[A-Za-z0-9_.~!@/-]+$`)

// report turns the lines of `go build -v` into a count.
type report struct {
	what       string
	out        io.Writer
	terminal   bool
	started    time.Time
	downloaded int
	compiled   int
	total      int // below 0: not known yet
	rest       []string
}

func newReport(what string, out io.Writer, terminal bool) *report {
	return &report{what: what, out: out, terminal: terminal, started: time.Now(), total: -1}
}

// follow reads until the build closes its output. The total arrives once, while the build runs.
func (r *report) follow(output io.Reader, total <-chan int) {
	lines := make(chan string)
	go func() {
		defer close(lines)
		scanner := bufio.NewScanner(output)
		scanner.Buffer(nil, 1<<20)
		for scanner.Scan() {
			lines <- scanner.Text()
		}
		// A line too long to hold must not stop the compiler: its output is read to the end.
		_, _ = io.Copy(io.Discard, output)
	}()
	interval := 15 * time.Second
	if r.terminal {
		interval = time.Second
	}
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case line, open := <-lines:
			if !open {
				return
			}
			r.line(line)
		case stale := <-total:
			// Counted while the build was running: what it had compiled by then is no longer stale.
			r.total = stale + r.compiled
		case <-tick.C:
			r.show()
		}
	}
}

func (r *report) line(line string) {
	switch {
	case strings.HasPrefix(line, "go: downloading "):
		r.downloaded++
	case packagePath.MatchString(line):
		r.compiled++
	case strings.TrimSpace(line) != "":
		r.rest = append(r.rest, line)
	}
}

func (r *report) show() {
	if r.compiled == 0 && r.downloaded == 0 && time.Since(r.started) < quiet {
		return
	}
	end := "\n"
	if r.terminal {
		end = "\033[K\r"
	}
	fmt.Fprintf(r.out, "%s%s", r.state(), end)
}

func (r *report) state() string {
	elapsed := time.Since(r.started).Round(time.Second)
	switch {
	case r.compiled == 0 && r.downloaded > 0:
		return fmt.Sprintf("%s: downloaded %d Go modules, %s", r.what, r.downloaded, elapsed)
	case r.compiled == 0 && r.total < 0:
		return fmt.Sprintf("%s: looking what must be compiled, %s", r.what, elapsed)
	case r.total >= 0 && r.compiled >= r.total-1: // the main package of a program counts as stale until it is linked
		return fmt.Sprintf("%s: linking, %s", r.what, elapsed)
	case r.total > 0:
		return fmt.Sprintf("%s: compiling %d of %d packages, %s", r.what, r.compiled, r.total, elapsed)
	default:
		return fmt.Sprintf("%s: compiling package %d, %s", r.what, r.compiled, elapsed)
	}
}

// quiet is how long a build may take without a word.
const quiet = 5 * time.Second

// finish says what was done, and nothing if little was: a single changed package is not worth a line.
func (r *report) finish() {
	elapsed := time.Since(r.started).Round(time.Second)
	if elapsed < quiet {
		return
	}
	end := "\n"
	if r.terminal {
		end = "\033[K\n"
	}
	fmt.Fprintf(r.out, "%s: built in %s (%d packages compiled)%s", r.what, elapsed, r.compiled, end)
}
