package demo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// look is how often conditions are looked at.
const look = 200 * time.Millisecond

// hopeless is the error of a look that no other look will change.
type hopeless struct{ error }

// await looks until there is nothing left to wait for, and says what it waits for meanwhile. Unless it is hopeless, an error
// counts as waiting: an API server under load may refuse a call.
func (s *story) await(ctx context.Context, about string, once func(context.Context) (waiting Progress, err error)) error {
	ticks := time.NewTicker(look)
	defer ticks.Stop()
	for {
		waiting, err := once(ctx)
		switch {
		case errors.As(err, &hopeless{}):
			return fmt.Errorf("%s: %w", about, err)
		case err != nil:
			waiting = Progress{Text: err.Error()}
		case waiting == (Progress{}):
			return nil
		}
		waiting.At, waiting.About = time.Now(), cmp.Or(waiting.About, about)
		s.teller.tell(waiting)
		s.witnesses.tell(s.teller)
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w; %s", context.Cause(ctx), waiting.line())
		case <-s.failed:
			return s.stack.Failure()
		case <-ticks.C:
		}
	}
}

// unless turns a condition into what is waited for: nothing if it is True.
func unless(condition *metav1.Condition, missing string) Progress {
	switch {
	case condition == nil:
		return Progress{Text: missing}
	case condition.Status == metav1.ConditionTrue:
		return Progress{}
	default:
		return Progress{Reason: condition.Reason, Text: oneLine(condition.Message)}
	}
}

// oneLine turns the bullet lists of Cluster API's conditions into one line.
func oneLine(text string) string {
	var parts []string
	for line := range strings.Lines(text) {
		if line = strings.TrimLeft(strings.TrimSpace(line), "* "); line != "" {
			parts = append(parts, line)
		}
	}
	return strings.Join(parts, " ")
}

// awaitWorkload waits until all pods run that the workload's owners want.
func (s *story) awaitWorkload(ctx context.Context) error {
	apps := s.workload.AppsV1()
	return s.await(ctx, "Workload", func(ctx context.Context) (Progress, error) {
		web, err := apps.Deployments("shop").Get(ctx, "web", metav1.GetOptions{})
		if err != nil {
			return Progress{}, err
		}
		orders, err := apps.StatefulSets("shop").Get(ctx, "orders", metav1.GetOptions{})
		if err != nil {
			return Progress{}, err
		}
		if running(web, orders) {
			return Progress{}, nil
		}
		return Progress{Text: fmt.Sprintf("%d of %d web, %d of %d orders pods are available",
			web.Status.AvailableReplicas, *web.Spec.Replicas, orders.Status.AvailableReplicas, *orders.Spec.Replicas)}, nil
	})
}

func running(web *appsv1.Deployment, orders *appsv1.StatefulSet) bool {
	return web.Status.AvailableReplicas == *web.Spec.Replicas && web.Status.ObservedGeneration == web.Generation &&
		orders.Status.AvailableReplicas == *orders.Spec.Replicas && orders.Status.ObservedGeneration == orders.Generation
}

func find(conditions []metav1.Condition, kind string) *metav1.Condition {
	for i := range conditions {
		if conditions[i].Type == kind {
			return &conditions[i]
		}
	}
	return nil
}
