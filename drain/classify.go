package drain

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/labels"
)

// Behavior is what a drain does with one pod.
type Behavior string

const (
	// BehaviorEvict pods are asked to leave through the eviction API.
	BehaviorEvict Behavior = "Evict"
	// BehaviorSkip pods stay and do not keep the node from being empty.
	BehaviorSkip Behavior = "Skip"
	// BehaviorWaitCompleted pods are never evicted; the drain waits until they have finished by themselves.
	BehaviorWaitCompleted Behavior = "WaitCompleted"
	// BehaviorDoNotDisrupt pods ask, by annotation, to be left alone; the drain waits until they end by themselves, the
	// annotation's time is over, or somebody takes it off.
	BehaviorDoNotDisrupt Behavior = "DoNotDisrupt"
	// BehaviorLeaving pods are already terminating; the drain waits until they are gone.
	BehaviorLeaving Behavior = "Leaving"
	// BehaviorUnmanaged pods have no controller and policy says to wait until somebody moves them.
	BehaviorUnmanaged Behavior = "Unmanaged"
)

// SkipReason says why a pod may stay.
type SkipReason string

const (
	// SkipFinished: all containers have ended.
	SkipFinished SkipReason = "Finished"
	// SkipMirror: the kubelet runs the pod from a file.
	SkipMirror SkipReason = "Mirror"
	// SkipDaemonSet: its DaemonSet would put it back on the same node.
	SkipDaemonSet SkipReason = "DaemonSet"
	// SkipLabel: the pod says cluster.x-k8s.io/drain: skip. It still runs; this is its owner's recorded consent to
	// lose it, and Plan.Consented lists it.
	SkipLabel SkipReason = "Label"
	// SkipRule: a rule of the policy says Skip, which is consent just as the label is.
	SkipRule SkipReason = "Rule"
)

// consents says that the pod runs on and that somebody agreed to lose it.
func (r SkipReason) consents() bool { return r == SkipLabel || r == SkipRule }

// LabelDrain is Cluster API's pod label; its values "skip" and "wait-completed" are read as Cluster API reads them:
// without regard to case, and "waitcompleted" as well. Other values mean nothing.
const LabelDrain = "cluster.x-k8s.io/drain"

// Verdict is the classification of one pod.
type Verdict struct {
	Behavior Behavior
	// Skip is set only with BehaviorSkip.
	Skip SkipReason
	// Rule is the name of the rule that counts for the pod, or "#2" if the second has none. It is empty if none counts:
	// because none selects the pod, or because its label or annotation goes before the rules.
	Rule string
	// Order is the rule's; see Rule.Order.
	Order int32
	// Deadline is the rule's or the policy's, and DeadlineWait for pods whose wait is somebody's wish; see Classify.
	Deadline Deadline
	// Until is when the wish of a do-not-disrupt annotation ends; zero if the annotation sets no end, or is not there.
	// With BehaviorDoNotDisrupt it lies ahead, with others it is over.
	Until time.Time
}

// Classify says what a drain does with the pod. It looks at the pod alone: budgets, order on the node and pace come
// later. The first that fits counts:
//
//   - mirror pods, finished pods and pods of a DaemonSet are never evicted;
//   - the label cluster.x-k8s.io/drain;
//   - the do-not-disrupt annotation, while it holds: see AnnotationDoNotDisrupt;
//   - Policy.Rules in their order;
//   - evict, with order 0, or wait for a person if nobody would bring the pod back.
//
// A terminating pod is BehaviorLeaving unless it may stay.
//
// A deadline never reaches a pod whose own label or annotation asks to wait: its owner is at work, and Force would be
// the disruption they asked to be spared. A do-not-disrupt annotation of limited duration stops to protect when it is
// over; then the pod is like any other. The policy's deadline does not reach a rule of WaitCompleted either, because
// the rule is the more exact wish of the same author, who may give the rule itself a deadline.
func Classify(p Pod, policy Policy, now time.Time) Verdict {
	switch {
	case p.Mirror:
		return Verdict{Behavior: BehaviorSkip, Skip: SkipMirror}
	case p.Finished():
		return Verdict{Behavior: BehaviorSkip, Skip: SkipFinished}
	case ofDaemonSet(p):
		return Verdict{Behavior: BehaviorSkip, Skip: SkipDaemonSet}
	}
	v := wish(p, policy, now)
	if p.Terminating() && v.Behavior != BehaviorSkip {
		v.Behavior = BehaviorLeaving
	}
	if v.Behavior == BehaviorWaitCompleted && v.Deadline == (Deadline{}) || v.Behavior == BehaviorDoNotDisrupt {
		v.Deadline = Deadline{Action: DeadlineWait}
	}
	return v.withDeadline(policy.Deadline)
}

