package drain

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"
	"k8s.io/client-go/kubernetes"
)

const (
	// defaultFlights is Options.Parallel of a Watcher. A request that meets contention is held by kube-apiserver for up to
	// ten seconds, so there are more than a quiet API server would need.
	defaultFlights     = 50
	defaultPace        = 20
	defaultReportEvery = time.Second
)

// Watcher empties nodes of one cluster as fast as its budgets allow. It follows the cluster's pods and budgets with
// watches while a drain runs, decides anew when something moves, and closes the watches with the last drain.
type Watcher struct {
	client  kubernetes.Interface
	options Options
	pace    *rate.Limiter

	mu sync.Mutex
	// current serves all drains that run; nil while there is none.
	current *session
}

// NewWatcher returns a Watcher that has no connection until the first Drain. The client must be allowed to list and watch
// nodes, pods, namespaces, budgets, and daemon, replica and stateful sets, and to create evictions; its own rate limit
// should be above Options.Pace.
func NewWatcher(client kubernetes.Interface, options Options) *Watcher {
	options.Parallel = orDefault(options.Parallel, defaultFlights)
	options.Timeout = orDefault(options.Timeout, defaultTimeout)
	options.Pace = orDefault(options.Pace, defaultPace)
	options.ReportEvery = orDefault(options.ReportEvery, defaultReportEvery)
	return &Watcher{
		client: client, options: options, pace: rate.NewLimiter(rate.Limit(options.Pace), max(1, int(options.Pace))),
	}
}

// Drain empties the nodes and returns nil once they are, as far as the watches tell: confirm it with Observe before anything
// is deleted. It returns the context's error when ctx ends, and an error when the cluster cannot be followed or a node
// was replaced under its name (ErrNodeReplaced). It cordons nothing, and evicts nothing before all nodes are cordoned.
// When it has returned, no eviction of it is under way; after the end of ctx that takes up to 3 seconds. Several drains of one cluster may run at once; a budget they share
// has one eviction in flight between them.
//
// report is called with the plan as it stands whenever it changed, at most every Options.ReportEvery and once at the end,
// never twice at the same time. It must not block.
func (w *Watcher) Drain(ctx context.Context, nodes []NodeRef, policy Policy, report func(Plan)) error {
	if len(nodes) == 0 {
		return ErrNoNodes
	}
	r := newRun(nodes, policy.withDefaults(), report)
	defer w.leave(w.join(r), r)
	for _, f := range r.follows {
		if err := f.ready(ctx, r.session.mirror); err != nil {
			return err
		}
	}
	return r.drain(ctx)
}

// join gives the run the session that serves the cluster's drains, and begins one if there is none.
func (w *Watcher) join(r *run) *session {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.current == nil {
		w.current = newSession(w.client, w.options, w.pace)
	}
	w.current.join(r)
	return w.current
}

// leave ends the session with its last run.
func (w *Watcher) leave(s *session, r *run) {
	r.sending.Wait()
	w.mu.Lock()
	last := s.leave(r)
	if last {
		w.current = nil
	}
	w.mu.Unlock()
	if last {
		s.close()
	}
}
