package demo

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	discoverylisters "k8s.io/client-go/listers/discovery/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/ptr"
)

// requestEvery is how often each service is sent a request.
const requestEvery = 50 * time.Millisecond

// target is a service under traffic, and the number of replicas it should have.
type target struct {
	namespace, name string
	wanted          int
}

// traffic plays the users of the workload. There is no network between simulated pods, so a request is what a proxy would do
// with it: one of the service's ready endpoints is picked, and the request is answered if that pod still runs then.
type traffic struct {
	pods      corelisters.PodLister
	endpoints discoverylisters.EndpointSliceLister
	budgets   *budgetWatch
	targets   []target

	mu       sync.Mutex
	services []Service
}

// startTraffic sends requests until ctx ends.
func startTraffic(ctx context.Context, client kubernetes.Interface, budgets *budgetWatch, targets []target) (*traffic, error) {
	factory := informers.NewSharedInformerFactory(client, 0)
	t := &traffic{
		pods:      factory.Core().V1().Pods().Lister(),
		endpoints: factory.Discovery().V1().EndpointSlices().Lister(),
		budgets:   budgets, targets: targets,
	}
	for _, each := range targets {
		t.services = append(t.services, Service{Name: each.name, Wanted: each.wanted, Least: each.wanted, Available: each.wanted})
	}
	_, err := factory.Core().V1().Pods().Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { t.look() },
		UpdateFunc: func(any, any) { t.look() },
		DeleteFunc: func(any) { t.look() },
	})
	if err != nil {
		return nil, fmt.Errorf("watch pods: %w", err)
	}
	factory.Start(ctx.Done())
	for kind, synced := range factory.WaitForCacheSync(ctx.Done()) {
		if !synced {
			return nil, fmt.Errorf("watch %s of the workload: %w", kind, context.Cause(ctx))
		}
	}
	go t.run(ctx)
	return t, nil
}

func (t *traffic) run(ctx context.Context) {
	ticks := time.NewTicker(requestEvery)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
		for i, each := range t.targets {
			answered := t.request(each)
			t.mu.Lock()
			t.services[i].Requests++
			if !answered {
				t.services[i].Failed++
			}
			t.mu.Unlock()
		}
	}
}

// request says whether a request to the service is answered.
func (t *traffic) request(to target) bool {
	slices, err := t.endpoints.EndpointSlices(to.namespace).List(labels.SelectorFromSet(labels.Set{discoveryv1.LabelServiceName: to.name}))
	if err != nil {
		return false
	}
	var ready []string
	for _, slice := range slices {
		for _, endpoint := range slice.Endpoints {
			if ptr.Deref(endpoint.Conditions.Ready, false) && endpoint.TargetRef != nil {
				ready = append(ready, endpoint.TargetRef.Name)
			}
		}
	}
	if len(ready) == 0 {
		return false
	}
	pod, err := t.pods.Pods(to.namespace).Get(ready[rand.IntN(len(ready))])
	// A pod that is told to end still answers until it has ended.
	return err == nil && pod.Status.Phase == corev1.PodRunning
}

// look counts the available replicas of each service again.
func (t *traffic) look() {
	for i, each := range t.targets {
		pods, err := t.pods.Pods(each.namespace).List(labels.SelectorFromSet(labels.Set{"app": each.name}))
		if err != nil {
			return
		}
		available := 0
		for _, pod := range pods {
			if pod.DeletionTimestamp == nil && isReady(pod) {
				available++
			}
		}
		t.mu.Lock()
		t.services[i].Available = available
		t.services[i].Least = min(t.services[i].Least, available)
		t.mu.Unlock()
	}
}

func isReady(pod *corev1.Pod) bool {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}

// result is how the services have fared so far.
func (t *traffic) result() []Service {
	t.mu.Lock()
	defer t.mu.Unlock()
	services := append([]Service{}, t.services...)
	for i, each := range t.targets {
		services[i].Budget = t.budgets.desired(each.namespace, each.name)
	}
	return services
}
