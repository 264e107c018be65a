package ladder

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"github.com/fleetwright/fleetwright/drain"
)

// ErrNoDrain is returned when the drain has no id.
var ErrNoDrain = errors.New("the drain has no id, so that nobody could tell whose changes are whose")

// Observe reads what the rungs that are due need, all live, and nothing else; when none is due, that is one list of the
// Deployments that are marked as scaled up. id is the drain's, unique in the cluster and the same at every look. A list
// that could not be read to its end is an error; an error means that nothing is known.
func Observe(ctx context.Context, client kubernetes.Interface, id string, plan drain.Plan, policy drain.Policy, now time.Time) (Facts, error) {
	if id == "" {
		return Facts{}, ErrNoDrain
	}
	if len(plan.Nodes) == 0 {
		return Facts{}, drain.ErrNoNodes // without nodes every Deployment would seem to have left them
	}
	o := observer{client: client, plan: plan, policy: policy, now: now, complete: map[types.UID]bool{}, scalers: map[string]scalers{}, facts: Facts{
		Drain: id, Workloads: map[types.UID]Object{}, Deployments: map[types.UID]Deployment{},
		Budgets: map[string]Budget{}, Told: map[string]bool{}, Nodes: map[string]Node{},
	}}
	for _, part := range []struct {
		what string
		read func(context.Context) error
	}{
		{"list deployments that were scaled up", o.scaledUp},
		{"read what was told to owners", o.told},
		{"read deployments behind blocking pods", o.helped},
		{"read nodes to give up", o.nodes},
		{"read pods whose deadline is over", o.forced},
	} {
		if err := part.read(ctx); err != nil {
			return Facts{}, fmt.Errorf("%s: %w", part.what, err)
		}
	}
	return o.facts, nil
}

type observer struct {
	client kubernetes.Interface
	plan   drain.Plan
	policy drain.Policy
	now    time.Time
	facts  Facts
	// complete has the Deployments of which all is known that is needed before they are changed.
	complete map[types.UID]bool
	// scalers by namespace.
	scalers map[string]scalers
}

func (o *observer) scaledUp(ctx context.Context) error {
	var marked []appsv1.Deployment
	err := each(ctx, o.client.AppsV1().Deployments(metav1.NamespaceAll).List, metav1.ListOptions{LabelSelector: LabelScaledUp},
		func(d *appsv1.Deployment) { marked = append(marked, *d) })
	if err != nil {
		return err
	}
	for i := range marked {
		if err := o.deployment(ctx, &marked[i], false); err != nil {
			return err
		}
	}
	return nil
}

// helped reads the Deployments that may be restarted or scaled up, and the budgets that keep their pods.
func (o *observer) helped(ctx context.Context) error {
	for _, b := range o.plan.Blockers {
		if !needsDeployment(b, o.policy, o.now) {
			continue
		}
		if err := o.workload(ctx, b); err != nil {
			return err
		}
		w := o.facts.Workloads[b.Controller.UID]
		if w.Kind != "Deployment" {
			continue
		}
		if err := o.readDeployment(ctx, w); err != nil {
			return err
		}
		if due(b, o.policy, drain.RungScaleUpBudget, o.now) {
			if err := o.budget(ctx, b.Budget); err != nil {
				return err
			}
		}
	}
	return nil
}

func (o *observer) budget(ctx context.Context, key string) error {
	if _, known := o.facts.Budgets[key]; known {
		return nil
	}
	namespace, name, _ := strings.Cut(key, "/")
	budget, err := o.client.PolicyV1().PodDisruptionBudgets(namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil // then it is no longer in the way, and the next plan says so
	}
	if err != nil {
		return err
	}
	o.facts.Budgets[key] = slimBudget(budget)
	return nil
}
