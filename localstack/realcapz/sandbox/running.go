package sandbox

import (
	"context"
	"net"
	"sync"
)

// Sandbox is a running sandbox.
type Sandbox struct {
	done chan struct{}
	err  error // valid once done is closed

	// life is how long relays work.
	life context.Context
	// control leads to the process inside; one request at a time.
	mu      sync.Mutex
	control *net.UnixConn
	brought map[int]net.Listener
}

// Done is closed when everything inside has ended.
func (s *Sandbox) Done() <-chan struct{} { return s.done }

// Wait waits until everything inside has ended and returns why, nil if the context of Start ended.
func (s *Sandbox) Wait() error {
	<-s.done
	return s.err
}

func (s *Sandbox) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, listener := range s.brought {
		_ = listener.Close() // ends its relay
	}
	if s.control != nil {
		_ = s.control.Close()
	}
}
