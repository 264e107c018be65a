package drain

import (
	"time"

	"k8s.io/apimachinery/pkg/labels"
)

// RuleBehavior is what a rule does with its pods, in the words of Cluster API's MachineDrainRule.
type RuleBehavior string

const (
	// RuleDrain evicts the pods, in the rule's order. It is the default.
	RuleDrain RuleBehavior = "Drain"
	// RuleSkip lets them run on; they do not keep the node from being empty and end with it.
	RuleSkip RuleBehavior = "Skip"
	// RuleWaitCompleted never evicts them and waits until they have finished by themselves.
	RuleWaitCompleted RuleBehavior = "WaitCompleted"
)

// Rule says how some pods leave. The first rule of Policy.Rules that selects a pod counts for it.
type Rule struct {
	// Name is used in messages.
	Name string
	// Pods says which pods the rule is for: those that any selector selects. No selector means all pods.
	Pods []PodSelector
	// Behavior is Drain if it is empty.
	Behavior RuleBehavior
	// Order of eviction on one node: pods of a lower order leave first, and the next order begins when they are gone.
	// 0 if no rule says otherwise. Only for RuleDrain.
	Order int32
	// Deadline is Policy.Deadline if it is nil.
	Deadline *Deadline
}

// PodSelector selects a pod when both parts do; a nil part selects everything.
type PodSelector struct {
	// Pod is matched with the pod's labels, Namespace with those of its namespace.
	Pod, Namespace labels.Selector
}

// DeadlineAction is what happens to a pod that could not be evicted in time.
type DeadlineAction string

const (
	// DeadlineWait waits for ever. It is the default.
	DeadlineWait DeadlineAction = "Wait"
	// DeadlineQuarantine gives the pod's node up: it stays cordoned and is marked, and the drain goes on with the others.
	DeadlineQuarantine DeadlineAction = "Quarantine"
	// DeadlineForce deletes the pod with its own grace period and without asking its budget.
	DeadlineForce DeadlineAction = "Force"
)

// LabelQuarantined marks a node that was given up; its value is the reason of the blocker that stood in the way.
const LabelQuarantined = "fleetwright.io/quarantined"

// Deadline bounds how long a pod may be in the way. The time counts from Blocker.Since.
type Deadline struct {
	Action DeadlineAction
	After  time.Duration
}

// RungAction is a way to help a pod that cannot go.
type RungAction string

const (
	// RungNotify tells the owner: an event on the workload, and a webhook where one is configured.
	RungNotify RungAction = "Notify"
	// RungRestartSingleton restarts a Deployment of one pod in a rolling way, so that the new pod is ready elsewhere
	// before the old one ends.
	RungRestartSingleton RungAction = "RestartSingleton"
	// RungScaleUpBudget adds one pod to a Deployment whose budget allows nothing, and takes it back afterwards.
	RungScaleUpBudget RungAction = "ScaleUpBudget"
)

// Rung is one step of the ladder, taken After a pod has been in the way that long.
type Rung struct {
	Action RungAction
	After  time.Duration
}
