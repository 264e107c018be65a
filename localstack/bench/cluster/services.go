package cluster

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fleetwright/fleetwright/localstack/bench/workload"
)

// Apply creates the services with their namespaces and budgets. Their pods come from the controllers.
func (c *Cluster) Apply(ctx context.Context, services []workload.Service) error {
	if err := c.namespaces(ctx, services); err != nil {
		return err
	}
	err := each(ctx, services, func(ctx context.Context, s workload.Service) error {
		if err := c.budget(ctx, s); err != nil {
			return err
		}
		if s.Kind == workload.StatefulSet {
			_, err := c.Client.AppsV1().StatefulSets(s.Namespace).Create(ctx, s.StatefulSet(), metav1.CreateOptions{})
			return err
		}
		_, err := c.Client.AppsV1().Deployments(s.Namespace).Create(ctx, s.Deployment(), metav1.CreateOptions{})
		return err
	})
	if err != nil {
		return fmt.Errorf("create services: %w", err)
	}
	return nil
}

func (c *Cluster) budget(ctx context.Context, s workload.Service) error {
	budget := s.DisruptionBudget()
	if budget == nil {
		return nil
	}
	_, err := c.Client.PolicyV1().PodDisruptionBudgets(s.Namespace).Create(ctx, budget, metav1.CreateOptions{})
	return err
}

func (c *Cluster) namespaces(ctx context.Context, services []workload.Service) error {
	done := map[string]bool{}
	for _, s := range services {
		if done[s.Namespace] {
			continue
		}
		done[s.Namespace] = true
		namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.Namespace}}
		if _, err := c.Client.CoreV1().Namespaces().Create(ctx, namespace, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("create namespace %s: %w", s.Namespace, err)
		}
	}
	return nil
}
