package nodepool

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/drain/ladder"
)

// afterPauseGrace is how long pods have to leave by themselves once a pause has
// ended, before a deadline that ran out meanwhile acts on them.
const afterPauseGrace = 15 * time.Minute

// pauseEnded is when the last pause of the Nodepool ended, by the last report: now
// for one that this look is the first to find over. It is zero when nobody knows,
// and the creation of a Nodepool that was never paused; neither matters but for the
// grace. np is as it was read at the beginning of the look.
func pauseEnded(np *fleetwrightv1.Nodepool, now time.Time) time.Time {
	switch c := meta.FindStatusCondition(np.Status.Conditions, fleetwrightv1.ConditionPaused); {
	case c == nil:
		return time.Time{}
	case c.Status == metav1.ConditionTrue:
		return now
	default:
		return c.LastTransitionTime.Time
	}
}

// afterPause leaves out of the ladder's steps what cannot be made good, while a pause
// has just ended: the deadline's clock ran on, and nothing was evicted. What is left
// out is told once.
func afterPause(steps []ladder.Step, ended, now time.Time) (due []ladder.Step) {
	if now.Sub(ended) >= afterPauseGrace {
		return steps
	}
	told := false
	for _, s := range steps {
		if !slices.Contains([]ladder.Action{ladder.ActionForce, ladder.ActionQuarantine}, s.Action) {
			due = append(due, s)
			continue
		}
		if told {
			continue
		}
		told = true
		due = append(due, ladder.Step{
			Action: ladder.ActionSkipped, Object: s.Object,
			Does: "acts on no deadline before " + ended.Add(afterPauseGrace).UTC().Format(time.RFC3339),
			Why:  "a pause ended at " + ended.UTC().Format(time.RFC3339) + " and pods are to have time to leave by themselves",
		})
	}
	return due
}
