package stack

import (
	"context"
	"fmt"
	"sync"
)

// The levels of a stack, from the ground up. Each may use those below it, so they are ended from the top.
const (
	lockLevel = iota
	etcdLevel
	managementLevel
	worldLevel     // the API servers of clusters, and the management cluster's own controllers
	simulatorLevel // calls the world
	controllerLevel
	levels
)

// parts are what runs in a stack.
type parts struct {
	failed chan struct{}

	mu     sync.Mutex
	levels [levels][]part
	reason error // why failed is closed
}

// part is one thing that runs: end tells it to, wait returns when it has. Either may be nil.
type part struct{ end, wait func() }

func newParts() *parts { return &parts{failed: make(chan struct{})} }

func (p *parts) add(level int, end, wait func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.levels[level] = append(p.levels[level], part{end: end, wait: wait})
}

// run adds a part that works now, and makes its end the end of the stack.
func (p *parts) run(level int, life life, name string, wait func() error) {
	life.started()
	p.add(level, life.end, func() { _ = wait() }) // fail has told why
	go func() {
		if err := wait(); err != nil {
			p.fail(fmt.Errorf("%s has stopped: %w", name, err))
		}
	}()
}

// stop ends all parts, level by level, each level at once. Doing it again does nothing.
func (p *parts) stop() {
	p.mu.Lock()
	all := p.levels
	p.levels = [levels][]part{}
	p.mu.Unlock()
	for level := levels - 1; level >= 0; level-- {
		for _, each := range all[level] {
			if each.end != nil {
				each.end()
			}
		}
		for _, each := range all[level] {
			if each.wait != nil {
				each.wait()
			}
		}
	}
}

func (p *parts) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reason == nil {
		p.reason = err
		close(p.failed)
	}
}

func (p *parts) failure() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.reason
}

// life is how long a part of the stack runs: while it starts as long as the context it was made from, afterwards until end.
type life struct {
	ctx     context.Context
	end     context.CancelFunc
	started func() bool
}

func newLife(starting context.Context) life {
	own, cancel := context.WithCancel(context.WithoutCancel(starting))
	return life{ctx: own, end: cancel, started: context.AfterFunc(starting, cancel)}
}
