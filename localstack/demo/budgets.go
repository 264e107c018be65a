package demo

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"
)

// Violation is one moment at which a budget had fewer healthy pods than it demands.
type Violation struct {
	Time      time.Time `json:"time"`
	Namespace string    `json:"namespace"`
	Budget    string    `json:"budget"`
	// Revision is the version of the PodDisruptionBudget in which the API server recorded it.
	Revision string `json:"revision"`
	Healthy  int32  `json:"healthy"`
	Desired  int32  `json:"desired"`
}

// budgetWatch reads every revision of every PodDisruptionBudget that the workload's API server makes known.
type budgetWatch struct {
	mu         sync.Mutex
	broken     map[types.UID]bool // budgets whose last revision was below
	seen       map[types.UID]*policyv1.PodDisruptionBudget
	revisions  int
	violations []Violation
	gap        error
}

func newBudgetWatch() *budgetWatch {
	return &budgetWatch{broken: map[types.UID]bool{}, seen: map[types.UID]*policyv1.PodDisruptionBudget{}}
}

// watchBudgets begins with the budgets as they are now and sees every revision after it until ctx ends. A budget that is
// below at the beginning counts only if it recovers and falls again.
func watchBudgets(ctx context.Context, client kubernetes.Interface) (*budgetWatch, error) {
	budgets := client.PolicyV1().PodDisruptionBudgets(metav1.NamespaceAll)
	now, err := budgets.List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list disruption budgets: %w", err)
	}
	b := newBudgetWatch()
	for i := range now.Items {
		b.broken[now.Items[i].UID] = below(&now.Items[i])
		b.seen[now.Items[i].UID] = &now.Items[i]
	}
	// It goes on after a lost connection where it stopped, and says so when the server has forgotten that revision.
	events, err := watchtools.NewRetryWatcherWithContext(ctx, now.ResourceVersion, &cache.ListWatch{
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			return budgets.Watch(ctx, options)
		},
	})
	if err != nil {
		return nil, fmt.Errorf("watch disruption budgets: %w", err)
	}
	go func() {
		defer events.Stop()
		for event := range events.ResultChan() {
			b.take(event, time.Now())
		}
		if ctx.Err() == nil {
			b.lost(errors.New("the watch ended early"))
		}
	}()
	return b, nil
}

func below(p *policyv1.PodDisruptionBudget) bool {
	return p.Status.CurrentHealthy < p.Status.DesiredHealthy
}

func (b *budgetWatch) take(event watch.Event, at time.Time) {
	budget, ok := event.Object.(*policyv1.PodDisruptionBudget)
	if !ok {
		if event.Type == watch.Error {
			b.lost(fmt.Errorf("the API server no longer had all revisions: %v", event.Object))
		}
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.revisions++
	if event.Type == watch.Deleted {
		delete(b.broken, budget.UID)
		delete(b.seen, budget.UID)
		return
	}
	if below(budget) && !b.broken[budget.UID] {
		b.violations = append(b.violations, Violation{
			Time: at, Namespace: budget.Namespace, Budget: budget.Name, Revision: budget.ResourceVersion,
			Healthy: budget.Status.CurrentHealthy, Desired: budget.Status.DesiredHealthy,
		})
	}
	b.broken[budget.UID] = below(budget)
	b.seen[budget.UID] = budget
}

func (b *budgetWatch) lost(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.gap = errors.Join(b.gap, err)
}

// result is what was seen. The error says that the history has a gap, so that a violation may have gone unseen.
func (b *budgetWatch) result() (revisions int, violations []Violation, gap error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.revisions, append([]Violation{}, b.violations...), b.gap
}

// desired is how many healthy pods the budget of this name demands now; 0 when there is none.
func (b *budgetWatch) desired(namespace, name string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, budget := range b.seen {
		if budget.Namespace == namespace && budget.Name == name {
			return int(budget.Status.DesiredHealthy)
		}
	}
	return 0
}
