package kubelet

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/util/workqueue"
)

const (
	defaultWorkers = 8
	retryFirst     = 20 * time.Millisecond
	retryMax       = 5 * time.Second
	byNode         = "node"
)

// key names a Node (no namespace) or a Pod.
type key struct{ namespace, name string }

// kubelet plays all simulated nodes of one cluster. Everything goes through one delaying queue, so waiting costs no goroutine.
type kubelet struct {
	settings Settings
	client   kubernetes.Interface
	nodes    corelisters.NodeLister
	pods     cache.Indexer
	queue    workqueue.TypedRateLimitingInterface[key]
	seen     *sightings
	pulls    *pulls
	events   record.EventRecorder
	now      func() time.Time
}

// Start plays the kubelet for every Node of the cluster that carries Label, until ctx ends. It returns when it knows the
// cluster's nodes and pods. At most one may run per cluster.
func Start(ctx context.Context, cfg *rest.Config, settings Settings) error {
	cfg = rest.CopyConfig(cfg)
	cfg.QPS, cfg.Burst = -1, 0
	cfg.UserAgent = "fleetwright-localstack/kubelet"
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return fmt.Errorf("start simulated nodes: make client: %w", err)
	}
	if err := start(ctx, client, settings); err != nil {
		return fmt.Errorf("start simulated nodes: %w", err)
	}
	return nil
}

func start(ctx context.Context, client kubernetes.Interface, settings Settings) error {
	if settings.Workers <= 0 {
		settings.Workers = defaultWorkers
	}
	// Two factories, because the selectors differ.
	nodes := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithTransform(dropManagedFields),
		informers.WithTweakListOptions(func(o *metav1.ListOptions) { o.LabelSelector = Label + "=true" }))
	pods := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithTransform(dropManagedFields),
		informers.WithTweakListOptions(func(o *metav1.ListOptions) {
			o.FieldSelector = fields.OneTermNotEqualSelector("spec.nodeName", "").String()
		}))
	k := &kubelet{
		settings: settings,
		client:   client,
		nodes:    nodes.Core().V1().Nodes().Lister(),
		pods:     pods.Core().V1().Pods().Informer().GetIndexer(),
		queue:    workqueue.NewTypedRateLimitingQueue(workqueue.NewTypedItemExponentialFailureRateLimiter[key](retryFirst, retryMax)),
		seen:     newSightings(),
		pulls:    newPulls(settings.PullBackoff),
		events:   newRecorder(ctx, client),
		now:      time.Now,
	}
	if err := k.watch(nodes.Core().V1().Nodes().Informer(), pods.Core().V1().Pods().Informer()); err != nil {
		return err
	}
	for _, f := range []informers.SharedInformerFactory{nodes, pods} {
		f.Start(ctx.Done())
		for kind, synced := range f.WaitForCacheSync(ctx.Done()) {
			if !synced {
				return fmt.Errorf("fill cache of %s: %w", kind, context.Cause(ctx))
			}
		}
	}
	for range settings.Workers {
		go func() {
			for k.work(ctx) {
			}
		}()
	}
	go func() {
		<-ctx.Done()
		k.queue.ShutDown()
	}()
	return nil
}

// newRecorder writes events as a kubelet does: the same one again is counted.
func newRecorder(ctx context.Context, client kubernetes.Interface) record.EventRecorder {
	broadcaster := record.NewBroadcaster(record.WithContext(ctx))
	broadcaster.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: client.CoreV1().Events("")})
	return broadcaster.NewRecorder(scheme.Scheme, corev1.EventSource{Component: "kubelet"})
}

// dropManagedFields saves memory: nothing here asks who set a field.
func dropManagedFields(obj any) (any, error) {
	if a, err := meta.Accessor(obj); err == nil {
		a.SetManagedFields(nil)
	}
	return obj, nil
}

func (k *kubelet) watch(nodes, pods cache.SharedIndexInformer) error {
	err := pods.AddIndexers(cache.Indexers{byNode: func(obj any) ([]string, error) {
		return []string{obj.(*corev1.Pod).Spec.NodeName}, nil
	}})
	if err != nil {
		return fmt.Errorf("index pods: %w", err)
	}
	if _, err := pods.AddEventHandler(k.handler(k.enqueue)); err != nil {
		return fmt.Errorf("watch pods: %w", err)
	}
	if _, err := nodes.AddEventHandler(k.handler(k.enqueueNodeAndPods)); err != nil {
		return fmt.Errorf("watch nodes: %w", err)
	}
	return nil
}

func (k *kubelet) handler(enqueue func(metav1.Object)) cache.ResourceEventHandler {
	return cache.ResourceEventHandlerFuncs{
		AddFunc:    func(obj any) { enqueue(obj.(metav1.Object)) },
		UpdateFunc: func(_, obj any) { enqueue(obj.(metav1.Object)) },
		DeleteFunc: func(obj any) {
			if gone, ok := obj.(cache.DeletedFinalStateUnknown); ok {
				obj = gone.Obj
			}
			if o, ok := obj.(metav1.Object); ok {
				k.seen.forget(o.GetUID())
				k.pulls.forget(o.GetUID())
			}
		},
	}
}

func (k *kubelet) enqueue(o metav1.Object) { k.queue.Add(key{o.GetNamespace(), o.GetName()}) }

// enqueueNodeAndPods looks at a node's pods too when they may have waited for it. A node that runs pods already sends heartbeats, and those
// must not cost a look at each pod.
func (k *kubelet) enqueueNodeAndPods(o metav1.Object) {
	k.enqueue(o)
	pods, err := k.pods.ByIndex(byNode, o.GetName())
	if err != nil {
		return
	}
	for _, obj := range pods {
		if p := obj.(*corev1.Pod); p.Status.Phase == corev1.PodPending || p.DeletionTimestamp != nil {
			k.enqueue(p)
		}
	}
}

// work does one thing from the queue. False means that the queue was shut down.
func (k *kubelet) work(ctx context.Context) bool {
	item, quit := k.queue.Get()
	if quit {
		return false
	}
	defer k.queue.Done(item)
	again, err := k.sync(ctx, item)
	switch {
	case err == nil || apierrors.IsNotFound(err):
	case ctx.Err() != nil:
		return true
	default:
		if !apierrors.IsConflict(err) {
			k.settings.Log.Info("Could not write the state of a simulated node, trying again", "namespace", item.namespace, "name", item.name, "error", err.Error())
		}
		k.queue.AddRateLimited(item)
		return true
	}
	k.queue.Forget(item)
	if again > 0 {
		k.queue.AddAfter(item, again)
	}
	return true
}

// sync brings one object a step further and says when to look at it again; 0: when it changes.
func (k *kubelet) sync(ctx context.Context, item key) (time.Duration, error) {
	if item.namespace == "" {
		node, err := k.nodes.Get(item.name)
		if err != nil {
			return 0, err
		}
		return k.syncNode(ctx, node)
	}
	obj, exists, err := k.pods.GetByKey(item.namespace + "/" + item.name)
	if err != nil || !exists {
		return 0, err
	}
	pod := obj.(*corev1.Pod)
	node, err := k.nodes.Get(pod.Spec.NodeName)
	if err != nil {
		return 0, err // not simulated, or gone
	}
	return k.syncPod(ctx, node, pod)
}
