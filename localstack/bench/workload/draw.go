package workload

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// Shape is the size of a workload. The same Shape always draws the same services.
type Shape struct {
	// Pods of all services together, Services how many services they are spread over.
	Pods, Services int
	// MaxReplicas is the largest service.
	MaxReplicas int
	// Namespaces the services live in.
	Namespaces int
	Seed       uint64
	// Scale multiplies every delay. 1 is real time.
	Scale float64
}

// The delays of a pod before they are scaled.
const (
	minStart, maxStart             = 8 * time.Second, 45 * time.Second
	minTermination, maxTermination = 1 * time.Second, 30 * time.Second
	// leastStateful is how long a pod of a StatefulSet takes to end at least, scaled or not. The disruption controller knows an evicted
	// pod by its name: one that is gone and back before the controller looks counts as disrupted for two minutes, whoever drains.
	leastStateful = 2 * time.Second
	// statefulShare of the services are StatefulSets, of at most statefulMax pods.
	statefulShare, statefulMax = 0.1, 5
	oneShare, quarterShare     = 0.6, 0.3
)

// Draw makes the services: 60 % with maxUnavailable 1, 30 % with 25 %, 10 % without a budget, each with its own delays.
func Draw(shape Shape) ([]Service, error) {
	if shape.Services < 1 || shape.Namespaces < 1 || shape.Scale <= 0 {
		return nil, errors.New("at least one service, one namespace and a positive scale of time are needed")
	}
	r := rand.New(rand.NewPCG(shape.Seed, 1))
	services := make([]Service, shape.Services)
	for i := range services {
		services[i] = Service{
			Namespace: fmt.Sprintf("bench-%02d", i%shape.Namespaces), Name: fmt.Sprintf("service-%04d", i), Kind: Deployment,
			Start: between(r, minStart, maxStart, shape.Scale), Termination: between(r, minTermination, maxTermination, shape.Scale),
		}
	}
	for rank, i := range r.Perm(shape.Services) {
		services[i].Budget = budgetOf(rank, shape.Services)
	}
	for rank, i := range r.Perm(shape.Services) {
		if rank < int(statefulShare*float64(shape.Services)) {
			services[i].Kind = StatefulSet
			services[i].Termination = max(services[i].Termination, leastStateful)
		}
	}
	return services, fill(r, services, shape)
}

func budgetOf(rank, of int) Budget {
	switch share := (float64(rank) + 0.5) / float64(of); {
	case share < oneShare:
		return BudgetOne
	case share < oneShare+quarterShare:
		return BudgetQuarter
	default:
		return BudgetNone
	}
}

func between(r *rand.Rand, low, high time.Duration, scale float64) time.Duration {
	drawn := low + time.Duration(r.Int64N(int64(high-low)+1))
	return time.Duration(float64(drawn) * scale).Round(time.Millisecond)
}

// fill draws the numbers of replicas and then moves single ones until the sum is right.
func fill(r *rand.Rand, services []Service, shape Shape) error {
	const least = 2
	limit := func(s Service) int {
		if s.Kind == StatefulSet {
			return min(statefulMax, shape.MaxReplicas)
		}
		return shape.MaxReplicas
	}
	sum, room := 0, 0
	for i := range services {
		services[i].Replicas = least + r.IntN(limit(services[i])-least+1)
		sum += services[i].Replicas
		room += limit(services[i])
	}
	if shape.Pods < least*len(services) || shape.Pods > room {
		return fmt.Errorf("%d pods do not fit %d services of %d to %d pods: change one of them", shape.Pods, len(services), least, shape.MaxReplicas)
	}
	for sum != shape.Pods {
		s := &services[r.IntN(len(services))]
		if sum < shape.Pods && s.Replicas < limit(*s) {
			s.Replicas++
			sum++
		} else if sum > shape.Pods && s.Replicas > least {
			s.Replicas--
			sum--
		}
	}
	return nil
}
