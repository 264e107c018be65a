package ladder

import (
	"context"
	"time"

	"github.com/fleetwright/fleetwright/drain"
)

// NoticeVersion is the version of Notice's JSON form. Fields may be added to a version, never changed or taken away.
const NoticeVersion = "v1"

// Notifier hears of each blockage once an hour, in addition to the event.
type Notifier interface {
	Notify(ctx context.Context, notice Notice) error
}

// Notice is what a Notifier is told. It holds names, numbers and times of the cluster, and no secret.
type Notice struct {
	Version string `json:"version"`
	// Type is always "DrainBlocked" in this version.
	Type string `json:"type"`
	// Drain is the drain's id.
	Drain    string         `json:"drain"`
	Workload NoticeWorkload `json:"workload"`
	// Pod is namespace/name of the blocking pod, the first by name of Pods pods that wait for the same thing.
	Pod   string   `json:"pod"`
	Pods  int      `json:"pods"`
	Nodes []string `json:"nodes"`
	// Budget is namespace/name of the PodDisruptionBudget, absent if none is involved.
	Budget string `json:"budget,omitempty"`
	// Reason is the class of the blockage, a drain.Reason, and Message a sentence for people.
	Reason  string `json:"reason"`
	Message string `json:"message"`
	// Since is when the blockage began, Time when the notice was made, and Count its number, from 1.
	Since time.Time `json:"since"`
	Time  time.Time `json:"time"`
	Count int       `json:"count"`
	// Deadline is absent where the drain waits for as long as it takes.
	Deadline *NoticeDeadline `json:"deadline,omitempty"`
}

// NoticeWorkload names the workload.
type NoticeWorkload struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
}

// NoticeDeadline says what happens if nothing changes, "Quarantine" or "Force", and when.
type NoticeDeadline struct {
	Action string    `json:"action"`
	Time   time.Time `json:"time"`
}

func (t *turn) notice(b drain.Blocker, target Object) Notice {
	n := Notice{
		Version: NoticeVersion, Type: EventReason, Drain: t.facts.Drain,
		Workload: NoticeWorkload{Kind: target.Kind, Namespace: target.Namespace, Name: target.Name},
		Pod:      b.Pod.String(), Pods: max(1, b.Pods), Nodes: nodesOf(b), Budget: b.Budget,
		Reason: string(b.Reason), Message: b.Message,
		Since: b.Since.UTC(), Time: t.now.UTC(), Count: turnOfHour(b, t.policy, t.now) + 1,
	}
	if ends(b) {
		n.Deadline = &NoticeDeadline{Action: string(b.Deadline.Action), Time: b.Since.Add(b.Deadline.After).UTC()}
	}
	return n
}

// ends says that the blocker's deadline will do something: a deadline that never reaches it is not worth a threat.
func ends(b drain.Blocker) bool {
	whenOver := b.Since.Add(b.Deadline.After)
	return quarantineDue(b, whenOver) || forceDue(b, whenOver)
}
