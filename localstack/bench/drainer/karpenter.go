package drainer

import (
	"context"
	"errors"
	"time"

	"golang.org/x/time/rate"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
)

// The constants of Karpenter v1.14 with its default of one requested core: evictionQueueBaseDelay, evictionQueueMaxDelay and
// minReconciles in pkg/controllers/node/termination/terminator/eviction.go; GetTypedBucketConfigs(100, 100, 100) in
// pkg/utils/controller gives 100 retries per second and a bucket of ten times that; nodes are looked at again after one second in
// pkg/controllers/node/termination/controller.go; KUBE_CLIENT_QPS and KUBE_CLIENT_BURST in pkg/operator/options. The code here is
// ours: only the numbers and the order of events are Karpenter's. Its events about refused evictions are left out.
const (
	karpenterBase, karpenterMax = 100 * time.Millisecond, 10 * time.Second
	karpenterRetries            = 100
	karpenterBucket             = 1000
	karpenterWorkers            = 100
	karpenterLook               = time.Second
	karpenterQPS, karpenterBst  = 200, 300
	byNode                      = "node"
)

type karpenter struct {
	e      *env
	client kubernetes.Interface
	pods   cache.Indexer
	lister corelisters.PodLister
	queue  workqueue.TypedRateLimitingInterface[target]
}

// target is a pod as it was when its node was looked at.
type target struct {
	types.NamespacedName
	uid types.UID
}

func karpenterLike(e *env) error {
	ctx, cancel := context.WithCancel(e.ctx)
	defer cancel()
	k, err := newKarpenter(ctx, e)
	if err != nil {
		return err
	}
	defer k.queue.ShutDown()
	for range karpenterWorkers {
		go func() {
			for k.work(ctx) {
			}
		}()
	}
	for {
		left, err := k.look()
		if err != nil || left == 0 {
			return err
		}
		if err := e.pause(e.job.wait(karpenterLook)); err != nil {
			return err
		}
	}
}

// newKarpenter fills a cache of all pods, which Karpenter holds anyway.
func newKarpenter(ctx context.Context, e *env) (*karpenter, error) {
	client, err := e.client(e.job.rate(karpenterQPS), karpenterBst)
	if err != nil {
		return nil, err
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	pods := factory.Core().V1().Pods()
	if err := pods.Informer().AddIndexers(cache.Indexers{byNode: func(obj any) ([]string, error) {
		return []string{obj.(*corev1.Pod).Spec.NodeName}, nil
	}}); err != nil {
		return nil, err
	}
	factory.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), pods.Informer().HasSynced) {
		return nil, errors.New("the cache was not filled")
	}
	limiter := workqueue.NewTypedMaxOfRateLimiter[target](
		workqueue.NewTypedItemExponentialFailureRateLimiter[target](e.job.wait(karpenterBase), e.job.wait(karpenterMax)),
		&workqueue.TypedBucketRateLimiter[target]{Limiter: rate.NewLimiter(rate.Limit(e.job.rate(karpenterRetries)), karpenterBucket)},
	)
	return &karpenter{
		e: e, client: client, pods: pods.Informer().GetIndexer(), lister: pods.Lister(), queue: workqueue.NewTypedRateLimitingQueue(limiter),
	}, nil
}

// look hands pods of the nodes to the queue and says how many are left on them.
func (k *karpenter) look() (int, error) {
	left := 0
	for _, node := range k.e.job.Nodes {
		pods, err := k.pods.ByIndex(byNode, node.Name)
		if err != nil {
			return 0, err
		}
		left += len(pods)
		for _, obj := range pods {
			pod := obj.(*corev1.Pod)
			t := target{types.NamespacedName{Namespace: pod.Namespace, Name: pod.Name}, pod.UID}
			if pod.DeletionTimestamp == nil && k.queue.NumRequeues(t) == 0 {
				k.queue.Add(t)
			}
		}
	}
	return left, nil
}

func (k *karpenter) work(ctx context.Context) bool {
	t, quit := k.queue.Get()
	if quit {
		return false
	}
	defer k.queue.Done(t)
	pod, err := k.lister.Pods(t.Namespace).Get(t.Name)
	if err != nil || pod.UID != t.uid || pod.DeletionTimestamp != nil {
		k.queue.Forget(t)
		return true
	}
	err = k.client.CoreV1().Pods(t.Namespace).EvictV1(ctx, &policyv1.Eviction{
		ObjectMeta:    metav1.ObjectMeta{Namespace: t.Namespace, Name: t.Name},
		DeleteOptions: &metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &t.uid}},
	})
	if err == nil || apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		k.queue.Forget(t)
		return true
	}
	k.queue.AddRateLimited(t)
	return true
}
