package preflight

import (
	"cmp"
	"slices"

	"k8s.io/apimachinery/pkg/types"

	"github.com/fleetwright/fleetwright/drain"
)

// Singleton is a workload of one pod that no PodDisruptionBudget covers. The pod is evicted before its replacement
// starts, so the workload is away for as long as one pod takes to become ready.
type Singleton struct {
	Workload Workload
	Pod      types.NamespacedName
}

// singletons leaves out Jobs, which start over and serve nobody meanwhile, and pods that are not ready, whose outage is
// not ours. A controller of unknown size, such as a custom resource, counts if one pod of it is known.
func (l *look) singletons() []Singleton {
	sizes := l.sizes()
	var found []Singleton
	for _, p := range l.pods {
		counts := p.verdict.Behavior == drain.BehaviorEvict && p.Ready && len(p.budgets) == 0
		if counts && p.Controller.UID != "" && p.Controller.Kind != "Job" && sizes.of(p) == 1 {
			found = append(found, Singleton{Workload: p.workload, Pod: p.Key()})
		}
	}
	slices.SortFunc(found, func(a, b Singleton) int {
		return cmp.Or(compareWorkloads(a.Workload, b.Workload), cmp.Compare(a.Pod.Name, b.Pod.Name))
	})
	return slices.CompactFunc(found, func(a, b Singleton) bool { return a.Workload == b.Workload })
}

// sizes says how many pods a workload has, from the best source that knows.
type sizes struct {
	deployments map[Workload]int
	owners      map[types.UID]int
	seen        map[types.UID]int
}

func (l *look) sizes() sizes {
	s := sizes{deployments: map[Workload]int{}, owners: map[types.UID]int{}, seen: map[types.UID]int{}}
	for _, d := range l.Deployments {
		s.deployments[Workload{Namespace: d.Namespace, Kind: "Deployment", Name: d.Name}] = int(d.Desired)
	}
	for _, o := range l.Drain.Owners {
		s.owners[o.UID] = int(o.Desired)
	}
	counted := map[podKey]bool{}
	for _, p := range l.Drain.Pods {
		if key := (podKey{p.Key(), p.UID}); !counted[key] && !p.Finished() && !p.Terminating() {
			counted[key] = true
			s.seen[p.Controller.UID]++
		}
	}
	return s
}

// of asks the Deployment first: in the middle of its own rollout, one of its ReplicaSets may want a single pod.
func (s sizes) of(p pod) int {
	if n, known := s.deployments[p.workload]; known {
		return n
	}
	if n, known := s.owners[p.Controller.UID]; known {
		return n
	}
	return s.seen[p.Controller.UID]
}
