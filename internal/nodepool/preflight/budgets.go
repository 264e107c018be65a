package preflight

import (
	"cmp"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/fleetwright/fleetwright/drain"
)

// BlockedBudget is a PodDisruptionBudget that lets none of its pods on the nodes go now.
type BlockedBudget struct {
	// Budget is namespace/name.
	Budget string
	// Workload is the controller of the budget's first pod on the nodes.
	Workload Workload
	// Pods of it wait on the nodes.
	Pods int
	// Never says that it allows no disruption even with all pods healthy: maxUnavailable is 0, or minAvailable is not
	// less than the number of pods. It has to be changed, or the workload scaled up, before the nodes can be emptied.
	Never bool
	// Message is the drain engine's sentence with the budget's arithmetic.
	Message string
	// Since is when it stopped allowing; zero if unknown.
	Since time.Time
}

func (b BlockedBudget) never() bool { return b.Never }

// Overlap is a workload whose pods are covered by more than one PodDisruptionBudget.
type Overlap struct {
	Workload Workload
	Pods     int
	// Message is the drain engine's sentence with the names of the budgets.
	Message string
}

// Wait is anything else the drain engine waits for: a pod that finishes by itself, one that does not end, a controller
// that has not replaced an earlier pod, a webhook that refused.
type Wait struct {
	Workload Workload
	Pods     int
	Reason   drain.Reason
	// Message is the drain engine's sentence.
	Message string
}

// blockedBudgets are sorted by how bad they are: for ever first, then by pods that wait. The drain engine reports the pods
// of one budget apart where different rules count for them.
func (l *look) blockedBudgets() []BlockedBudget {
	var blocked []BlockedBudget
	index := map[string]int{}
	for _, b := range l.plan.Blockers {
		if b.Reason != drain.ReasonPodDisruptionBudget && b.Reason != drain.ReasonUnsatisfiableBudget {
			continue // waits and overlaps have them
		}
		if at, known := index[b.Budget]; known {
			blocked[at].Pods += b.Pods
			continue
		}
		index[b.Budget] = len(blocked)
		blocked = append(blocked, BlockedBudget{
			Budget: b.Budget, Workload: ownerOf(b), Pods: b.Pods,
			Never: b.Reason == drain.ReasonUnsatisfiableBudget, Message: b.Message, Since: b.Since,
		})
	}
	slices.SortFunc(blocked, func(a, b BlockedBudget) int {
		return cmp.Or(trueFirst(a.Never, b.Never), cmp.Compare(b.Pods, a.Pods), cmp.Compare(a.Budget, b.Budget))
	})
	return blocked
}

func (l *look) overlaps() []Overlap {
	found := map[Overlap]int{}
	for _, b := range l.plan.Blockers {
		if b.Reason == drain.ReasonMultipleBudgets {
			found[Overlap{Workload: ownerOf(b), Message: b.Message}] += b.Pods
		}
	}
	counted := map[Overlap]Overlap{}
	for o, pods := range found {
		o.Pods = pods
		counted[o] = o
	}
	return sortedValues(counted, func(a, b Overlap) int {
		return cmp.Or(cmp.Compare(b.Pods, a.Pods), compareWorkloads(a.Workload, b.Workload), cmp.Compare(a.Message, b.Message))
	})
}

// findings are the reasons that have a list of their own.
var findings = []drain.Reason{
	drain.ReasonPodDisruptionBudget, drain.ReasonUnsatisfiableBudget, drain.ReasonMultipleBudgets, drain.ReasonUnmanagedPod,
}

// waits keep the drain engine's order, which is by severity.
func (l *look) waits() []Wait {
	var waits []Wait
	index := map[Wait]int{}
	for _, b := range l.plan.Blockers {
		if slices.Contains(findings, b.Reason) {
			continue
		}
		w := Wait{Workload: ownerOf(b), Reason: b.Reason, Message: b.Message}
		at, known := index[w]
		if !known {
			at = len(waits)
			index[w] = at
			waits = append(waits, w)
		}
		waits[at].Pods += b.Pods
	}
	return waits
}

func ownerOf(b drain.Blocker) Workload {
	kind, name, owned := strings.Cut(b.Owner, "/")
	if !owned {
		kind, name = "Pod", b.Pod.Name
	}
	return Workload{Namespace: b.Pod.Namespace, Kind: kind, Name: name}
}

// covering returns the keys of the budgets that the eviction API asks about the pod: none while it is pending.
func covering(p drain.Pod, budgets []drain.Budget) []string {
	if p.Phase == corev1.PodPending {
		return nil
	}
	var keys []string
	for _, b := range budgets {
		if b.Selects(p) {
			keys = append(keys, b.Key())
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

func trueFirst(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	default:
		return 1
	}
}
