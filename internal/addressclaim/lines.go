package addressclaim

import (
	"sync"

	"k8s.io/apimachinery/pkg/types"
)

// lines let one claim at a time choose from a pool, so that those of one process hardly ever come in each other's way. Nothing rests on it:
// other processes know nothing of it.
type lines struct {
	mu  sync.Mutex
	all map[types.NamespacedName]*sync.Mutex
}

// enter waits for its turn at all the pools, which have to be in order, and returns what ends the turn.
func (l *lines) enter(pools []types.NamespacedName) (leave func()) {
	for _, key := range pools {
		l.of(key).Lock()
	}
	return func() {
		for _, key := range pools {
			l.of(key).Unlock()
		}
	}
}

func (l *lines) of(key types.NamespacedName) *sync.Mutex {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all == nil {
		l.all = map[types.NamespacedName]*sync.Mutex{}
	}
	if l.all[key] == nil {
		l.all[key] = &sync.Mutex{}
	}
	return l.all[key]
}
