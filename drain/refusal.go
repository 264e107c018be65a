package drain

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// Refusal is an answer worth remembering between two looks.
type Refusal struct {
	UID     types.UID
	Pod     types.NamespacedName
	Outcome Outcome
	// Message is the API server's own words.
	Message string
	// At is the last attempt, Since the first of an unbroken row of them.
	At         time.Time
	Since      time.Time
	RetryAfter time.Duration
}

const (
	// refusalStands is how long a pod that was denied is left alone before the next attempt.
	refusalStands = 20 * time.Second
	// throttleStands is how long the round pauses when the API server asks to wait without saying how long, and throttleMost the
	// most it may ask for: a proxy in front of it that answers for an hour must not stop a cluster's drains for an hour.
	throttleStands = time.Second
	throttleMost   = time.Minute
	// unansweredStands is how long a pod whose eviction got no answer is left alone at first. It grows with the time since the
	// first of a row, up to refusalStands.
	unansweredStands = 2 * time.Second
	// refusalKept is how long a refusal is kept so that the next one for the same pod inherits its Since.
	refusalKept = 10 * time.Minute
)

// Remember folds a round into the refusals to hand to the next Snapshot and drops those that no longer count. Losing
// them costs one more attempt per pod, and Blocker.Since starts anew; nothing else depends on them.
func Remember(earlier []Refusal, r Result, now time.Time) []Refusal {
	byPod := map[types.UID]Refusal{}
	for _, e := range earlier {
		if now.Sub(e.At) < refusalKept {
			byPod[e.UID] = e
		}
	}
	for _, a := range r.Answers {
		e := Refusal{
			UID: a.UID, Pod: a.Pod, Outcome: a.Outcome, Message: a.Message, At: now, Since: now, RetryAfter: a.RetryAfter,
		}
		before, again := byPod[a.UID]
		switch {
		case a.Outcome == OutcomeNotSent:
			continue
		case e.stands() == 0:
			delete(byPod, a.UID)
			continue
		case again && before.Outcome == e.Outcome:
			e.Since = before.Since
		}
		byPod[a.UID] = e
	}
	kept := make([]Refusal, 0, len(byPod))
	for _, e := range byPod {
		kept = append(kept, e)
	}
	slices.SortFunc(kept, func(a, b Refusal) int { return compareKeys(a.Pod, a.UID, b.Pod, b.UID) })
	return kept
}

func (r Refusal) stands() time.Duration {
	switch r.Outcome {
	case OutcomeWebhookDenied, OutcomeMisconfigured, OutcomeForbidden, OutcomeNamespaceTerminating, OutcomeRejected:
		return max(refusalStands, r.RetryAfter)
	case OutcomeThrottled:
		return throttled(r.RetryAfter)
	case OutcomeUnreachable:
		return min(refusalStands, unansweredStands+max(0, r.At.Sub(r.Since)))
	default:
		return 0
	}
}

// throttled is for how long nothing is sent when the API server asked to wait.
func throttled(retryAfter time.Duration) time.Duration {
	return max(throttleStands, min(throttleMost, retryAfter))
}

// hold is how long the whole round has to wait, and for which answer.
type hold struct {
	left time.Duration
	Refusal
}

// standing returns the refusals that still hold, by pod, and what holds the whole round.
func standing(refusals []Refusal, now time.Time) (map[types.UID]Refusal, hold) {
	byPod := map[types.UID]Refusal{}
	var all hold
	for _, r := range refusals {
		// A clock that was set back must not make a refusal stand longer.
		left := r.stands() - max(0, now.Sub(r.At))
		if left <= 0 {
			continue
		}
		if r.Outcome == OutcomeThrottled {
			if left > all.left {
				all = hold{left, r}
			}
			continue
		}
		if known, ok := byPod[r.UID]; !ok || r.At.After(known.At) {
			byPod[r.UID] = r
		}
	}
	return byPod, all
}

// reasonOf says how an outcome shows as a blocker; false for answers that block nothing.
func reasonOf(o Outcome) (Reason, bool) {
	reason, ok := map[Outcome]Reason{
		OutcomeRefused:              ReasonPodDisruptionBudget,
		OutcomeThrottled:            ReasonUnreachable,
		OutcomeWebhookDenied:        ReasonWebhookDenied,
		OutcomeMisconfigured:        ReasonMultipleBudgets,
		OutcomeForbidden:            ReasonForbidden,
		OutcomeNamespaceTerminating: ReasonNamespaceTerminating,
		OutcomeRejected:             ReasonRejected,
		OutcomeUnreachable:          ReasonUnreachable,
	}[o]
	return reason, ok
}

// After returns the plan as it stands once its evictions were answered: refusals become blockers, and Leaving,
// Summary and CheckAgain take the answers into account. Remaining and Empty wait for the next look.
func (p Plan) After(r Result) Plan {
	p.Blockers = slices.Clone(p.Blockers)
	for _, a := range r.Answers {
		if reason, blocks := reasonOf(a.Outcome); blocks {
			p.Blockers = append(p.Blockers, a.blocker(reason))
		}
		if a.Outcome == OutcomeThrottled {
			p.CheckAgain = max(p.CheckAgain, throttled(a.RetryAfter))
		}
	}
	sortBlockers(p.Blockers)
	p.Leaving += r.Count(OutcomeEvicted)
	p.Summary = summary(p, "evicted", r.Count(OutcomeEvicted))
	if p.Leaving == 0 && len(r.Answers) > 0 && r.Count(OutcomeGone, OutcomeConflict) == 0 {
		p.CheckAgain = max(p.CheckAgain, defaultLookAgainBlocked)
	}
	return p
}

// blocker is the pod whose eviction was refused. What passes between two looks is no reason to count a deadline: the next
// look tells whether it stands.
func (a Answer) blocker(reason Reason) Blocker {
	b := a.known
	b.Pod, b.UID, b.Node, b.Owner, b.Budget, b.Pods = a.Pod, a.UID, a.Node, a.Owner, a.Budget, 1
	b.Reason, b.Message = reason, a.Message
	if reason.waits() || reason == ReasonPodDisruptionBudget {
		b.Deadline = Deadline{Action: DeadlineWait}
	}
	return b
}
