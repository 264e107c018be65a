package drain

import (
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
)

const (
	// countsWithin is how long the disruption controller is given to count an eviction. It has one worker for all budgets of
	// a cluster, and an entry's time is whole seconds.
	countsWithin = time.Second
	// budgetSettles is how long a budget must have allowed nothing before its numbers count as final. Expected follows
	// the number of pods that exist, and dips while a StatefulSet brings one back.
	budgetSettles = 10 * time.Second
	// maxDisrupted is where kube-apiserver refuses evictions because too many are not yet counted.
	maxDisrupted = 2000
)

// inFlight says that an eviction was granted a moment ago, so that the disruption controller is about to write the status,
// too. An eviction that collides with that write is held by kube-apiserver for half a second. A controller that is slow
// to count is not waited for: kube-apiserver takes each eviction off Allowed by itself.
func (b Budget) inFlight(now time.Time) bool {
	return slices.ContainsFunc(b.Disrupted, func(d Disruption) bool { return now.Sub(d.At) < countsWithin })
}

// stale says that the status speaks about an older spec; kube-apiserver refuses evictions meanwhile.
func (b Budget) stale() bool { return b.ObservedGeneration < b.Generation }

// allows says that kube-apiserver would grant one eviction by this status.
func (b Budget) allows() bool {
	return !b.stale() && b.Allowed >= 1 && len(b.Disrupted) <= maxDisrupted
}

// final says that the numbers are the controller's own, about the present spec, and no longer in motion.
func (b Budget) final(now time.Time) bool {
	settled := b.BlockedSince.IsZero() || now.Sub(b.BlockedSince) >= budgetSettles
	return settled && !b.stale() && b.SyncFailure == ""
}

// unsatisfiable says that no disruption is allowed even with every expected pod healthy.
func (b Budget) unsatisfiable(now time.Time) bool {
	return b.final(now) && b.Allowed < 1 && b.Expected > 0 && b.Desired >= b.Expected
}

// forgotten says that more ready pods were seen than the budget counts. It happens when one of two budgets over the
// same pods is deleted: the disruption controller told only one of them about each pod, and looks at the other again
// only when that budget or a pod changes.
func (b Budget) forgotten(seen int, now time.Time) bool {
	return b.final(now) && b.Allowed < 1 && seen > int(b.Healthy)
}

func (b Budget) reason(now time.Time) Reason {
	if b.unsatisfiable(now) {
		return ReasonUnsatisfiableBudget
	}
	return ReasonPodDisruptionBudget
}

// width is how many pods may be away at once when all are healthy; it is the divisor of the chain's length.
func (b Budget) width() int {
	return max(1, int(b.Expected-b.Desired))
}

// free says that evicting the pod needs nothing from the budget, by the rules of the eviction API: pods that are not
// ready go if the budget says AlwaysAllow, or if it is met without them.
func (b Budget) free(p Pod) bool {
	switch {
	case p.Ready:
		return false
	case b.Unhealthy == policyv1.AlwaysAllow:
		return true
	default:
		return b.Desired > 0 && b.Healthy >= b.Desired
	}
}

// sentence is the budget's arithmetic for people; seen is how many ready pods of it are known.
func (b Budget) sentence(seen int, now time.Time) string {
	name := "PodDisruptionBudget " + b.Key()
	switch {
	case b.forgotten(seen, now):
		return fmt.Sprintf("%s counts %d ready where %d or more are, annotate it to have it counted again", name, b.Healthy, seen)
	case b.stale():
		return name + " was changed and its status has not caught up"
	case b.SyncFailure != "":
		return name + " allows 0, its status could not be computed: " + strings.TrimRight(b.SyncFailure, ".\n ")
	case b.unsatisfiable(now):
		return fmt.Sprintf("%s can never allow a disruption: %d expected, %d needed", name, b.Expected, b.Desired)
	case b.Allowed >= 1 && len(b.Disrupted) > maxDisrupted:
		return fmt.Sprintf("%s has %d evictions that its controller has not counted", name, len(b.Disrupted))
	default:
		return fmt.Sprintf("%s allows %d of %d: %d ready, %d needed", name, b.Allowed, b.Expected, b.Healthy, b.Desired)
	}
}

// budgetsOf returns the budgets that count for the pod. The eviction API does not ask any about a pending pod.
func budgetsOf(p Pod, byNamespace map[string][]Budget) []Budget {
	if p.Phase == corev1.PodPending {
		return nil
	}
	var found []Budget
	for _, b := range byNamespace[p.Namespace] {
		if b.Selects(p) {
			found = append(found, b)
		}
	}
	return found
}
