package kubelet

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
)

// syncPod brings a pod that is bound to a simulated node one step further.
func (k *kubelet) syncPod(ctx context.Context, node *corev1.Node, pod *corev1.Pod) (time.Duration, error) {
	switch {
	case pod.DeletionTimestamp != nil:
		return k.syncTerminating(ctx, pod)
	case ended(pod):
		return 0, nil
	case pod.Status.Phase == corev1.PodRunning:
		return k.syncRunning(ctx, node, pod)
	default:
		return k.syncStarting(ctx, node, pod)
	}
}

func (k *kubelet) syncStarting(ctx context.Context, node *corev1.Node, pod *corev1.Pod) (time.Duration, error) {
	ready := nodeCondition(node, corev1.NodeReady)
	if ready == nil || ready.Status != corev1.ConditionTrue {
		return 0, nil // the node's change brings us back
	}
	began := ready.LastTransitionTime.Time
	if c := podCondition(pod, corev1.PodScheduled); c != nil && c.LastTransitionTime.After(began) {
		began = c.LastTransitionTime.Time
	}
	now := k.now()
	d := k.draw(k.settings.PodStart, "start", pod, AnnotationStartSeconds)
	if due := k.seen.due(pod.UID, starting, began, now, d); due.After(now) {
		return due.Sub(now), nil
	}
	waiting, again := k.pullImages(ctx, pod, now)
	switch {
	case len(waiting) == 0:
		return 0, k.patchPodStatus(ctx, pod, runningStatus(node, pod, now))
	case saysWaiting(pod, waiting):
		return again, nil
	default:
		return again, k.patchPodStatus(ctx, pod, waitingStatus(node, pod, waiting, now))
	}
}

func (k *kubelet) syncRunning(ctx context.Context, node *corev1.Node, pod *corev1.Pod) (time.Duration, error) {
	now := k.now()
	if d, ok := seconds(pod.Annotations[AnnotationRunSeconds]); ok {
		due := k.seen.due(pod.UID, running, lastStarted(pod), now, d)
		if !due.After(now) {
			return 0, k.patchPodStatus(ctx, pod, endedStatus(pod, false, now))
		}
		if isReady(pod) == wantsReady(pod) {
			return due.Sub(now), nil
		}
	}
	if isReady(pod) == wantsReady(pod) {
		return 0, nil
	}
	return 0, k.patchPodStatus(ctx, pod, runningStatus(node, pod, now))
}

// syncTerminating plays SIGTERM: the pod is not ready from now on, ends when its own time or its grace period is over, and is then removed.
// Finalizers keep the object, of which then only the final phase is written.
func (k *kubelet) syncTerminating(ctx context.Context, pod *corev1.Pod) (time.Duration, error) {
	now := k.now()
	var grace time.Duration
	if pod.DeletionGracePeriodSeconds != nil {
		grace = time.Duration(*pod.DeletionGracePeriodSeconds) * time.Second
	}
	if pod.Status.Phase == corev1.PodRunning && grace > 0 {
		own := k.draw(k.settings.PodTermination, "termination", pod, AnnotationTerminationSeconds)
		due := k.seen.due(pod.UID, terminating, pod.DeletionTimestamp.Add(-grace), now, min(own, grace))
		if due.After(now) {
			if !isReady(pod) {
				return due.Sub(now), nil
			}
			if err := k.patchPodStatus(ctx, pod, notReadyStatus(pod, now)); err != nil {
				return 0, err
			}
			return due.Sub(now), nil
		}
		if len(pod.Finalizers) > 0 {
			return 0, k.patchPodStatus(ctx, pod, endedStatus(pod, own > grace, now))
		}
	}
	if len(pod.Finalizers) > 0 && !ended(pod) {
		return 0, k.patchPodStatus(ctx, pod, endedStatus(pod, grace == 0, now))
	}
	if grace == 0 {
		return 0, nil // already removed as far as finalizers allow
	}
	return 0, k.remove(ctx, pod)
}

// remove deletes this very pod, not one that took its name meanwhile.
func (k *kubelet) remove(ctx context.Context, pod *corev1.Pod) error {
	var now int64
	err := k.client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, metav1.DeleteOptions{
		GracePeriodSeconds: &now, Preconditions: &metav1.Preconditions{UID: &pod.UID},
	})
	if apierrors.IsConflict(err) {
		return nil
	}
	return err
}

func (k *kubelet) draw(r Range, what string, pod *corev1.Pod, annotation string) time.Duration {
	return draw(k.settings.Seed, r, what, pod.Namespace+"/"+pod.Name, pod.Annotations[annotation])
}

// patchPodStatus names the UID, so that a pod that took this one's name is not touched.
func (k *kubelet) patchPodStatus(ctx context.Context, pod *corev1.Pod, status corev1.PodStatus) error {
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&status)
	if err != nil {
		return fmt.Errorf("encode status of pod %s/%s: %w", pod.Namespace, pod.Name, err)
	}
	emptyWords(fields)
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": pod.UID}, "status": fields})
	if err != nil {
		return fmt.Errorf("encode status of pod %s/%s: %w", pod.Namespace, pod.Name, err)
	}
	_, err = k.client.CoreV1().Pods(pod.Namespace).Patch(ctx, pod.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status")
	return err
}

// emptyWords has reason and message of conditions that have none taken away: a merge would leave those of the condition before.
func emptyWords(status map[string]any) {
	conditions, _ := status["conditions"].([]any)
	for _, each := range conditions {
		condition, ok := each.(map[string]any)
		for _, word := range []string{"reason", "message"} {
			if _, said := condition[word]; ok && !said {
				condition[word] = nil
			}
		}
	}
}
