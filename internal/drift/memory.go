package drift

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// keptWrites is how many writes of one object are remembered: as many as three opposite ones and what came between need.
const keptWrites = 2 * oppositeWrites

// Memory remembers the last writes about each object, for Decide. It is in memory on purpose (docs/decisions/2026-11-26-drift-contention.md):
// what is lost with the process costs at most three more writes of an object that is fought over, and status stays a report. The zero
// Memory is ready, and it is safe for concurrent use.
type Memory struct {
	mu      sync.Mutex
	objects map[types.NamespacedName]*remembered
}

// remembered has at least one write.
type remembered struct {
	generation int64
	writes     []Write
}

// Drifted notes a confirmed drift of an object at a generation of its spec and returns the history with it. A drift that stands since the
// last look is noted once: as long as we have not written since, or seen it as declared.
func (m *Memory) Drifted(key types.NamespacedName, generation int64, look Look, now time.Time) []Write {
	m.mu.Lock()
	defer m.mu.Unlock()
	o := m.objects[key]
	if o == nil || o.generation != generation {
		o = &remembered{generation: generation} // another generation is another wish, with a history of its own
		if m.objects == nil {
			m.objects = map[types.NamespacedName]*remembered{}
		}
		m.objects[key] = o
	}
	if n := len(o.writes); n == 0 || o.writes[n-1].Ours {
		at := look.ChangedAt
		// Azure's time, unless it is that of a change before ours: then it does not say when this one was.
		if at.IsZero() || at.After(now) || (n > 0 && at.Before(o.writes[n-1].At)) {
			at = now
		}
		o.note(Write{At: at, By: look.ChangedBy})
	} else if look.ChangedBy != "" {
		o.writes[n-1].By = look.ChangedBy // the activity log is late
	}
	return append([]Write(nil), o.writes...)
}

// Healed notes that we have written. A write that was refused is none; one whose reply was lost is noted by the look that finds it done.
func (m *Memory) Healed(key types.NamespacedName, generation int64, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.answered(key, generation, now)
}

// AsDeclared notes that an object was seen as it should be. If the other manager has written the declared values itself, what it writes
// next is another opposite write.
func (m *Memory) AsDeclared(key types.NamespacedName, generation int64, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	o := m.objects[key]
	if o == nil {
		return
	}
	// Another wish, or an hour of peace: nothing is left to be counted.
	if o.generation != generation || now.Sub(o.writes[len(o.writes)-1].At) > contentionSpan {
		delete(m.objects, key)
		return
	}
	m.answered(key, generation, now)
}

// answered closes a drift that stands: the next one is another.
func (m *Memory) answered(key types.NamespacedName, generation int64, now time.Time) {
	if o := m.objects[key]; o != nil && o.generation == generation && !o.writes[len(o.writes)-1].Ours {
		o.note(Write{At: now, Ours: true})
	}
}

// Forget drops an object that is gone.
func (m *Memory) Forget(key types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.objects, key)
}

func (o *remembered) note(w Write) {
	o.writes = append(o.writes, w)
	if n := len(o.writes); n > keptWrites {
		o.writes = append(o.writes[:0], o.writes[n-keptWrites:]...)
	}
}
