package nodepool

import (
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/drain"
	"github.com/fleetwright/fleetwright/internal/condition"
)

// nameBlocker says which pod, which budget with its numbers, whose they are and
// since when. It holds no age: each change of a condition's words is a write. Of
// a long message the end is cut off, and never whose it is and since when.
func nameBlocker(b drain.Blocker) string {
	var whose string
	if b.Owner != "" {
		whose = "; its owner is " + clip(b.Owner, maxOwner)
	}
	if since := b.Since.UTC().Format(time.RFC3339); !b.Since.IsZero() && !strings.Contains(b.Message, since) {
		whose += "; since " + since
	}
	return clip(b.String(), maxMessage-len(whose)) + whose
}

func blockerStatus(b drain.Blocker) fleetwrightv1.DrainBlocker {
	return fleetwrightv1.DrainBlocker{
		Namespace: b.Pod.Namespace, Pod: b.Pod.Name, Node: clip(b.Node, maxNode), Reason: string(b.Reason), Budget: budgetName(b), Owner: clip(b.Owner, maxOwner),
		Pods: *count32(max(b.Pods, 1)), SinceTime: metav1.NewTime(b.Since.Truncate(time.Second)), Message: clip(b.Message, maxValue),
	}
}

// blockedAnew is true when a drain is held up that was not before, or by somebody
// else: each workload is named once. A budget whose numbers change is not news.
func blockedAnew(before, after *fleetwrightv1.Nodepool) bool {
	kind := fleetwrightv1.ConditionDrainBlocked
	if !meta.IsStatusConditionTrue(after.Status.Conditions, kind) {
		return false
	}
	return condition.Changed(before.Status.Conditions, after.Status.Conditions, kind) || whoBlocks(before.Status) != whoBlocks(after.Status)
}

// whoBlocks is who condition DrainBlocked is about: of the blockers of its reason
// the first, which is the one that has stood longest.
func whoBlocks(s fleetwrightv1.NodepoolStatus) debtor {
	c := meta.FindStatusCondition(s.Conditions, fleetwrightv1.ConditionDrainBlocked)
	for _, b := range s.Replacement.Blockers {
		if c != nil && b.Reason == c.Reason {
			return debtorAmong(b)
		}
	}
	return debtor{}
}
