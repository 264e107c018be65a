package record

import (
	"context"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"

	"github.com/fleetwright/fleetwright/localstack/bench/workload"
)

// look is how often a condition is asked for; it does not bear on what is measured, which has the time of each change.
const look = 20 * time.Millisecond

// Recorder fills a Ledger from watches of all pods and budgets. Within one watch, events come in the order of revisions.
type Recorder struct {
	mu     sync.Mutex
	ledger *Ledger
	lists  int
}

// Start begins to record, until ctx ends.
func Start(ctx context.Context, client kubernetes.Interface, services []workload.Service) *Recorder {
	r := &Recorder{ledger: NewLedger(services)}
	core, policy := client.CoreV1().Pods(""), client.PolicyV1().PodDisruptionBudgets("")
	pods := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) { return core.List(ctx, o) },
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			return core.Watch(ctx, o)
		},
	}
	budgets := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) { return policy.List(ctx, o) },
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			return policy.Watch(ctx, o)
		},
	}
	go cache.NewReflector(pods, &corev1.Pod{}, book{r, true}, 0).RunWithContext(ctx)
	go cache.NewReflector(budgets, &policyv1.PodDisruptionBudget{}, book{r, false}, 0).RunWithContext(ctx)
	return r
}

// Begin starts a new run on these nodes.
func (r *Recorder) Begin(nodes []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ledger.Begin(nodes)
	r.lists = 0
}

// Run is the run so far.
func (r *Recorder) Run() Run {
	r.mu.Lock()
	defer r.mu.Unlock()
	run := r.ledger.Run()
	run.Gaps = r.lists
	return run
}

// WaitEmpty returns when the old nodes are empty, or with the context's cause.
func (r *Recorder) WaitEmpty(ctx context.Context) error {
	return r.until(ctx, func() string {
		if r.ledger.Run().Empty.IsZero() {
			return fmt.Sprintf("%d pods are left on the nodes", r.ledger.Left())
		}
		return ""
	})
}

// WaitSettled returns when all services are as they should be.
func (r *Recorder) WaitSettled(ctx context.Context) error { return r.until(ctx, r.ledger.Unsettled) }

// WaitGone returns when there is no pod at all.
func (r *Recorder) WaitGone(ctx context.Context) error {
	return r.until(ctx, func() string {
		if n := r.ledger.Pods(); n > 0 {
			return fmt.Sprintf("%d pods are left", n)
		}
		return ""
	})
}

func (r *Recorder) until(ctx context.Context, missing func() string) error {
	ticks := time.NewTicker(look)
	defer ticks.Stop()
	for {
		r.mu.Lock()
		what := missing()
		r.mu.Unlock()
		if what == "" {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %s", context.Cause(ctx), what)
		case <-ticks.C:
		}
	}
}

// book is the store that a reflector writes to. It keeps nothing but what the ledger does.
type book struct {
	*Recorder
	ofPods bool
}

func (b book) note(object any, gone bool) error {
	now := time.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	switch o := object.(type) {
	case *corev1.Pod:
		b.ledger.Pod(now, o, gone)
	case *policyv1.PodDisruptionBudget:
		b.ledger.Budget(o)
	}
	return nil
}

// Add notes a revision.
func (b book) Add(object any) error { return b.note(object, false) }

// Update notes a revision.
func (b book) Update(object any) error { return b.note(object, false) }

// Delete notes an end.
func (b book) Delete(object any) error { return b.note(object, true) }

// Replace notes a list. It is the first, or revisions were missed before it.
func (b book) Replace(objects []any, _ string) error {
	b.mu.Lock()
	b.lists++
	if b.ofPods {
		present := map[types.UID]bool{}
		for _, o := range objects {
			present[o.(*corev1.Pod).UID] = true
		}
		b.ledger.Keep(time.Now(), present)
	}
	b.mu.Unlock()
	for _, o := range objects {
		if err := b.note(o, false); err != nil {
			return err
		}
	}
	return nil
}

// Resync does nothing: nothing is kept that could be sent again.
func (b book) Resync() error { return nil }
