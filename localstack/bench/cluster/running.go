package cluster

import (
	"context"
	"fmt"
	"sync"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fleetwright/fleetwright/localstack/bench/workload"
)

// ApplyRunning creates ReplicaSets with pods that are on their nodes and Ready already, and budgets. It is for many pods, and to be called
// before Run, so that no controller makes pods of its own.
func (c *Cluster) ApplyRunning(ctx context.Context, services []workload.Service, nodes []string) error {
	if err := c.namespaces(ctx, services); err != nil {
		return err
	}
	var mu sync.Mutex
	var pods []*corev1.Pod
	err := each(ctx, services, func(ctx context.Context, s workload.Service) error {
		if err := c.budget(ctx, s); err != nil {
			return err
		}
		set, err := c.Client.AppsV1().ReplicaSets(s.Namespace).Create(ctx, s.ReplicaSet(), metav1.CreateOptions{})
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		for i := range s.Replicas {
			pod := podOn(s, i, nodes[len(pods)%len(nodes)])
			pod.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(set, appsv1.SchemeGroupVersion.WithKind("ReplicaSet"))}
			pods = append(pods, pod)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("create services: %w", err)
	}
	if err := each(ctx, pods, c.createRunning); err != nil {
		return fmt.Errorf("create pods: %w", err)
	}
	return nil
}

// createRunning plays scheduler and kubelet.
func (c *Cluster) createRunning(ctx context.Context, pod *corev1.Pod) error {
	pod, err := c.Client.CoreV1().Pods(pod.Namespace).Create(ctx, pod, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	now := metav1.Now()
	pod.Status.Phase, pod.Status.StartTime = corev1.PodRunning, &now
	for _, t := range []corev1.PodConditionType{corev1.PodScheduled, corev1.PodInitialized, corev1.ContainersReady, corev1.PodReady} {
		pod.Status.Conditions = append(pod.Status.Conditions, corev1.PodCondition{Type: t, Status: corev1.ConditionTrue, LastTransitionTime: now})
	}
	_, err = c.Client.CoreV1().Pods(pod.Namespace).UpdateStatus(ctx, pod, metav1.UpdateOptions{})
	return err
}
