package ladder

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fleetwright/fleetwright/drain"
)

const (
	// EventReason is the reason of the events on workloads that are in a drain's way.
	EventReason = "DrainBlocked"
	// eventLimit is the longest message that every API of events takes.
	eventLimit = 1024
	// notifyEvery is how often an owner is told while nothing changes. It is as long as API servers keep events by default.
	notifyEvery = time.Hour
	// noticesAtOnce is how many owners are told by one look, so that it ends in time.
	noticesAtOnce = 50
)

// noticeDue is a notice whose time has come.
type noticeDue struct {
	blocker drain.Blocker
	// name is its event's.
	name string
}

func (n noticeDue) key() string { return n.blocker.Pod.Namespace + "/" + n.name }

// noticesDue are the notices of this hour, each once, whether or not they were told.
func noticesDue(plan drain.Plan, policy drain.Policy, now time.Time) []noticeDue {
	var notices []noticeDue
	seen := map[string]bool{}
	for _, b := range plan.Blockers {
		if !due(b, policy, drain.RungNotify, now) {
			continue
		}
		n := noticeDue{blocker: b, name: eventName(b, policy, now)}
		if !seen[n.key()] {
			seen[n.key()] = true
			notices = append(notices, n)
		}
	}
	return notices
}

// untold are the notices that are told by this look. What does not fit is told by the next one, which no longer finds these
// missing.
func untold(notices []noticeDue, told map[string]bool) []noticeDue {
	var next []noticeDue
	for _, n := range notices {
		if !told[n.key()] && len(next) < noticesAtOnce {
			next = append(next, n)
		}
	}
	return next
}

// notify tells the owners of what is in the way, unless the event of this hour is there.
func (t *turn) notify() {
	for _, n := range untold(noticesDue(t.plan, t.policy, t.now), t.facts.Told) {
		b, target := n.blocker, t.workloadOf(n.blocker)
		sentence := fmt.Sprintf("the drain of %s waits for %s since %s",
			phraseNodes(nodesOf(b)), b, b.Since.UTC().Format(time.RFC3339))
		t.add(Step{
			Action: ActionNotify, Object: target,
			Does: "tells the owner of " + target.String(), Why: sentence,
			Event:  eventOf(target, n.name, sentence, t.now),
			Notice: t.notice(b, target),
		})
	}
}

func phraseNodes(names []string) string {
	const named = 3
	noun := "node "
	if len(names) > 1 {
		noun = "nodes "
	}
	more := ""
	if len(names) > named {
		more, names = fmt.Sprintf(" and %d more", len(names)-named), names[:named]
	}
	return noun + strings.Join(names, ", ") + more
}

// turnOfHour counts the notifications of one blockage, from 0.
func turnOfHour(b drain.Blocker, policy drain.Policy, now time.Time) int {
	r, _ := rung(policy, drain.RungNotify)
	return int(now.Sub(b.Since.Add(r.After)) / notifyEvery)
}

// eventName is the same for everybody who would tell the same owner about the same blockage in the same hour, so that the
// event itself says whether it was told. The reason is no part of it: a budget that a helping rung has just changed from
// "never" to "not now" is no news.
func eventName(b drain.Blocker, policy drain.Policy, now time.Time) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{
		b.Pod.Namespace, cmp.Or(b.Owner, "Pod/"+b.Pod.Name), b.Budget,
		policy.Started.UTC().Format(time.RFC3339), fmt.Sprint(turnOfHour(b, policy, now)),
	}, "\x00")))
	return "drain-blocked-" + hex.EncodeToString(sum[:16])
}

func eventOf(target Object, name, message string, now time.Time) *corev1.Event {
	at := metav1.NewTime(now)
	return &corev1.Event{
		ObjectMeta: metav1.ObjectMeta{Namespace: target.Namespace, Name: name},
		InvolvedObject: corev1.ObjectReference{
			APIVersion: target.APIVersion, Kind: target.Kind, Namespace: target.Namespace, Name: target.Name, UID: target.UID,
		},
		Type: corev1.EventTypeWarning, Reason: EventReason, Message: shortened(message, eventLimit),
		Source:         corev1.EventSource{Component: FieldManager},
		FirstTimestamp: at, LastTimestamp: at, Count: 1,
	}
}

// shortened cuts a text at a whole character.
func shortened(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	const dots = "..."
	return strings.ToValidUTF8(text[:limit-len(dots)], "") + dots
}
