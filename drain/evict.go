package drain

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// Options tune Evict and Watcher. The zero value is usable.
type Options struct {
	// Parallel is how many evictions are under way at once, each of another budget. Default 10.
	Parallel int
	// Timeout of one request, default 15 seconds; kube-apiserver may take ten while a budget is contended.
	Timeout time.Duration
	// Pace is how many evictions per second a Watcher starts at most, default 20: what a kube-controller-manager with
	// default settings recreates.
	Pace float64
	// ReportEvery is the shortest time between two reports of a Watcher, default 1 second.
	ReportEvery time.Duration
	// Answered, if it is set, is called by a Watcher with each answer of the API server. It must not block.
	Answered func(Answer)
}

const (
	defaultParallel = 10
	defaultTimeout  = 15 * time.Second
	// parting is how long a request under way may go on when its context ends. kube-apiserver takes an eviction off the budget
	// before it deletes the pod: to leave in between would keep the budget short for two minutes and the pod where it is.
	parting = 3 * time.Second
)

// Evict sends the plan's evictions, each at most once, and returns what became of each. Evictions of one budget are
// sent one after the other and stop at the first that is not granted; budgets run in parallel. When the API server
// asks to wait or does not answer, and when ctx ends, the rest is not sent; what is under way then has 3 seconds for its
// answer. It never deletes a pod in another way.
//
// The client's own rate limit applies: rest.Config's default of 5 requests per second makes a drain crawl.
func Evict(ctx context.Context, client kubernetes.Interface, plan Plan, options Options) Result {
	options.Parallel = orDefault(options.Parallel, defaultParallel)
	options.Timeout = orDefault(options.Timeout, defaultTimeout)
	result := Result{Answers: make([]Answer, len(plan.Evict))}
	for i, e := range plan.Evict {
		result.Answers[i] = Answer{Eviction: e, Outcome: OutcomeNotSent}
	}
	r := round{client: client, timeout: options.Timeout, answers: result.Answers}
	lanes := make(chan []int)
	var workers sync.WaitGroup
	for range options.Parallel {
		workers.Go(func() {
			for lane := range lanes {
				r.send(ctx, lane)
			}
		})
	}
	for _, lane := range byBudget(plan.Evict) {
		lanes <- lane
	}
	close(lanes)
	workers.Wait()
	return result
}

// round is one call of Evict; its workers write disjoint answers.
type round struct {
	client  kubernetes.Interface
	timeout time.Duration
	answers []Answer
	over    atomic.Bool
}

// send works through one lane until an eviction is not granted or the round is over.
func (r *round) send(ctx context.Context, lane []int) {
	for _, i := range lane {
		if r.over.Load() || ctx.Err() != nil {
			return
		}
		r.answers[i] = evictOne(ctx, r.client, r.answers[i].Eviction, r.timeout)
		switch r.answers[i].Outcome {
		case OutcomeEvicted, OutcomeGone:
		case OutcomeThrottled, OutcomeUnreachable:
			r.over.Store(true)
			return
		default:
			return
		}
	}
}

// byBudget groups the indices of evictions that must not run at the same time; pods without budget stand alone.
func byBudget(evictions []Eviction) [][]int {
	var lanes [][]int
	laneOf := map[string]int{}
	for i, e := range evictions {
		if lane, ok := laneOf[e.Budget]; ok && e.Budget != "" {
			lanes[lane] = append(lanes[lane], i)
			continue
		}
		laneOf[e.Budget] = len(lanes)
		lanes = append(lanes, []int{i})
	}
	return lanes
}

func evictOne(ctx context.Context, client kubernetes.Interface, e Eviction, timeout time.Duration) Answer {
	ctx, part := outlive(ctx, parting)
	defer part()
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	err := post(ctx, client, &policyv1.Eviction{
		ObjectMeta:    metav1.ObjectMeta{Namespace: e.Pod.Namespace, Name: e.Pod.Name},
		DeleteOptions: &metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &e.UID}},
	})
	answer := Answer{Eviction: e, Outcome: OutcomeEvicted}
	if err != nil {
		answer.Outcome, answer.Message, answer.RetryAfter = classifyError(err)
	}
	return answer
}

// outlive returns a context that ends some time after ctx, and a function that ends it.
func outlive(ctx context.Context, grace time.Duration) (context.Context, func()) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-time.After(grace):
			cancel()
		case <-longer.Done():
		}
	})
	return longer, func() {
		stop()
		cancel()
	}
}

// post is EvictV1 without client-go's silent retries: it would repeat a 429 that carries Retry-After up to ten times
// and sleep in between, while the caller believes one request is under way.
func post(ctx context.Context, client kubernetes.Interface, eviction *policyv1.Eviction) error {
	wire, ok := client.CoreV1().RESTClient().(*rest.RESTClient)
	if !ok || wire == nil {
		// Clients without a wire of their own, such as client-go's fake clientset, do not retry.
		return client.CoreV1().Pods(eviction.Namespace).EvictV1(ctx, eviction)
	}
	return wire.Post().MaxRetries(0).
		Namespace(eviction.Namespace).Resource("pods").Name(eviction.Name).SubResource("eviction").
		Body(eviction).Do(ctx).Error()
}
