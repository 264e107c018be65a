package clusterautoscaler

import (
	"sync"

	"k8s.io/apimachinery/pkg/types"
)

// suspects are the objects whose cluster looks different in a sweep: Azure itself is asked about these, and about no other that CAPZ has.
// Losing them costs the time until the next sweep. The zero value is ready.
type suspects struct {
	mu  sync.Mutex
	all map[types.NamespacedName]bool
}

func (s *suspects) add(key types.NamespacedName) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = map[types.NamespacedName]bool{}
	}
	s.all[key] = true
}

func (s *suspects) has(key types.NamespacedName) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all[key]
}

func (s *suspects) clear(key types.NamespacedName) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.all, key)
}
