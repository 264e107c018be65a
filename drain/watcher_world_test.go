package drain

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	clienttesting "k8s.io/client-go/testing"
)

// live is a cluster that lives in the virtual time of a synctest bubble: it grants and refuses evictions as kube-apiserver
// does, counts as the disruption controller does, and starts and ends pods as controllers and kubelets do.
type live struct {
	t      *testing.T
	client *fake.Clientset
	// takes is how long the API server takes for an eviction, counts the disruption controller for a budget.
	takes, counts time.Duration
	// answers may answer an eviction in the API server's place.
	answers func(pod string) error

	mu       sync.Mutex
	revision int
	services map[string]*service
	pods     map[string]*corev1.Pod
	serves   map[string]string
	// posts are the evictions by pod, flying those under way by budget, and most how many there ever were.
	posts, flying map[string]int
	most          int
	refused       int
	watches       int
	next          map[schema.GroupVersionResource]watch.Interface
	broken        []string
}

// service is a ReplicaSet with a budget, if away is not 0.
type service struct {
	name           string
	replicas, away int
	starts, stops  time.Duration
	budget         *policyv1.PodDisruptionBudget
	made           int
}

var podsResource = schema.GroupVersionResource{Version: "v1", Resource: "pods"}

func newLive(t *testing.T, nodes ...string) *live {
	watch.DefaultChanSize = 100_000 // the fake one panics when it is full
	l := &live{
		t: t, takes: 10 * time.Millisecond, counts: 10 * time.Millisecond,
		services: map[string]*service{}, pods: map[string]*corev1.Pod{}, serves: map[string]string{}, posts: map[string]int{}, flying: map[string]int{},
		next: map[schema.GroupVersionResource]watch.Interface{},
	}
	l.client = fake.NewClientset()
	l.client.PrependReactor("list", "*", l.list)
	l.client.PrependWatchReactor("*", l.watch)
	for _, name := range nodes {
		l.write(&corev1.Node{
			ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID("uid-" + name)},
			Spec:       corev1.NodeSpec{Unschedulable: name != "new"},
			Status:     corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}},
		}, schema.GroupVersionResource{Version: "v1", Resource: "nodes"}, true)
	}
	return l
}

// evicting sends evictions to the live cluster: the fake clientset would hold its lock meanwhile, one after the other.
type (
	evicting struct {
		kubernetes.Interface
		live *live
	}
	evictingCore struct {
		typedcorev1.CoreV1Interface
		live *live
	}
	evictingPods struct {
		typedcorev1.PodInterface
		live *live
	}
)

func (e evicting) CoreV1() typedcorev1.CoreV1Interface {
	return evictingCore{e.Interface.CoreV1(), e.live}
}

func (e evictingCore) Pods(namespace string) typedcorev1.PodInterface {
	return evictingPods{e.CoreV1Interface.Pods(namespace), e.live}
}

func (e evictingPods) EvictV1(ctx context.Context, eviction *policyv1.Eviction) error {
	return e.live.evict(ctx, eviction)
}

// list begins the watch that will follow: unlike an API server, the fake one cannot tell later what happened since.
func (l *live) list(action clienttesting.Action) (bool, runtime.Object, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w, err := l.client.Tracker().Watch(action.GetResource(), "")
	if err != nil {
		return true, nil, err
	}
	if old := l.next[action.GetResource()]; old != nil {
		old.Stop()
	}
	l.next[action.GetResource()] = w
	_, list, err := clienttesting.ObjectReaction(l.client.Tracker())(action)
	if accessor, bad := meta.ListAccessor(list); bad == nil {
		accessor.SetResourceVersion("1")
	}
	return true, list, err
}

func (l *live) watch(action clienttesting.Action) (bool, watch.Interface, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.next[action.GetResource()]
	if w == nil {
		return true, nil, apierrors.NewResourceExpired("list again")
	}
	delete(l.next, action.GetResource())
	l.watches++
	return true, &counted{Interface: w, stopped: func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.watches--
	}}, nil
}

