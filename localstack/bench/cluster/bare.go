package cluster

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fleetwright/fleetwright/localstack/bench/workload"
)

// removeLimit is how long the pods of a namespace may take to go.
const removeLimit = 5 * time.Minute

// ApplyBare creates pods without controllers, and their budgets, spread over the nodes. They do not pass the scheduler.
func (c *Cluster) ApplyBare(ctx context.Context, services []workload.Service, nodes []string) error {
	if err := c.namespaces(ctx, services); err != nil {
		return err
	}
	var pods []*corev1.Pod
	for _, s := range services {
		if err := c.budget(ctx, s); err != nil {
			return fmt.Errorf("create budget of %s: %w", s.Name, err)
		}
		for i := range s.Replicas {
			pods = append(pods, podOn(s, i, nodes[len(pods)%len(nodes)]))
		}
	}
	err := each(ctx, pods, func(ctx context.Context, p *corev1.Pod) error {
		_, err := c.Client.CoreV1().Pods(p.Namespace).Create(ctx, p, metav1.CreateOptions{})
		return err
	})
	if err != nil {
		return fmt.Errorf("create pods: %w", err)
	}
	return nil
}

func podOn(s workload.Service, i int, node string) *corev1.Pod {
	template := s.Template()
	pod := &corev1.Pod{ObjectMeta: template.ObjectMeta, Spec: template.Spec}
	pod.Namespace, pod.Name, pod.Spec.NodeName = s.Namespace, fmt.Sprintf("%s-%05d", s.Name, i), node
	return pod
}

// Remove deletes the pods and budgets of a namespace at once, and returns when gone does.
func (c *Cluster) Remove(ctx context.Context, namespace string, gone func(context.Context) error) error {
	now, all := metav1.DeleteOptions{GracePeriodSeconds: new(int64(0))}, metav1.ListOptions{}
	if err := c.Client.CoreV1().Pods(namespace).DeleteCollection(ctx, now, all); err != nil {
		return fmt.Errorf("delete pods of %s: %w", namespace, err)
	}
	if err := c.Client.PolicyV1().PodDisruptionBudgets(namespace).DeleteCollection(ctx, now, all); err != nil {
		return fmt.Errorf("delete budgets of %s: %w", namespace, err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, removeLimit, fmt.Errorf("the pods of %s do not go", namespace))
	defer cancel()
	return gone(ctx)
}
