// Package workload draws the services that a drain benchmark moves, and computes the time that no drainer can beat.
package workload

import (
	"fmt"
	"math"
	"time"
)

// Kind is who brings a service's pods back.
type Kind string

const (
	// Deployment starts a replacement as soon as a pod is told to end.
	Deployment Kind = "Deployment"
	// StatefulSet starts it when the pod is gone, because the replacement takes its name.
	StatefulSet Kind = "StatefulSet"
	// ReplicaSet is a Deployment without the object above it.
	ReplicaSet Kind = "ReplicaSet"
	// Bare is nobody.
	Bare Kind = "Bare"
)

// Budget is the PodDisruptionBudget of a service.
type Budget string

const (
	// BudgetOne is maxUnavailable: 1.
	BudgetOne Budget = "maxUnavailable 1"
	// BudgetQuarter is maxUnavailable: 25%, which Kubernetes rounds up.
	BudgetQuarter Budget = "maxUnavailable 25%"
	// BudgetAll is minAvailable: 0, a budget that is asked and never in the way.
	BudgetAll Budget = "minAvailable 0"
	// BudgetNone is no PodDisruptionBudget.
	BudgetNone Budget = "none"
)

// Service is one workload: its size, its budget and how long its pods take.
type Service struct {
	Namespace string
	Name      string
	Kind      Kind
	Replicas  int
	Budget    Budget
	// Start is tau, from a pod's binding to a node until it is Ready. Termination is g, from the request to end until it is gone.
	Start, Termination time.Duration
}

// Allowed is b, how many of the pods may be away at once; all of them without a budget.
func (s Service) Allowed() int {
	switch s.Budget {
	case BudgetOne:
		return 1
	case BudgetQuarter:
		return int(math.Ceil(float64(s.Replicas) / 4))
	default:
		return s.Replicas
	}
}

// Slot is the time between two evictions of the same place in the budget: the replacement must be Ready first.
func (s Service) Slot() time.Duration {
	if s.Kind == StatefulSet {
		return s.Termination + s.Start
	}
	return s.Start
}

// Chain is the least time in which a service's pods can be gone from the old nodes: (ceil(r/b)-1)*slot + g.
func (s Service) Chain() time.Duration {
	return time.Duration(s.Rounds()-1)*s.Slot() + s.Termination
}

// Rounds is ceil(r/b), how many evictions must follow each other.
func (s Service) Rounds() int { return (s.Replicas + s.Allowed() - 1) / s.Allowed() }

// Formula says what Bound computes.
const Formula = "max over services of (ceil(r/b)-1)*slot + g; slot = tau, for a StatefulSet g + tau"

// Bound is the longest chain of the services, and whose it is. No drainer that keeps to the budgets can be faster.
func Bound(services []Service) (longest time.Duration, whose Service) {
	for _, s := range services {
		if c := s.Chain(); c > longest {
			longest, whose = c, s
		}
	}
	return longest, whose
}

// String names the service with what makes its chain long.
func (s Service) String() string {
	return fmt.Sprintf("%s %s/%s, r=%d, budget %s, tau=%.1fs, g=%.1fs", s.Kind, s.Namespace, s.Name, s.Replicas, s.Budget, s.Start.Seconds(), s.Termination.Seconds())
}
