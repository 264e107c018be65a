package drain

import (
	"slices"
	"time"
)

// Outcome is the class of one answer of the API server to an eviction.
type Outcome string

const (
	// OutcomeEvicted: the pod is terminating.
	OutcomeEvicted Outcome = "Evicted"
	// OutcomeGone: the pod no longer exists (404).
	OutcomeGone Outcome = "Gone"
	// OutcomeConflict: another pod has the name, or the pod changed under the request (409).
	OutcomeConflict Outcome = "Conflict"
	// OutcomeRefused: a PodDisruptionBudget does not allow it now (429 with cause DisruptionBudget).
	OutcomeRefused Outcome = "Refused"
	// OutcomeThrottled: the API server asks to wait (429 without that cause, or a timeout it answered itself).
	OutcomeThrottled Outcome = "Throttled"
	// OutcomeWebhookDenied: an admission webhook or policy said no, or could not be asked.
	OutcomeWebhookDenied Outcome = "WebhookDenied"
	// OutcomeMisconfigured: more than one PodDisruptionBudget covers the pod (500).
	OutcomeMisconfigured Outcome = "Misconfigured"
	// OutcomeForbidden: our credentials do not allow it (401, 403).
	OutcomeForbidden Outcome = "Forbidden"
	// OutcomeNamespaceTerminating: the namespace is being deleted, evictions are no longer accepted in it.
	OutcomeNamespaceTerminating Outcome = "NamespaceTerminating"
	// OutcomeRejected: any other answer in the 4xx range.
	OutcomeRejected Outcome = "Rejected"
	// OutcomeUnreachable: no answer or a server error; whether the eviction happened is unknown.
	OutcomeUnreachable Outcome = "Unreachable"
	// OutcomeNotSent: the round ended before this eviction was sent.
	OutcomeNotSent Outcome = "NotSent"
)

// Answer is what became of one eviction.
type Answer struct {
	Eviction
	Outcome Outcome
	// Message is the API server's own words, its causes included; empty for Evicted and NotSent.
	Message string
	// RetryAfter is how long the API server asked to wait; zero if it did not say.
	RetryAfter time.Duration
}

// Result holds the answers of one round in the order of the plan.
type Result struct {
	Answers []Answer
}

// Count returns how many answers are of one of the outcomes.
func (r Result) Count(outcomes ...Outcome) int {
	n := 0
	for _, a := range r.Answers {
		if slices.Contains(outcomes, a.Outcome) {
			n++
		}
	}
	return n
}