// withDeadline fills in what the rule leaves to the policy.
func (v Verdict) withDeadline(policy Deadline) Verdict {
	if v.Behavior == BehaviorSkip {
		v.Deadline = Deadline{}
		return v
	}
	if v.Deadline == (Deadline{}) {
		v.Deadline = policy
	}
	v.Deadline.Action = cmp.Or(v.Deadline.Action, DeadlineWait)
	return v
}

// wish is what the pod's label, its annotation or a rule says about it. Deadline is empty unless the rule sets one.
func wish(p Pod, policy Policy, now time.Time) Verdict {
	switch drainLabel(p) {
	case "skip":
		return Verdict{Behavior: BehaviorSkip, Skip: SkipLabel}
	case "waitcompleted":
		return Verdict{Behavior: BehaviorWaitCompleted}
	}
	quiet := quietOf(p)
	if quiet.holds(now) {
		return Verdict{Behavior: BehaviorDoNotDisrupt, Until: quiet.until}
	}
	v := Verdict{Behavior: BehaviorEvict, Until: quiet.until}
	rule, behavior := policy.ruleFor(p), RuleDrain
	if rule != nil {
		v.Rule, v.Order, behavior = rule.Name, rule.Order, cmp.Or(rule.Behavior, RuleDrain)
		if rule.Deadline != nil {
			v.Deadline = Deadline{Action: cmp.Or(rule.Deadline.Action, DeadlineWait), After: rule.Deadline.After}
		}
	}
	switch {
	case behavior == RuleSkip:
		v.Behavior, v.Skip, v.Order = BehaviorSkip, SkipRule, 0
	case behavior != RuleDrain: // a word that is not known here evicts nothing
		v.Behavior, v.Order = BehaviorWaitCompleted, 0
	case unmanaged(p) && policy.Unmanaged != UnmanagedEvict:
		v.Behavior = BehaviorUnmanaged
	}
	return v
}

// ruleFor returns the first rule that selects the pod, with a name, or nil.
func (p Policy) ruleFor(pod Pod) *Rule {
	for i, rule := range p.Rules {
		if len(rule.Pods) == 0 || slices.ContainsFunc(rule.Pods, func(s PodSelector) bool { return s.selects(pod) }) {
			rule.Name = cmp.Or(rule.Name, fmt.Sprintf("#%d", i+1))
			return &rule
		}
	}
	return nil
}

func (s PodSelector) selects(p Pod) bool {
	return (s.Pod == nil || s.Pod.Matches(labels.Set(p.Labels))) &&
		(s.Namespace == nil || s.Namespace.Matches(labels.Set(p.NamespaceLabels)))
}

// drainLabel normalises as Cluster API does: one dash is dropped and case ignored.
func drainLabel(p Pod) string {
	value := p.Labels[LabelDrain]
	if strings.EqualFold(value, "skip") {
		return "skip"
	}
	if strings.EqualFold(strings.Replace(value, "-", "", 1), "waitcompleted") {
		return "waitcompleted"
	}
	return ""
}

// ofDaemonSet goes by kind alone, because daemon sets of other API groups put their pods back just the same.
func ofDaemonSet(p Pod) bool {
	return p.Controller.Kind == "DaemonSet" && !p.Controller.Missing
}

func unmanaged(p Pod) bool {
	return p.Controller == Controller{} || p.Controller.Missing
}
