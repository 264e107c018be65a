package v1alpha1

// DrainBehavior says what becomes of pods while their node is emptied, in the words of Cluster API's MachineDrainRule.
// +kubebuilder:validation:Enum=Drain;Skip;WaitCompleted
type DrainBehavior string

const (
	// DrainBehaviorDrain evicts the pods, in the rule's order.
	DrainBehaviorDrain DrainBehavior = "Drain"
	// DrainBehaviorSkip lets the pods run on until their node is deleted, and lets it be deleted. It is your consent to lose
	// them.
	DrainBehaviorSkip DrainBehavior = "Skip"
	// DrainBehaviorWaitCompleted never evicts the pods and waits until they have finished by themselves.
	DrainBehaviorWaitCompleted DrainBehavior = "WaitCompleted"
)

// DrainWaitFor says how fast pods go that no PodDisruptionBudget covers.
// +kubebuilder:validation:Enum=Eviction;ReplacementReady
type DrainWaitFor string

const (
	// DrainWaitForEviction lets the next one go as soon as the one before was evicted.
	DrainWaitForEviction DrainWaitFor = "Eviction"
	// DrainWaitForReplacementReady lets the next one go only when the replacement of the one before is Ready; one that is not
	// Ready 10 minutes after it was made is no longer waited for.
	DrainWaitForReplacementReady DrainWaitFor = "ReplacementReady"
)

// UnmanagedPods says what becomes of pods that have no controller: nobody would bring them back.
// +kubebuilder:validation:Enum=Wait;Evict
type UnmanagedPods string

const (
	// UnmanagedPodsWait leaves them running and names them.
	UnmanagedPodsWait UnmanagedPods = "Wait"
	// UnmanagedPodsEvict evicts them like any other pod. They are gone for good.
	UnmanagedPodsEvict UnmanagedPods = "Evict"
)

// DrainRungAction is a way to help a pod that cannot go.
// +kubebuilder:validation:Enum=None;Notify;RestartSingleton;ScaleUpBudget
type DrainRungAction string

const (
	// DrainRungActionNone does nothing. Alone in a ladder, it stands for no ladder at all.
	DrainRungActionNone DrainRungAction = "None"
	// DrainRungActionNotify tells the owner: an event on the workload, and a webhook where the operator has one configured.
	DrainRungActionNotify DrainRungAction = "Notify"
	// DrainRungActionRestartSingleton restarts a Deployment of one pod in a rolling way, so that the new pod is Ready on a new
	// node before the old one ends. It writes to the workload.
	DrainRungActionRestartSingleton DrainRungAction = "RestartSingleton"
	// DrainRungActionScaleUpBudget gives a Deployment whose PodDisruptionBudget allows nothing one more pod, and takes it back
	// afterwards. It writes to the workload.
	DrainRungActionScaleUpBudget DrainRungAction = "ScaleUpBudget"
)

// DrainDeadlineAction is what becomes of a pod that was in the way for too long.
// +kubebuilder:validation:Enum=Wait;Quarantine;Force
type DrainDeadlineAction string

const (
	// DrainDeadlineActionWait goes on waiting.
	DrainDeadlineActionWait DrainDeadlineAction = "Wait"
	// DrainDeadlineActionQuarantine gives the pod's node up: it stays as it is, closed for pods and labelled
	// fleetwright.io/quarantined, the other nodes go on, and the old pool is not deleted while pods are left on it.
	DrainDeadlineActionQuarantine DrainDeadlineAction = "Quarantine"
	// DrainDeadlineActionForce deletes the pod with its own grace period, whatever its PodDisruptionBudget says. A pod whose
	// eviction an admission webhook denies is never forced.
	DrainDeadlineActionForce DrainDeadlineAction = "Force"
)

