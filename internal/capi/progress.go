package capi

import (
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/fleetwright/fleetwright/internal/azure/refusal"
)

// Progress is how far the cloud has come with a pool.
type Progress struct {
	State State
	// Message is the refusal, in states Failed and DeletionFailed.
	Message string
	// Since is when the provider said so in these words, zero when unknown.
	Since time.Time
}

// State is one word for what is done with a pool.
type State string

const (
	// Unseen means: the provider has not looked at the pool yet.
	Unseen State = ""
	// Working means: something is under way, or waits for its turn in the cloud.
	Working State = "Working"
	// Done means: the pool is as it is asked for.
	Done State = "Done"
	// Failed means: the cloud refused what is asked for.
	Failed State = "Failed"
	// DeletionFailed means: the cloud refused to delete the pool.
	DeletionFailed State = "DeletionFailed"
)

// Reasons CAPZ gives its v1beta1 conditions (api/v1beta1/consts.go).
const (
	reasonCreating       = "Creating"
	reasonUpdating       = "Updating"
	reasonDeleting       = "Deleting"
	reasonFailed         = "Failed"
	reasonDeletionFailed = "DeletionFailed"
)

// condition is one of CAPZ's v1beta1 conditions.
type condition struct {
	status, reason, message, since string
}

func conditionOf(u *unstructured.Unstructured, kind string) condition {
	list, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions")
	for _, item := range list {
		c, ok := item.(map[string]any)
		if !ok || c["type"] != kind {
			continue
		}
		text := func(key string) string { s, _ := c[key].(string); return s }
		return condition{status: text("status"), reason: text("reason"), message: text("message"), since: text("lastTransitionTime")}
	}
	return condition{}
}

func (c condition) inFlight() bool {
	return c.status == "False" && (c.reason == reasonCreating || c.reason == reasonUpdating || c.reason == reasonDeleting || c.waitsForSlot())
}

// waitsForSlot: Azure refused because another operation runs; CAPZ and ASO
// write it down as a failure and try again, so it is none.
func (c condition) waitsForSlot() bool {
	if c.reason != reasonFailed && c.reason != reasonDeletionFailed {
		return false
	}
	return refusal.Said("", c.message).Kind == refusal.Busy
}

// progress is how far CAPZ says in a condition's reason that it has come.
func (c condition) progress() Progress {
	p := Progress{State: Done, Message: c.message, Since: timeOr(c.since, time.Time{})}
	switch {
	case c.status == "":
		p.State = Unseen
	case c.inFlight():
		p.State = Working
	case c.reason == reasonFailed:
		p.State = Failed
	case c.reason == reasonDeletionFailed:
		p.State = DeletionFailed
	}
	return p
}

func (p *Pool) readOperation(o Objects, progress Progress, now time.Time) {
	unseen := o.MachinePool != nil && progress.State == Unseen && !p.Ready
	switch {
	case p.Deleting:
		p.readDeletion(progress)
	case o.Infra == nil:
	case progress.State == Working || unseen:
		p.Operation, p.OperationSince = reasonUpdating, progress.Since
		// CAPZ takes ready back for the time of each change.
		if !p.Made() {
			p.Operation = reasonCreating
		}
	case o.MachinePool != nil && p.justWritten(now, progress):
		p.Operation, p.OperationSince = reasonUpdating, p.Updated
	case progress.State == Failed:
		p.fail(progress)
	case p.Unsettled:
		p.Operation, p.OperationSince = reasonUpdating, p.Updated
	}
}

// fail takes a refusal over. CAPZ dates a condition anew whenever its words
// change.
func (p *Pool) fail(failed Progress) {
	p.Failure, p.FailureSince = failed.Message, failed.Since
}

func (p *Pool) readDeletion(progress Progress) {
	if progress.State == DeletionFailed {
		p.fail(progress)
		return
	}
	p.Operation, p.OperationSince = reasonDeleting, progress.Since
}

// justWritten: a write of ours that CAPZ has not reacted to yet is an operation
// as well. A mark far from now, also in the future, is none.
func (p *Pool) justWritten(now time.Time, reaction Progress) bool {
	return now.Sub(p.Updated).Abs() < updateGrace && !reaction.Since.After(p.Updated)
}

func timeOr(text string, otherwise time.Time) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return otherwise
	}
	return t
}
