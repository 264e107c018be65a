package drain

import (
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// leaving judges a terminating pod. On a node that does not answer nobody is there to end it, so it is named as soon as
// its time is over; elsewhere the kubelet gets Policy.StuckAfter to tidy up.
func (d *decision) leaving(c candidate) {
	late, lost := d.now.Sub(c.Pod.Deadline), d.lost(c.Node)
	if late <= 0 || lost == "" && late <= d.policy.StuckAfter {
		d.moving = true
		return
	}
	message := "it should have ended at " + c.Pod.Deadline.UTC().Format(time.RFC3339)
	if len(c.Finalizers) > 0 {
		message += " and is kept by finalizer " + strings.Join(c.Finalizers, ", ")
	}
	switch {
	case lost != "":
		d.block([]candidate{c}, ReasonNodeLost, message+" and its node "+c.Node+lost, c.Pod.Deadline)
	case len(c.Finalizers) > 0:
		d.block([]candidate{c}, ReasonFinalizer, message, c.Pod.Deadline)
	default:
		d.block([]candidate{c}, ReasonStuckTerminating, message, c.Pod.Deadline)
	}
}

// lost says what is wrong with a node that can end no pod, and the way out; "" for a healthy one.
func (d *decision) lost(name string) string {
	switch n := d.nodes[name]; {
	case n.Gone:
		return " no longer exists, the pod garbage collector should remove it within minutes"
	case !n.Ready:
		return " does not answer: once the machine is known to be off, delete the Node object or taint it node.kubernetes.io/out-of-service"
	default:
		return ""
	}
}

// block reports pods that wait for the same thing since the time that the cluster's objects tell. The first by name stands
// for them, on a node that was not given up if there is one: nothing more is done for pods on those. Pods for which different rules count are reported apart, because other deadlines may hold for them, and so are those
// that are in the way for less long than the rest.
func (d *decision) block(pods []candidate, reason Reason, message string, since time.Time) []*Blocker {
	rows := map[string][]*candidate{}
	for i := range pods {
		c := &pods[i]
		key := c.verdict.Rule
		if d.since(*c, since).After(later(since, d.policy.Started)) {
			key += "\x00" // sorts after its rule's row
		}
		rows[key] = append(rows[key], c)
	}
	var blockers []*Blocker
	for _, key := range slices.Sorted(maps.Keys(rows)) {
		row := rows[key]
		first := row[max(slices.IndexFunc(row, func(c *candidate) bool { return !c.givenUp }), 0)]
		b := d.known(*first, since)
		b.Reason, b.Message, b.Pods, b.Nodes = reason, message, len(row), d.nodesOf(row, since, b.Since)
		if reason.waits() {
			b.Deadline = Deadline{Action: DeadlineWait}
		}
		blockers = append(blockers, &b)
	}
	d.blockers = append(d.blockers, blockers...)
	return blockers
}

// known is what a blocker would say of the pod, whatever the reason.
func (d *decision) known(c candidate, since time.Time) Blocker {
	return Blocker{
		Pod: c.Key(), Node: c.Node, Owner: OwnerName(c.Pod), Pods: 1, UID: c.UID, Controller: c.Controller, Nodes: []string{c.Node},
		Rule: c.verdict.Rule, Deadline: c.verdict.Deadline, Since: d.since(c, since),
	}
}

// since is when a blockage began for a pod: when the cluster's objects say it did (told, zero if they do not), but not
// before the drain began, the pod was created, or its do-not-disrupt annotation ended. Without any memory a deadline
// thus counts the same after a restart.
func (d *decision) since(c candidate, told time.Time) time.Time {
	since := later(told, d.policy.Started)
	if since.IsZero() {
		return since
	}
	if until := c.verdict.Until; !until.After(d.now) {
		since = later(since, until)
	}
	return later(since, c.Created)
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// nodesOf are the nodes of pods that are in the way for as long as the one that stands for them: others' time is not over with
// its own.
func (d *decision) nodesOf(pods []*candidate, told, since time.Time) []string {
	nodes := make([]string, 0, len(pods))
	for _, c := range pods {
		if !d.since(*c, told).After(since) {
			nodes = append(nodes, c.Node)
		}
	}
	slices.Sort(nodes)
	return slices.Compact(nodes)
}

func (d *decision) blockBudget(l *lane) {
	for _, b := range d.block(l.gated, l.budget.reason(d.now), l.budget.sentence(l.ready(), d.now), l.budget.BlockedSince) {
		b.Budget = l.budget.Key()
		if l.budget.stale() || l.budget.BlockedSince.IsZero() {
			// The status is about to change, or does not say since when it allows nothing: no time can be over yet.
			b.Deadline = Deadline{Action: DeadlineWait}
		}
	}
}

func (d *decision) blockCrew(l *lane) {
	since := l.crew.youngest
	if since.IsZero() && !d.policy.Started.IsZero() {
		since = l.crew.latest
	}
	for _, b := range d.block(l.gated, ReasonReplacementNotReady, l.crew.sentence(l.owner), since) {
		if l.crew.youngest.IsZero() {
			// A replacement that was not created yet: latest is no more than a bound, which may be a second old or a year.
			b.Deadline = Deadline{Action: DeadlineWait}
		}
	}
}

func (d *decision) blockMultiple(c candidate, covering []Budget) {
	names := make([]string, 0, len(covering))
	created := make([]time.Time, 0, len(covering))
	for _, b := range covering {
		names = append(names, b.Key())
		created = append(created, b.Created)
	}
	slices.SortFunc(created, time.Time.Compare)
	message := "PodDisruptionBudgets " + strings.Join(names, " and ") + " both cover it, which the eviction API refuses"
	for _, b := range d.block([]candidate{c}, ReasonMultipleBudgets, message, created[1]) {
		b.Budget = names[0]
	}
}

// blockUnmanaged names a pod at once even if its order holds it back: nobody but a person moves it. No time is over for
// it, though, before its order has come.
func (d *decision) blockUnmanaged(c candidate, held bool) {
	const message = "no controller would bring it back, move or delete it by hand"
	for _, b := range d.block([]candidate{c}, ReasonUnmanagedPod, message, time.Time{}) {
		if held {
			b.Deadline = Deadline{Action: DeadlineWait}
		}
	}
}

// blockRefused reports an earlier answer that stands. When the row of answers began is our own memory, which a restart
// loses, so it is said only where nothing better is known, and of an API server that does not answer: that is not the pod's
// fault, no deadline counts it, and it would look old at once in a drain that is.
func (d *decision) blockRefused(c candidate, r Refusal) {
	reason, _ := reasonOf(r.Outcome)
	for _, b := range d.block([]candidate{c}, reason, r.Message, time.Time{}) {
		if b.Since.IsZero() || reason == ReasonUnreachable {
			b.Since = later(b.Since, r.Since)
		}
	}
}

// blockThrottled reports what would go now if the API server had not asked to wait.
func (d *decision) blockThrottled() {
	slices.SortFunc(d.waiting, func(a, b candidate) int { return comparePods(a.Pod, b.Pod) })
	message := "the API server asks to wait: " + d.hold.Message
	for _, b := range d.block(d.waiting, ReasonUnreachable, message, time.Time{}) {
		b.Since = later(b.Since, d.hold.Since)
	}
}

const returnsSentence = "it tolerates cordoned nodes and was put on one after the drain began: take its toleration of " +
	corev1.TaintNodeUnschedulable + " off, or let its node selector fit other nodes"

// returns says that a controller brought the pod to a node that was already closed, and would again. The first eviction is
// right all the same: most pods that tolerate everything find another node.
func (d *decision) returns(p Pod) bool {
	return p.ToleratesCordon && !unmanaged(p) && !d.policy.Started.IsZero() && p.Created.After(d.policy.Started)
}

func waitSentence(v Verdict) string {
	if v.Rule != "" {
		return "rule " + v.Rule + " waits until it has finished"
	}
	return "it carries the label " + LabelDrain + ": wait-completed and has not finished"
}
