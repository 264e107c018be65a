package drain

import "strings"

// Behavior is what a drain does with one pod.
type Behavior string

const (
	// BehaviorEvict pods are asked to leave through the eviction API.
	BehaviorEvict Behavior = "Evict"
	// BehaviorSkip pods stay and do not keep the node from being empty.
	BehaviorSkip Behavior = "Skip"
	// BehaviorWaitCompleted pods are never evicted; the drain waits until they have finished by themselves.
	BehaviorWaitCompleted Behavior = "WaitCompleted"
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
)

// LabelDrain is Cluster API's pod label; its values "skip" and "wait-completed" are read as Cluster API reads them:
// without regard to case, and "waitcompleted" as well. Other values mean nothing.
const LabelDrain = "cluster.x-k8s.io/drain"

// Verdict is the classification of one pod. Skip is set only with BehaviorSkip.
type Verdict struct {
	Behavior Behavior
	Skip     SkipReason
}

// Classify says what a drain does with the pod. It looks at the pod alone: budgets, order and pace come later.
func Classify(p Pod, policy Policy) Verdict {
	switch label := drainLabel(p); {
	case p.Mirror:
		return Verdict{Behavior: BehaviorSkip, Skip: SkipMirror}
	case p.Finished():
		return Verdict{Behavior: BehaviorSkip, Skip: SkipFinished}
	case ofDaemonSet(p):
		return Verdict{Behavior: BehaviorSkip, Skip: SkipDaemonSet}
	case label == "skip":
		return Verdict{Behavior: BehaviorSkip, Skip: SkipLabel}
	case p.Terminating():
		return Verdict{Behavior: BehaviorLeaving}
	case label == "waitcompleted":
		return Verdict{Behavior: BehaviorWaitCompleted}
	case unmanaged(p) && policy.Unmanaged != UnmanagedEvict:
		return Verdict{Behavior: BehaviorUnmanaged}
	default:
		return Verdict{Behavior: BehaviorEvict}
	}
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
