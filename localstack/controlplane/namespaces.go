package controlplane

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/controller/namespace/deletion"
)

const (
	namespaceRetryFirst = 50 * time.Millisecond
	namespaceRetryMax   = 5 * time.Second
)

// newNamespaceCleaner returns a loop that empties namespaces under deletion with Kubernetes' own code. Kubernetes' loop around it waits 5 s
// before the first try and as long as it estimates before the next, for the sake of replicated API servers; here is just one.
func newNamespaceCleaner(ctx context.Context, m *manager) (func(context.Context), error) {
	queue := workqueue.NewTypedRateLimitingQueue(workqueue.NewTypedItemExponentialFailureRateLimiter[string](namespaceRetryFirst, namespaceRetryMax))
	enqueue := func(obj any) {
		if ns, ok := obj.(*corev1.Namespace); ok && ns.DeletionTimestamp != nil {
			queue.Add(ns.Name)
		}
	}
	namespaces := m.informers.Core().V1().Namespaces()
	_, err := namespaces.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    enqueue,
		UpdateFunc: func(_, obj any) { enqueue(obj) },
	})
	if err != nil {
		return nil, fmt.Errorf("watch namespaces: %w", err)
	}
	deleter := deletion.NewNamespacedResourcesDeleter(ctx, m.client.CoreV1().Namespaces(), m.metadata, m.client.CoreV1(),
		m.client.Discovery().ServerPreferredNamespacedResources, corev1.FinalizerKubernetes)
	clean := func(ctx context.Context) bool {
		name, quit := queue.Get()
		if quit {
			return false
		}
		defer queue.Done(name)
		if err := deleter.Delete(ctx, name); err != nil && !apierrors.IsNotFound(err) {
			if _, remaining := errors.AsType[*deletion.ResourcesRemainingError](err); !remaining {
				klog.FromContext(ctx).Info("Could not empty namespace, trying again", "namespace", name, "error", err.Error())
			}
			queue.AddRateLimited(name)
			return true
		}
		queue.Forget(name)
		return true
	}
	return func(ctx context.Context) {
		go func() {
			<-ctx.Done()
			queue.ShutDown()
		}()
		for clean(ctx) {
		}
	}, nil
}
