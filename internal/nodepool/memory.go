package nodepool

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/fleetwright/fleetwright/drain"
)

// slots lets one reconcile at a time write to the pools of a cluster. It is the
// in-process half of AKS' one operation per cluster: what is in flight in Azure
// is read from the pools themselves.
type slots struct {
	mu      sync.Mutex
	holders map[types.NamespacedName]*holder
}

type holder struct {
	sync.Mutex
	waiting int
}

// take waits for the cluster's slot and returns how to give it back.
func (s *slots) take(cluster types.NamespacedName) (release func()) {
	s.mu.Lock()
	if s.holders == nil {
		s.holders = map[types.NamespacedName]*holder{}
	}
	h := s.holders[cluster]
	if h == nil {
		h = &holder{}
		s.holders[cluster] = h
	}
	h.waiting++
	s.mu.Unlock()
	h.Lock()
	return func() {
		h.Unlock()
		s.mu.Lock()
		defer s.mu.Unlock()
		if h.waiting--; h.waiting == 0 {
			delete(s.holders, cluster)
		}
	}
}

// refusals keep what API servers answered to evictions, which saves calls and
// keeps a webhook's denial visible. Losing them at a restart changes no
// decision.
type refusals struct {
	mu sync.Mutex
	by map[types.UID][]drain.Refusal
}

func (r *refusals) of(nodepool types.UID) []drain.Refusal {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.by[nodepool]
}

func (r *refusals) remember(nodepool types.UID, result drain.Result, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	kept := drain.Remember(r.by[nodepool], result, now)
	if len(kept) == 0 {
		delete(r.by, nodepool)
		return
	}
	if r.by == nil {
		r.by = map[types.UID][]drain.Refusal{}
	}
	r.by[nodepool] = kept
}

// forget drops what is kept of a Nodepool that is done or gone.
func (r *refusals) forget(nodepool types.UID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.by, nodepool)
}