// counted is a watch whose end is counted once.
type counted struct {
	watch.Interface
	once    sync.Once
	stopped func()
}

func (c *counted) Stop() {
	c.Interface.Stop()
	c.once.Do(c.stopped)
}

// write stores the object at a new revision. l.mu may be held or not: the tracker has its own.
func (l *live) write(object runtime.Object, resource schema.GroupVersionResource, create bool) {
	accessor, _ := meta.Accessor(object)
	l.revision++
	accessor.SetResourceVersion(strconv.Itoa(l.revision + 1))
	store := func() error {
		return l.client.Tracker().Update(resource, object.DeepCopyObject(), accessor.GetNamespace())
	}
	if create {
		store = func() error {
			return l.client.Tracker().Create(resource, object.DeepCopyObject(), accessor.GetNamespace())
		}
	}
	if err := store(); err != nil {
		panic(err)
	}
}

// add creates a service with its pods ready on the nodes in turn.
func (l *live) add(s service, namespace string, nodes ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.services[s.name] = &s
	l.write(&appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: s.name, UID: types.UID("rs-" + s.name)},
		Spec:       appsv1.ReplicaSetSpec{Replicas: new(int32(s.replicas))},
	}, appsv1.SchemeGroupVersion.WithResource("replicasets"), true)
	if s.away > 0 {
		s.budget = &policyv1.PodDisruptionBudget{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: s.name, Generation: 1},
			Spec:       policyv1.PodDisruptionBudgetSpec{Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": s.name}}},
			Status: policyv1.PodDisruptionBudgetStatus{
				ObservedGeneration: 1, DesiredHealthy: int32(s.replicas - s.away), ExpectedPods: int32(s.replicas),
				CurrentHealthy: int32(s.replicas), DisruptionsAllowed: int32(s.away),
			},
		}
		l.write(s.budget, policyv1.SchemeGroupVersion.WithResource("poddisruptionbudgets"), true)
	}
	for i := range s.replicas {
		l.start(&s, namespace, nodes[i%len(nodes)], true)
	}
}

func (l *live) start(s *service, namespace, node string, ready bool) *corev1.Pod {
	s.made++
	status := corev1.ConditionFalse
	if ready {
		status = corev1.ConditionTrue
	}
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: fmt.Sprintf("%s-%d", s.name, s.made), UID: types.UID(fmt.Sprintf("pod-%s-%d", s.name, s.made)),
			Labels: map[string]string{"app": s.name}, CreationTimestamp: metav1.Now(),
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: s.name, UID: types.UID("rs-" + s.name), Controller: new(true)}},
		},
		Spec:   corev1.PodSpec{NodeName: node, TerminationGracePeriodSeconds: new(int64(30))},
		Status: corev1.PodStatus{Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: status}}},
	}
	l.pods[p.Name], l.serves[p.Name] = p, s.name
	l.write(p, podsResource, true)
	return p
}

// pass lets virtual time go by.
func pass(d time.Duration) { <-time.After(d) }

