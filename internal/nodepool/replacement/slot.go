package replacement

import (
	"fmt"
	"strings"
	"time"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// operation is a provider operation in flight on the cluster.
type operation struct {
	what, pool, owner string
	since             time.Time
}

func (o operation) String() string {
	what := strings.ToLower(o.what)
	if o.pool == "" {
		return what + " the control plane"
	}
	if o.owner != "" {
		return what + " pool " + o.pool + " of Nodepool " + o.owner
	}
	return what + " pool " + o.pool
}

// busy finds the one pool operation AKS allows per cluster, when there is one.
// Before the control plane is up there is no slot: CAPZ makes the first pools
// in the same request.
func (l *look) busy() *operation {
	if !l.Cluster.Provisioned {
		return nil
	}
	if l.Cluster.Operation != "" {
		return &operation{what: l.Cluster.Operation, since: l.Cluster.OperationSince}
	}
	for _, p := range l.Pools {
		if what := inFlight(p.Operation, p.Failure, p.Deleting); what != "" {
			return &operation{what: what, pool: p.Name, since: p.OperationSince}
		}
	}
	for _, n := range l.Others {
		if what := inFlight(n.Operation, n.Failure, n.Deleting); what != "" {
			return &operation{what: what, pool: n.Name, owner: n.Owner, since: n.OperationSince}
		}
	}
	return nil
}

// inFlight: a deletion holds the slot until it is through, except while Azure
// refuses it: then nothing runs, and the neighbours go on.
func inFlight(op, failure string, deleting bool) string {
	if deleting && failure == "" {
		return "Deleting"
	}
	return op
}

// slot is nil when a write may be made now, or the plan that waits: AKS allows
// one operation per cluster, and of several Nodepools one comes first.
func (l *look) slot(verdict Verdict, rank Rank, purpose string) *Plan {
	if op := l.busy(); op != nil {
		return l.waitForSlot(*op, verdict, rank, purpose)
	}
	if len(l.Ahead) == 0 {
		return nil
	}
	first := l.Ahead[0]
	plan := &Plan{
		Verdict: verdict, CheckAgain: nextTurn, Wish: &Wish{rank, purpose},
		Step: string(fleetwrightv1.ReplacementStepWaitingForSlot), Reason: fleetwrightv1.ReasonWaitingForSlot,
		Message: fmt.Sprintf("waits to %s: Nodepool %s comes first (%s)", purpose, first.Nodepool, first.Purpose),
	}
	if more := len(l.Ahead) - 1; more > 0 {
		names := make([]string, 0, more)
		for _, t := range l.Ahead[1:] {
			names = append(names, t.Nodepool)
		}
		plan.Message += ", then " + strings.Join(names, ", ")
	}
	return plan
}

// stuckAfter is how long an operation may run before a person is told: Azure's
// own longest, an upgrade of a large pool aside, end within an hour.
const stuckAfter = 2 * time.Hour

// waitForSlot is the plan of a write that has to wait for another operation.
func (l *look) waitForSlot(o operation, verdict Verdict, rank Rank, purpose string) *Plan {
	if !o.since.IsZero() && l.now.Sub(o.since) >= stuckAfter {
		return &Plan{
			Verdict: Stuck, Reason: fleetwrightv1.ReasonOperationStuck, CheckAgain: later, Wish: &Wish{rank, purpose},
			Message: fmt.Sprintf("waits to %s: Azure is %s since %s, and allows one operation per cluster; end it there (az aks operation-abort, or az aks nodepool operation-abort), or wait", purpose, o, o.since.UTC().Format(time.RFC3339)),
		}
	}
	return &Plan{
		Verdict: verdict, Wish: &Wish{rank, purpose},
		Step: string(fleetwrightv1.ReplacementStepWaitingForSlot), Reason: fleetwrightv1.ReasonWaitingForSlot,
		Message:    fmt.Sprintf("waits to %s: AKS allows one operation per cluster and is %s", purpose, o),
		CheckAgain: nextTurn,
	}
}