// DrainPolicy says how the nodes of an old pool are emptied. It takes effect at the next look, also in the middle of a
// drain, and never replaces a pool.
// +kubebuilder:validation:MinProperties=1
type DrainPolicy struct {
	// rules say for some pods how they leave. The first rule that selects a pod counts for it. Before the rules come mirror
	// pods, finished pods, DaemonSets, the pod label cluster.x-k8s.io/drain and the pod annotations
	// fleetwright.io/do-not-disrupt and karpenter.sh/do-not-disrupt; after them come the MachineDrainRules (cluster.x-k8s.io)
	// of the namespace that select the pool, by name. A pod that nothing selects is drained, with order 0.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:XValidation:rule="self.all(x, self.exists_one(y, x.name == y.name))",message="drain rule names must be unique"
	Rules []DrainRule `json:"rules,omitempty"`

	// waitFor is Eviction or ReplacementReady: what has to happen to a pod that no PodDisruptionBudget covers before the next
	// one of the same controller is evicted. ReplacementReady if it is not set.
	// +optional
	WaitFor DrainWaitFor `json:"waitFor,omitempty"`

	// unmanagedPods is Wait or Evict: what becomes of pods without a controller, which nobody would bring back. Wait if it is
	// not set.
	// +optional
	UnmanagedPods UnmanagedPods `json:"unmanagedPods,omitempty"`

	// ladder is what is done for a pod that cannot go, each rung once its time has come. A ladder that is set is the whole
	// ladder. Notify after 600 seconds if it is not set; one of only None does nothing.
	// +optional
	// +listType=map
	// +listMapKey=action
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=3
	// +kubebuilder:validation:XValidation:rule="size(self) == 1 || !self.exists(x, x.action == 'None')",message="None means no ladder at all: it can only stand alone"
	Ladder []DrainRung `json:"ladder,omitempty"`

	// deadline is what becomes of a pod that was in the way for too long, where its rule says nothing else. Wait if it is not
	// set: a drain then takes as long as it takes. It is not for pods that are to finish by themselves, by their own label or
	// by a rule, and not for pods that ask not to be disrupted.
	// +optional
	Deadline DrainDeadline `json:"deadline,omitempty,omitzero"`
}

// DrainRule says how some pods leave.
//
// +kubebuilder:validation:XValidation:rule="!has(self.order) || self.behavior == 'Drain'",message="order can only be set when behavior is Drain"
// +kubebuilder:validation:XValidation:rule="!has(self.deadline) || self.behavior != 'Skip'",message="deadline cannot be set when behavior is Skip: nobody waits for these pods"
type DrainRule struct {
	// name of the rule, for messages.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Name string `json:"name,omitempty"`

	// pods says which pods the rule is for: those that any of the selectors selects. All pods of all namespaces if it is not
	// set.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	Pods []DrainPodSelector `json:"pods,omitempty"` //nolint:kubeapilinter // the shape is that of Cluster API's MachineDrainRule

	// behavior is Drain, Skip or WaitCompleted.
	// +required
	Behavior DrainBehavior `json:"behavior,omitempty"`

	// order in which pods of one node leave, with behavior Drain: those of a lower order first, and the next order begins when
	// they are gone. 0 if it is not set; it may be negative.
	// +optional
	Order *int32 `json:"order,omitempty"`

	// deadline is what becomes of these pods if they are in the way for too long. If it is not set, the policy's deadline, and
	// Wait with behavior WaitCompleted.
	// +optional
	Deadline DrainDeadline `json:"deadline,omitempty,omitzero"`
}

// DrainPodSelector selects pods by their labels, by those of their namespaces, or by both together.
// +kubebuilder:validation:MinProperties=1
type DrainPodSelector struct {
	// selector selects pods by their labels. All pods if it is not set.
	// +optional
	Selector LabelSelector `json:"selector,omitempty,omitzero"`

	// namespaceSelector selects the namespaces of the pods by their labels; the label kubernetes.io/metadata.name is a
	// namespace's name. All namespaces if it is not set.
	// +optional
	NamespaceSelector LabelSelector `json:"namespaceSelector,omitempty,omitzero"`
}

