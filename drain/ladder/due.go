package ladder

import (
	"slices"
	"time"

	"github.com/fleetwright/fleetwright/drain"
)

// rung returns the first rung of the policy's ladder with the action.
func rung(policy drain.Policy, action drain.RungAction) (drain.Rung, bool) {
	i := slices.IndexFunc(policy.Ladder, func(r drain.Rung) bool { return r.Action == action })
	if i < 0 {
		return drain.Rung{}, false
	}
	return policy.Ladder[i], true
}

// due says that the policy has the rung, that it is meant for such a blocker, and that its time has come. It has not while
// nobody knows since when the pod is in the way.
func due(b drain.Blocker, policy drain.Policy, action drain.RungAction, now time.Time) bool {
	r, ok := rung(policy, action)
	if !ok || !over(b, r.After, now) {
		return false
	}
	if action == drain.RungNotify {
		return concernsOwner(b)
	}
	return heldByBudget(b)
}

func over(b drain.Blocker, after time.Duration, now time.Time) bool {
	return !b.Since.IsZero() && now.Sub(b.Since) >= after
}

// concernsOwner says that the owner of the workload can do something about the blocker, or wants to know.
func concernsOwner(b drain.Blocker) bool {
	switch b.Reason {
	case drain.ReasonNotCordoned, drain.ReasonUnreachable, drain.ReasonForbidden, drain.ReasonNamespaceTerminating:
		return false
	default:
		return b.Pod.Name != ""
	}
}

// heldByBudget says that one budget is in the way, which another pod elsewhere may satisfy.
func heldByBudget(b drain.Blocker) bool {
	return b.Budget != "" && (b.Reason == drain.ReasonPodDisruptionBudget || b.Reason == drain.ReasonUnsatisfiableBudget)
}

// quarantineDue says that the blocker's nodes are to be given up. A denying webhook is its owner at work and starts no
// deadline; NotCordoned and Unreachable say nothing about a pod.
func quarantineDue(b drain.Blocker, now time.Time) bool {
	switch b.Reason {
	case drain.ReasonNotCordoned, drain.ReasonUnreachable, drain.ReasonWebhookDenied:
		return false
	default:
		return b.Deadline.Action == drain.DeadlineQuarantine && over(b, b.Deadline.After, now)
	}
}

// forceDue says that the blocker's pod is to be deleted. Only what is named here ever is: a wish of the pod's owner, a
// webhook, our own missing rights and a pod that is ending already are no reason to delete, and neither is a reason
// that this package does not know.
func forceDue(b drain.Blocker, now time.Time) bool {
	switch b.Reason {
	case drain.ReasonPodDisruptionBudget, drain.ReasonUnsatisfiableBudget, drain.ReasonMultipleBudgets,
		drain.ReasonReplacementNotReady, drain.ReasonUnmanagedPod:
	case drain.ReasonWaitCompleted:
		// The policy's deadline does not reach such a pod. A rule that waits for it may say for how long; a label cannot.
		if b.Rule == "" {
			return false
		}
	default:
		return false
	}
	return b.Deadline.Action == drain.DeadlineForce && b.UID != "" && over(b, b.Deadline.After, now)
}

// quarantines says that some deadline of the policy is Quarantine.
func quarantines(policy drain.Policy) bool {
	return policy.Deadline.Action == drain.DeadlineQuarantine || slices.ContainsFunc(policy.Rules, func(r drain.Rule) bool {
		return r.Deadline != nil && r.Deadline.Action == drain.DeadlineQuarantine
	})
}

// nodesOf returns the nodes that hold the blocker's pods.
func nodesOf(b drain.Blocker) []string {
	if len(b.Nodes) == 0 && b.Node != "" {
		return []string{b.Node}
	}
	return b.Nodes
}

// needsDeployment says that a decision about the blocker depends on the Deployment behind it: a helping rung is due, or
// was and may still be at work when the deadline is over.
func needsDeployment(b drain.Blocker, policy drain.Policy, now time.Time) bool {
	if !heldByBudget(b) {
		return false
	}
	if due(b, policy, drain.RungRestartSingleton, now) || due(b, policy, drain.RungScaleUpBudget, now) {
		return true
	}
	_, restarts := rung(policy, drain.RungRestartSingleton)
	_, scales := rung(policy, drain.RungScaleUpBudget)
	return (restarts || scales) && (quarantineDue(b, now) || forceDue(b, now))
}
