package drain

import (
	"context"
	"errors"

	"k8s.io/client-go/kubernetes"
)

// Watcher empties nodes of one cluster as fast as its budgets allow. It follows the cluster's pods and budgets with
// watches while a drain runs, decides anew when something moves, and closes the watches with the last drain.
type Watcher struct {
	client  kubernetes.Interface
	options Options
}

// NewWatcher returns a Watcher that has no connection until the first Drain.
func NewWatcher(client kubernetes.Interface, options Options) *Watcher {
	return &Watcher{client: client, options: options}
}

// Drain empties the nodes and returns once they are, with nil, or when ctx ends, with its cause. It cordons nothing, and
// evicts nothing before all nodes are cordoned. Several drains of one cluster may run at once; a budget they share has one
// eviction in flight between them.
//
// report is called with the plan as it stands whenever it changed, at most every Options.ReportEvery and once at the end,
// never twice at the same time. It must not block.
func (w *Watcher) Drain(ctx context.Context, nodes []NodeRef, policy Policy, report func(Plan)) error {
	return errors.New("not written yet")
}