// LabelSelector is a selector as Kubernetes has it everywhere, with bounds, and checked when it is written. All that it says must
// be true of what it selects. An empty one is refused: what is to select everything is left out.
// +kubebuilder:validation:MinProperties=1
type LabelSelector struct {
	// matchLabels are labels that must be there, with these values.
	// +optional
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=16
	// +kubebuilder:validation:XValidation:rule="self.all(k, k.matches('^([a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$') && k.indexOf('/') <= 253)",message="a label's key is a name of at most 63 letters, digits, dashes, dots and underscores, after a lower-case DNS name and a slash if it has a prefix"
	MatchLabels map[string]LabelValue `json:"matchLabels,omitempty"`

	// matchExpressions are further requirements.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	MatchExpressions []LabelRequirement `json:"matchExpressions,omitempty"`
}

// LabelOperator relates a label to values.
// +kubebuilder:validation:Enum=In;NotIn;Exists;DoesNotExist
type LabelOperator string

const (
	// LabelOperatorIn means: the label is there, with one of the values.
	LabelOperatorIn LabelOperator = "In"
	// LabelOperatorNotIn means: the label is not there, or has none of the values.
	LabelOperatorNotIn LabelOperator = "NotIn"
	// LabelOperatorExists means: the label is there, with any value.
	LabelOperatorExists LabelOperator = "Exists"
	// LabelOperatorDoesNotExist means: the label is not there.
	LabelOperatorDoesNotExist LabelOperator = "DoesNotExist"
)

// LabelRequirement is one thing that must be true of a label.
//
// +kubebuilder:validation:XValidation:rule="(self.operator == 'In' || self.operator == 'NotIn') == has(self.values)",message="In and NotIn need values; Exists and DoesNotExist take none"
type LabelRequirement struct {
	// key of the label.
	// +required
	// +kubebuilder:validation:XValidation:rule="self.indexOf('/') <= 253",message="the prefix of a label's key has at most 253 characters"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=317
	// +kubebuilder:validation:Pattern=`^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$`
	Key string `json:"key,omitempty"`

	// operator is In, NotIn, Exists or DoesNotExist.
	// +required
	Operator LabelOperator `json:"operator,omitempty"`

	// values for In and NotIn.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	Values []LabelValue `json:"values,omitempty"`
}

// DrainRung is one step of the ladder.
//
// +kubebuilder:validation:XValidation:rule="(self.action == 'None') != has(self.afterSeconds)",message="a rung needs afterSeconds; None takes none"
// +kubebuilder:validation:XValidation:rule="self.action == 'None' || self.action == 'Notify' || !has(self.afterSeconds) || self.afterSeconds >= 60",message="RestartSingleton and ScaleUpBudget change a tenant's workload: wait at least 60 seconds"
type DrainRung struct {
	// action is Notify, RestartSingleton, ScaleUpBudget or None.
	// +required
	Action DrainRungAction `json:"action,omitempty"`

	// afterSeconds is how long a pod must have been in the way. It counts from the first sign that the pod cannot go, at the
	// earliest from the beginning of the drain.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=604800
	AfterSeconds *int32 `json:"afterSeconds,omitempty"`
}

// DrainDeadline bounds how long a pod may be in the way.
//
// +kubebuilder:validation:XValidation:rule="(self.action == 'Wait') != has(self.afterSeconds)",message="Quarantine and Force need afterSeconds; Wait takes none"
type DrainDeadline struct {
	// action is Wait, Quarantine or Force.
	// +required
	Action DrainDeadlineAction `json:"action,omitempty"`

	// afterSeconds is how long a pod may be in the way. It counts from the first sign that the pod cannot go, at the earliest
	// from the beginning of the drain.
	// +optional
	// +kubebuilder:validation:Minimum=900
	// +kubebuilder:validation:Maximum=2592000
	AfterSeconds int32 `json:"afterSeconds,omitempty"`
}
