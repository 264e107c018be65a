package demo

import (
	"sync"
	"time"
)

// teller passes events on, one at a time, and knows when the story began.
type teller struct {
	mu    sync.Mutex
	hear  func(Event)
	begun time.Time
}

func newTeller(hear func(Event)) *teller {
	if hear == nil {
		hear = func(Event) {}
	}
	return &teller{hear: hear, begun: time.Now()}
}

func (t *teller) tell(e Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.hear(e)
}

func (t *teller) since(at time.Time) time.Duration { return at.Sub(t.begun) }

func (t *teller) elapsed() time.Duration { return time.Since(t.begun) }
