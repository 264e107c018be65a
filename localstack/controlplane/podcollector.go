package controlplane

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
	podapi "k8s.io/kubernetes/pkg/api/v1/pod"
	nodeutil "k8s.io/kubernetes/pkg/util/node"
	podutil "k8s.io/kubernetes/pkg/util/pod"
)

const (
	// podCollectorPeriod and podCollectorQuarantine bound how long pods of a removed node live on; Kubernetes takes 20 s and 40 s.
	podCollectorPeriod     = 2 * time.Second
	podCollectorQuarantine = 3 * time.Second
)

// podCollector removes pods that no kubelet will ever end, by the rules of Kubernetes' podgc controller and with the same writes: pods of
// nodes that are gone, pods under deletion that never got a node, and those on nodes out of service. The one rule left out counts
// finished pods and is off here anyway; with it podgc would bring the whole kubelet, 151 packages, into every build.
type podCollector struct {
	client  kubernetes.Interface
	pods    corelisters.PodLister
	nodes   corelisters.NodeLister
	missing map[string]time.Time // nodes that have pods and do not exist, since when this is known
}

func newPodCollector(m *manager) func(context.Context) {
	pods, nodes := m.informers.Core().V1().Pods(), m.informers.Core().V1().Nodes()
	c := &podCollector{client: m.client, pods: pods.Lister(), nodes: nodes.Lister(), missing: map[string]time.Time{}}
	synced := []cache.InformerSynced{pods.Informer().HasSynced, nodes.Informer().HasSynced}
	return func(ctx context.Context) {
		if !cache.WaitForCacheSync(ctx.Done(), synced...) {
			return
		}
		wait.UntilWithContext(ctx, func(ctx context.Context) {
			if err := c.collect(ctx, time.Now()); err != nil {
				klog.FromContext(ctx).Info("Could not remove pods without a kubelet, trying again", "error", err.Error())
			}
		}, podCollectorPeriod)
	}
}

// collect looks at all pods once. A failure with one pod does not keep the others; it is tried again with the next look.
func (c *podCollector) collect(ctx context.Context, now time.Time) error {
	pods, err := c.pods.List(labels.Everything())
	if err != nil {
		return fmt.Errorf("list pods: %w", err)
	}
	var failures []error
	stillMissing := map[string]time.Time{}
	for _, pod := range pods {
		condition, remove, err := c.judge(ctx, pod, now, stillMissing)
		if err == nil && remove {
			err = c.remove(ctx, pod, condition)
		}
		if err != nil {
			failures = append(failures, fmt.Errorf("pod %s/%s: %w", pod.Namespace, pod.Name, err))
		}
	}
	c.missing = stillMissing
	return errors.Join(failures...)
}

// judge says whether a pod is to go, and the condition to be written before.
func (c *podCollector) judge(ctx context.Context, pod *corev1.Pod, now time.Time, stillMissing map[string]time.Time) (*corev1.PodCondition, bool, error) {
	name := pod.Spec.NodeName
	if name == "" {
		return nil, pod.DeletionTimestamp != nil, nil
	}
	node, err := c.nodes.Get(name)
	if err == nil {
		outOfService := hasTaint(node, corev1.TaintNodeOutOfService)
		return nil, pod.DeletionTimestamp != nil && outOfService && !nodeutil.IsNodeReady(node), nil
	}
	if !apierrors.IsNotFound(err) {
		return nil, false, fmt.Errorf("look for node %s: %w", name, err)
	}
	since, known := c.missing[name]
	if !known {
		since = now
	}
	stillMissing[name] = since
	if now.Sub(since) < podCollectorQuarantine {
		return nil, false, nil
	}
	if _, err := c.client.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		return nil, false, err // it exists and the cache is late, or it cannot be told
	}
	return &corev1.PodCondition{
		Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue, Reason: "DeletionByPodGC", Message: "PodGC: node no longer exists",
		ObservedGeneration: podapi.CalculatePodConditionObservedGeneration(&pod.Status, pod.Generation, corev1.DisruptionTarget),
	}, true, nil
}

func hasTaint(node *corev1.Node, key string) bool {
	for _, t := range node.Spec.Taints {
		if t.Key == key {
			return true
		}
	}
	return false
}

// remove deletes a pod at once. One that has not finished is marked as failed first, so that its owner does not count it as running.
func (c *podCollector) remove(ctx context.Context, pod *corev1.Pod, condition *corev1.PodCondition) error {
	klog.FromContext(ctx).Info("Removing pod that no kubelet will end", "pod", klog.KObj(pod), "node", pod.Spec.NodeName)
	if pod.Status.Phase != corev1.PodSucceeded && pod.Status.Phase != corev1.PodFailed {
		status := pod.Status.DeepCopy()
		status.Phase = corev1.PodFailed
		status.ObservedGeneration = podapi.CalculatePodStatusObservedGeneration(pod)
		if condition != nil {
			podapi.UpdatePodCondition(status, condition)
		}
		_, _, _, err := podutil.PatchPodStatus(ctx, c.client, pod.Namespace, pod.Name, pod.UID, pod.Status, *status)
		if err != nil {
			return fmt.Errorf("mark it as failed: %w", err)
		}
	}
	err := c.client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, *metav1.NewDeleteOptions(0))
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("delete it: %w", err)
	}
	return nil
}
