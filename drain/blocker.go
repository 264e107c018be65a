package drain

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// Reason is the class of a blocker.
type Reason string

const (
	// ReasonNotCordoned surfaces when a node that is to be emptied still takes pods; nothing is evicted until all are
	// cordoned, because pods would hop from old node to old node.
	ReasonNotCordoned Reason = "NotCordoned"
	// ReasonMultipleBudgets surfaces when more than one budget covers a pod: the eviction API answers 500 for ever.
	ReasonMultipleBudgets Reason = "MultipleBudgets"
	// ReasonUnsatisfiableBudget surfaces when a budget allows no disruption even with every pod healthy.
	ReasonUnsatisfiableBudget Reason = "UnsatisfiableBudget"
	// ReasonWebhookDenied surfaces when an admission webhook or policy refused the eviction: its owner is at work.
	ReasonWebhookDenied Reason = "WebhookDenied"
	// ReasonForbidden surfaces when our own rights do not reach the eviction.
	ReasonForbidden Reason = "Forbidden"
	// ReasonRejected surfaces when the API server refused the request for another reason; the message has its words.
	ReasonRejected Reason = "Rejected"
	// ReasonFinalizer surfaces when a terminating pod is past its deadline and a finalizer keeps the object.
	ReasonFinalizer Reason = "Finalizer"
	// ReasonNodeLost surfaces when a terminating pod is past its deadline and its node is not Ready.
	ReasonNodeLost Reason = "NodeLost"
	// ReasonStuckTerminating surfaces when a terminating pod is past its deadline for no reason that can be seen.
	ReasonStuckTerminating Reason = "StuckTerminating"
	// ReasonUnmanagedPod surfaces when a pod has no controller and policy says to wait.
	ReasonUnmanagedPod Reason = "UnmanagedPod"
	// ReasonReturnsToNode surfaces when a pod tolerates cordoned nodes and was put on one after the drain began: it would come
	// back as often as it is evicted.
	ReasonReturnsToNode Reason = "ReturnsToNode"
	// ReasonWaitCompleted surfaces when a pod's label or a rule says to wait until it has finished by itself.
	ReasonWaitCompleted Reason = "WaitCompleted"
	// ReasonDoNotDisrupt surfaces when a pod asks, by annotation, to be left alone, for good or until the time in the message.
	ReasonDoNotDisrupt Reason = "DoNotDisrupt"
	// ReasonNamespaceTerminating surfaces when the pod's namespace is being deleted, which ends the pod anyway.
	ReasonNamespaceTerminating Reason = "NamespaceTerminating"
	// ReasonPodDisruptionBudget surfaces when a budget allows no disruption at the moment.
	ReasonPodDisruptionBudget Reason = "PodDisruptionBudget"
	// ReasonReplacementNotReady surfaces when a controller without a budget has fewer ready pods than it wants.
	ReasonReplacementNotReady Reason = "ReplacementNotReady"
	// ReasonUnreachable surfaces when the API server did not answer or asked to wait.
	ReasonUnreachable Reason = "Unreachable"
)

// severity orders blockers: what needs a human comes first, what usually passes comes last.
func severity(r Reason) int {
	return slices.Index([]Reason{
		ReasonNotCordoned, ReasonMultipleBudgets, ReasonUnsatisfiableBudget, ReasonWebhookDenied, ReasonForbidden,
		ReasonRejected, ReasonFinalizer, ReasonNodeLost, ReasonStuckTerminating, ReasonUnmanagedPod, ReasonReturnsToNode,
		ReasonWaitCompleted, ReasonDoNotDisrupt, ReasonNamespaceTerminating, ReasonPodDisruptionBudget, ReasonReplacementNotReady,
		ReasonUnreachable,
	}, r)
}

// waits says that no time is over for the reason, whatever the policy: the pod's owner is at work, or it is the API server
// and not the pod that is in the way.
func (r Reason) waits() bool { return r == ReasonWebhookDenied || r == ReasonUnreachable }

// Blocker is a pod (or a row of pods behind one budget or controller) that cannot go now.
type Blocker struct {
	// Pod is the blocking pod, the first by name if there are several; empty for NotCordoned.
	Pod types.NamespacedName
	// Node the pod runs on.
	Node   string
	Reason Reason
	// Budget is namespace/name of the budget, or of the first of several; empty if none is involved.
	Budget string
	// Message is a sentence without full stop that names what must change.
	Message string
	// Owner is the controller as people know it, "Deployment/cart"; empty if there is none.
	Owner string
	// Pods counts the pods that wait for the same thing, Pod included.
	Pods int
	// UID of Pod, and the object that would replace it.
	UID        types.UID
	Controller Controller
	// Nodes are the names of all nodes that hold a pod which waits for the same thing since Since or longer, sorted.
	Nodes []string
	// Rule is the name of the rule that counts for Pod, empty if none does, and Deadline the one that holds for it. It is
	// DeadlineWait where its owner asked to wait, and where nothing tells yet since when the pod is in the way.
	Rule     string
	Deadline Deadline
	// Since is when the blockage began as far as the cluster's own objects tell, but not before Policy.Started, and that
	// where they do not tell. It is zero only if that is unknown, too. A caller that reports blockers should then fill in
	// when it reported this one first, so that Stuck can count from there.
	Since time.Time
}

// Stuck says that the blocker will not pass by itself, or has stood for longer than after. Budgets and replacements
// pass all the time during a healthy drain, so they count only once they are old; a node to be cordoned never counts.
func (b Blocker) Stuck(now time.Time, after time.Duration) bool {
	switch b.Reason {
	case ReasonNotCordoned:
		return false // whoever drains cordons first
	case ReasonPodDisruptionBudget, ReasonReplacementNotReady, ReasonNamespaceTerminating, ReasonUnreachable:
		return !b.Since.IsZero() && now.Sub(b.Since) > after
	default:
		return true
	}
}

// String returns "pod shop/cart-5d4f (PodDisruptionBudget shop/cart allows 0 of 3: 2 ready, 2 needed)".
func (b Blocker) String() string {
	if b.Pod.Name == "" {
		return fmt.Sprintf("node %s (%s)", b.Node, b.Message)
	}
	others := ""
	if b.Pods > 1 {
		others = fmt.Sprintf(" and %d more", b.Pods-1)
	}
	return fmt.Sprintf("pod %s%s (%s)", b.Pod, others, b.Message)
}

func sortBlockers(blockers []Blocker) {
	slices.SortFunc(blockers, func(a, b Blocker) int {
		if c := severity(a.Reason) - severity(b.Reason); c != 0 {
			return c
		}
		if !a.Since.Equal(b.Since) {
			return compareSince(a.Since, b.Since)
		}
		return strings.Compare(a.Pod.String()+" "+a.Message, b.Pod.String()+" "+b.Message)
	})
}

// compareSince puts the oldest first and the unknown last.
func compareSince(a, b time.Time) int {
	if a.IsZero() || b.IsZero() {
		return b.Compare(a)
	}
	return a.Compare(b)
}
