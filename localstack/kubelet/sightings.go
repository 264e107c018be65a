package kubelet

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// stage is a step in an object's life that takes time.
type stage int

const (
	starting stage = iota
	running
	terminating
)

// sightings remember when each stage of an object was first seen, because timestamps in the API have whole seconds.
type sightings struct {
	mu    sync.Mutex
	first map[types.UID]map[stage]time.Time
}

func newSightings() *sightings { return &sightings{first: map[types.UID]map[stage]time.Time{}} }

// due returns when the stage, which began at the recorded time, has taken d. Right after the beginning the first sighting counts; after a restart
// of this process the record does, so that nothing takes longer than it should.
func (s *sightings) due(uid types.UID, st stage, recorded, now time.Time, d time.Duration) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	stages := s.first[uid]
	if stages == nil {
		stages = map[stage]time.Time{}
		s.first[uid] = stages
	}
	seen, ok := stages[st]
	if !ok {
		seen = now
		stages[st] = seen
	}
	if latest := recorded.Add(time.Second); !recorded.IsZero() && latest.Before(seen) {
		seen = latest
	}
	return seen.Add(d)
}

func (s *sightings) forget(uid types.UID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.first, uid)
}