// evict is POST pods/eviction.
func (l *live) evict(ctx context.Context, e *policyv1.Eviction) error {
	l.mu.Lock()
	s := l.services[l.serves[e.Name]]
	l.posts[e.Name]++
	l.flying[s.name]++
	if s.budget != nil {
		l.most = max(l.most, l.flying[s.name])
	}
	l.mu.Unlock()
	select {
	case <-time.After(l.takes):
	case <-ctx.Done():
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.flying[s.name]--
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if l.answers != nil {
		if err := l.answers(e.Name); err != nil {
			return err
		}
	}
	p := l.pods[e.Name]
	if p == nil || p.UID != *e.DeleteOptions.Preconditions.UID {
		return apierrors.NewNotFound(podsResource.GroupResource(), e.Name)
	}
	if p.DeletionTimestamp != nil {
		return nil
	}
	if b := s.budget; b != nil {
		if b.Status.DisruptionsAllowed < 1 {
			l.refused++
			return overBudget()
		}
		b.Status.DisruptionsAllowed--
		b.Status.DisruptedPods = map[string]metav1.Time{e.Name: metav1.Now()}
		l.write(b, policyv1.SchemeGroupVersion.WithResource("poddisruptionbudgets"), false)
	}
	p.DeletionTimestamp = new(metav1.NewTime(time.Now().Add(30 * time.Second)))
	l.write(p, podsResource, false)
	l.check(s)
	time.AfterFunc(s.stops, func() { l.end(p) })
	replacement := l.start(s, p.Namespace, "new", false)
	time.AfterFunc(s.starts, func() { l.ready(s, replacement) })
	time.AfterFunc(l.counts, func() { l.recount(s) })
	return nil
}

func overBudget() error {
	err := apierrors.NewTooManyRequests("Cannot evict pod as it would violate the pod's disruption budget.", 0)
	err.ErrStatus.Details.Causes = append(err.ErrStatus.Details.Causes, metav1.StatusCause{Type: policyv1.DisruptionBudgetCause})
	err.ErrStatus.Code = http.StatusTooManyRequests
	return err
}

func (l *live) end(p *corev1.Pod) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.pods, p.Name)
	if err := l.client.Tracker().Delete(podsResource, p.Namespace, p.Name); err != nil {
		panic(err)
	}
}

func (l *live) ready(s *service, p *corev1.Pod) {
	l.mu.Lock()
	p.Status.Conditions[0].Status = corev1.ConditionTrue
	l.write(p, podsResource, false)
	l.mu.Unlock()
	time.AfterFunc(l.counts, func() { l.recount(s) })
}

// recount is the disruption controller's sync.
func (l *live) recount(s *service) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s.budget == nil {
		return
	}
	st := &s.budget.Status
	st.CurrentHealthy, st.DisruptedPods = int32(l.healthy(s)), nil
	st.DisruptionsAllowed = max(0, st.CurrentHealthy-st.DesiredHealthy)
	l.write(s.budget, policyv1.SchemeGroupVersion.WithResource("poddisruptionbudgets"), false)
}

func (l *live) healthy(s *service) int {
	n := 0
	for name, p := range l.pods {
		if l.serves[name] == s.name && p.DeletionTimestamp == nil && p.Status.Conditions[0].Status == corev1.ConditionTrue {
			n++
		}
	}
	return n
}

// check notes a budget that is broken.
func (l *live) check(s *service) {
	if s.budget != nil && l.healthy(s) < s.replicas-s.away {
		l.broken = append(l.broken, fmt.Sprintf("%s has %d of %d healthy", s.name, l.healthy(s), s.replicas))
	}
}

// drain runs one drain of the nodes to its end.
func (l *live) drain(ctx context.Context, options Options, policy Policy, nodes ...string) (Plan, error) {
	var last Plan
	err := NewWatcher(evicting{l.client, l}, options).Drain(ctx, refs(nodes...), policy, func(p Plan) { last = p })
	return last, err
}

// drawServices are n services as in docs/benchmarks.md: 60 % may miss one pod, 30 % a quarter, and 10 % have no budget.
func drawServices(r *rand.Rand, n, replicas int) []service {
	services := make([]service, 0, n)
	for i := range n {
		s := service{
			name: fmt.Sprintf("service-%d", i), replicas: 2 + r.IntN(replicas-1), away: 1,
			starts: time.Duration(8+r.IntN(38)) * time.Second, stops: time.Duration(1+r.IntN(29)) * time.Second,
		}
		switch i % 10 {
		case 0:
			s.away = 0
		case 1, 2, 3:
			s.away = (s.replicas + 3) / 4
		}
		services = append(services, s)
	}
	return services
}

// bound is the shortest time in which any drain could end that keeps to the budgets: for each service the rounds before
// the last one, each as long as a replacement takes, and the termination of the last pod.
func bound(services []service) time.Duration {
	var longest time.Duration
	for _, s := range services {
		rounds := 1
		if s.away > 0 {
			rounds = (s.replicas + s.away - 1) / s.away
		}
		longest = max(longest, time.Duration(rounds-1)*s.starts+s.stops)
	}
	return longest
}
