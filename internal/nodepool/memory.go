package nodepool

import (
	"context"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// slots lets one reconcile at a time write to the pools of a cluster. It is the
// in-process half of AKS' one operation per cluster: what is in flight in Azure
// is read from the pools themselves.
type slots struct {
	mu      sync.Mutex
	holders map[types.NamespacedName]*holder
}

type holder struct {
	// taken has room for the one who holds the slot.
	taken   chan struct{}
	waiting int
}

// take waits for the cluster's slot and returns how to give it back, or an error
// when ctx ends before.
func (s *slots) take(ctx context.Context, cluster types.NamespacedName) (release func(), err error) {
	h := s.join(cluster)
	select {
	case h.taken <- struct{}{}:
		return func() {
			<-h.taken
			s.leave(cluster, h)
		}, nil
	case <-ctx.Done():
		s.leave(cluster, h)
		return nil, fmt.Errorf("wait while another Nodepool of cluster %s is written: %w", cluster, ctx.Err())
	}
}

func (s *slots) join(cluster types.NamespacedName) *holder {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.holders == nil {
		s.holders = map[types.NamespacedName]*holder{}
	}
	if s.holders[cluster] == nil {
		s.holders[cluster] = &holder{taken: make(chan struct{}, 1)}
	}
	s.holders[cluster].waiting++
	return s.holders[cluster]
}

func (s *slots) leave(cluster types.NamespacedName, h *holder) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h.waiting--; h.waiting == 0 {
		delete(s.holders, cluster)
	}
}

// rememberedFor is how long something is kept of a Nodepool that does not look
// again: one whose finalizer a person took off never says that it is gone.
const rememberedFor = time.Hour
