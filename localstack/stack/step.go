package stack

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"
)

// Step is one thing the stack does while it starts or stops. It is told twice: when it begins and when it ends.
type Step struct {
	// Name says what is done, as in "Start etcd".
	Name string
	// Ended is false when the step begins.
	Ended bool
	// Took is how long it took; zero when it begins.
	Took time.Duration
	// Err is why it failed, if it did.
	Err error
}

// stepper tells the steps to one listener, one at a time.
type stepper struct {
	mu   sync.Mutex
	tell func(Step)
}

func (s *stepper) do(name string, run func() error) error {
	begun := time.Now()
	s.say(Step{Name: name})
	err := run()
	s.say(Step{Name: name, Ended: true, Took: time.Since(begun), Err: err})
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func (s *stepper) say(step Step) {
	if s.tell == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tell(step)
}

// PrintSteps returns a listener that writes one line for each step that has ended, and one for each that takes longer than a
// few seconds, with the time since now in front.
func PrintSteps(ctx context.Context, w io.Writer) func(Step) {
	p := &stepPrinter{w: w, begun: time.Now(), open: map[string]*time.Timer{}}
	context.AfterFunc(ctx, p.quiet)
	return p.step
}

// slowStep is after how long a step is announced that has not ended.
const slowStep = 3 * time.Second

type stepPrinter struct {
	mu    sync.Mutex
	w     io.Writer
	begun time.Time
	open  map[string]*time.Timer
	mute  bool
}

func (p *stepPrinter) step(s Step) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !s.Ended {
		p.open[s.Name] = time.AfterFunc(slowStep, func() { p.slow(s.Name) })
		return
	}
	if timer := p.open[s.Name]; timer != nil {
		timer.Stop()
	}
	delete(p.open, s.Name)
	if s.Err != nil {
		p.line(fmt.Sprintf("%s: failed after %.1fs", s.Name, s.Took.Seconds()))
		return
	}
	p.line(fmt.Sprintf("%s (%.1fs)", s.Name, s.Took.Seconds()))
}

func (p *stepPrinter) slow(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, open := p.open[name]; open && !p.mute {
		p.line(name + " ...")
	}
}

func (p *stepPrinter) quiet() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mute = true
}

func (p *stepPrinter) line(text string) {
	_, _ = fmt.Fprintf(p.w, "%6.1fs  %s\n", time.Since(p.begun).Seconds(), text) // a closed terminal is no reason to fail
}
