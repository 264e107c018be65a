// Package condition makes the conditions that every kind reports, dates them, and compares them.
package condition

import (
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// maxMessage is how many bytes of a condition's message are kept: fewer than the schema allows, because events allow 1024.
const maxMessage = 1000

// New makes a condition without its times.
func New(kind string, status metav1.ConditionStatus, reason, format string, args ...any) metav1.Condition {
	return metav1.Condition{Type: kind, Status: status, Reason: reason, Message: fmt.Sprintf(format, args...)}
}

// Stamp gives conditions the generation they speak about and the time of their last change, which those of before lend, and keeps their
// messages within bounds.
func Stamp(set, before []metav1.Condition, generation int64, now time.Time) []metav1.Condition {
	out := make([]metav1.Condition, 0, len(set))
	for _, c := range set {
		c.ObservedGeneration, c.Message, c.LastTransitionTime = generation, Clip(c.Message), metav1.NewTime(now)
		if old := meta.FindStatusCondition(before, c.Type); old != nil && old.Status == c.Status {
			c.LastTransitionTime = old.LastTransitionTime
		}
		out = append(out, c)
	}
	return out
}

// Deleting is the condition of that name: with a reason and a message while the object leaves.
func Deleting(leaves bool, reason, message string) metav1.Condition {
	if !leaves {
		return New(fleetwrightv1.ConditionDeleting, metav1.ConditionFalse, fleetwrightv1.ReasonNotDeleting, "")
	}
	return New(fleetwrightv1.ConditionDeleting, metav1.ConditionTrue, reason, "%s", message)
}

// Changed is true when a condition is there with another status or reason than before.
func Changed(before, after []metav1.Condition, kind string) bool {
	was, is := meta.FindStatusCondition(before, kind), meta.FindStatusCondition(after, kind)
	return is != nil && (was == nil || was.Status != is.Status || was.Reason != is.Reason)
}

// Clip keeps a message within what conditions and events take.
func Clip(message string) string {
	if len(message) <= maxMessage {
		return message
	}
	return strings.ToValidUTF8(message[:maxMessage-len("...")], "") + "..."
}
