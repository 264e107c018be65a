package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// PoolRole says what a provider pool is to its Nodepool.
// +kubebuilder:validation:Enum=Current;Incoming;Outgoing
type PoolRole string

const (
	// PoolRoleCurrent is the pool that satisfies the spec.
	PoolRoleCurrent PoolRole = "Current"
	// PoolRoleIncoming is the pool that will satisfy the spec and is not ready yet.
	PoolRoleIncoming PoolRole = "Incoming"
	// PoolRoleOutgoing is a pool that is or will be drained and removed.
	PoolRoleOutgoing PoolRole = "Outgoing"
)

// ReplacementStep is the place a Nodepool has reached, in one word for people. It is computed from what exists and never
// read back.
// +kubebuilder:validation:Enum=None;Adopting;WaitingForWindow;WaitingForSlot;UpdatingInPlace;CreatingGreen;WaitingForGreen;CordoningBlue;DrainingBlue;Soaking;DeletingBlue;RollingBack
type ReplacementStep string

const (
	// ReplacementStepNone means: nothing is moving.
	ReplacementStepNone ReplacementStep = "None"
	// ReplacementStepAdopting means: pools that exist are being taken over.
	ReplacementStepAdopting ReplacementStep = "Adopting"
	// ReplacementStepWaitingForWindow means: a replacement is needed, has not begun, and no maintenance window is open.
	ReplacementStepWaitingForWindow ReplacementStep = "WaitingForWindow"
	// ReplacementStepWaitingForSlot means: another operation runs on the cluster; AKS allows one at a time.
	ReplacementStepWaitingForSlot ReplacementStep = "WaitingForSlot"
	// ReplacementStepUpdatingInPlace means: a field that Azure changes without touching nodes was written and not yet read back.
	ReplacementStepUpdatingInPlace ReplacementStep = "UpdatingInPlace"
	// ReplacementStepCreatingGreen means: the new pool is written and Azure has not yet made it.
	ReplacementStepCreatingGreen ReplacementStep = "CreatingGreen"
	// ReplacementStepWaitingForGreen means: the new pool exists and its nodes are not all ready for minReadySeconds.
	ReplacementStepWaitingForGreen ReplacementStep = "WaitingForGreen"
	// ReplacementStepCordoningBlue means: old nodes are being closed for new pods, all before the first eviction.
	ReplacementStepCordoningBlue ReplacementStep = "CordoningBlue"
	// ReplacementStepDrainingBlue means: pods are leaving the old nodes, within their disruption budgets.
	ReplacementStepDrainingBlue ReplacementStep = "DrainingBlue"
	// ReplacementStepSoaking means: the old pool is empty and kept until soakSeconds are over.
	ReplacementStepSoaking ReplacementStep = "Soaking"
	// ReplacementStepDeletingBlue means: the empty old pool is being deleted.
	ReplacementStepDeletingBlue ReplacementStep = "DeletingBlue"
	// ReplacementStepRollingBack means: the old pool is wanted again, for good or until another one is made, and the newer
	// one is leaving.
	ReplacementStepRollingBack ReplacementStep = "RollingBack"
)

// ChangeEffect says what a difference between spec and live pool leads to.
// +kubebuilder:validation:Enum=InPlace;Replace
type ChangeEffect string

const (
	// ChangeEffectInPlace means: Azure takes the change without touching a node.
	ChangeEffectInPlace ChangeEffect = "InPlace"
	// ChangeEffectReplace means: the pool is replaced.
	ChangeEffectReplace ChangeEffect = "Replace"
)

// NodepoolStatus is what was last seen and done. It is a report: deleting it changes no action.
// +kubebuilder:validation:MinProperties=1
type NodepoolStatus struct {
	// conditions are Ready, Available, UpToDate, RollingOut, DrainBlocked, Paused, Deleting, Adopted with spec.adoption, and
	// Stalled while it is True.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// observedGeneration is the generation of the spec this status speaks about.
	// +optional
	// +kubebuilder:validation:Minimum=1
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// replicas is the number of nodes seen in all pools.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Replicas *int32 `json:"replicas,omitempty"`

	// readyReplicas is the number of those nodes that are Ready and take pods.
	// +optional
	// +kubebuilder:validation:Minimum=0
	ReadyReplicas *int32 `json:"readyReplicas,omitempty"`

	// version is the lowest kubelet version seen on the nodes, not what Azure says.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Version string `json:"version,omitempty"`

	// flavor is the kind of pool of the cluster's provider, for example AzureManagedMachinePool.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Flavor string `json:"flavor,omitempty"`

	// nextWindowTime is when the next maintenance window opens, while none is open.
	// +optional
	NextWindowTime metav1.Time `json:"nextWindowTime,omitempty,omitzero"`

	// pools are the provider pools underneath.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=4
	Pools []NodepoolPoolStatus `json:"pools,omitempty"`

	// replacement tells how far a change of the pool has come.
	// +optional
	Replacement ReplacementStatus `json:"replacement,omitempty,omitzero"`

	// drainDebt is how long which workloads have held up drains of this Nodepool.
	// +optional
	DrainDebt DrainDebt `json:"drainDebt,omitempty,omitzero"`
}

// NodepoolPoolStatus is one provider pool.
type NodepoolPoolStatus struct {
	// name of the AKS agent pool, or of the MachinePool when nothing else is left of the pool.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name,omitempty"`

	// role of the pool: Current, Incoming or Outgoing.
	// +required
	Role PoolRole `json:"role,omitempty"`

	// machinePool is the name of the MachinePool, and of its infrastructure object.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	MachinePool string `json:"machinePool,omitempty"`

	// replicas is the number of nodes seen in this pool.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Replicas *int32 `json:"replicas,omitempty"`

	// readyReplicas is the number of those nodes that are Ready and take pods.
	// +optional
	// +kubebuilder:validation:Minimum=0
	ReadyReplicas *int32 `json:"readyReplicas,omitempty"`

	// version is the lowest kubelet version seen in this pool.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Version string `json:"version,omitempty"`
}

// ReplacementStatus tells how far a change of the pool has come.
// +kubebuilder:validation:MinProperties=1
type ReplacementStatus struct {
	// step is the place reached, in one word.
	// +optional
	Step ReplacementStep `json:"step,omitempty"`

	// strategy is the way the pool is being, or would be, replaced: FullGreen or StagedShift; missing when nothing is to
	// be replaced.
	// +optional
	Strategy ReplacementStrategy `json:"strategy,omitempty"`

	// strategyMessage says why.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	StrategyMessage string `json:"strategyMessage,omitempty"`

	// forecast is what was found on the old nodes before the first eviction.
	// +optional
	Forecast ReplacementForecast `json:"forecast,omitempty,omitzero"`

	// changes are the differences between the spec and the pool that is being changed, at most 32.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	Changes []ReplacementChange `json:"changes,omitempty"`

	// startedTime is when this replacement began.
	// +optional
	StartedTime metav1.Time `json:"startedTime,omitempty,omitzero"`

	// nodesTotal is the number of old nodes that must leave.
	// +optional
	// +kubebuilder:validation:Minimum=0
	NodesTotal *int32 `json:"nodesTotal,omitempty"`

	// nodesDrained is the number of old nodes without a pod that must leave.
	// +optional
	// +kubebuilder:validation:Minimum=0
	NodesDrained *int32 `json:"nodesDrained,omitempty"`

	// podsRemaining is the number of pods that still must leave.
	// +optional
	// +kubebuilder:validation:Minimum=0
	PodsRemaining *int32 `json:"podsRemaining,omitempty"`

	// blockersTotal is the number of pods that could not leave so far, also those beyond the ones listed.
	// +optional
	// +kubebuilder:validation:Minimum=0
	BlockersTotal *int32 `json:"blockersTotal,omitempty"`

	// blockers are the worst 10 pods that could not leave so far, the longest waiting first.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=10
	Blockers []DrainBlocker `json:"blockers,omitempty"`
}

// ReplacementForecast is what a replacement would meet, told before the first eviction.
// +kubebuilder:validation:MinProperties=1
type ReplacementForecast struct {
	// nodes is the number of nodes that would leave.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Nodes *int32 `json:"nodes,omitempty"`

	// pods is the number of pods that would move.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Pods *int32 `json:"pods,omitempty"`

	// drainSecondsLow is the shortest time the drain is expected to take; missing while a pod can never leave.
	// +optional
	// +kubebuilder:validation:Minimum=0
	DrainSecondsLow *int32 `json:"drainSecondsLow,omitempty"`

	// drainSecondsHigh is the longest time the drain is expected to take; missing while a pod can never leave.
	// +optional
	// +kubebuilder:validation:Minimum=0
	DrainSecondsHigh *int32 `json:"drainSecondsHigh,omitempty"`

	// peakNodes is the highest number of nodes of the cluster on the way.
	// +optional
	// +kubebuilder:validation:Minimum=0
	PeakNodes *int32 `json:"peakNodes,omitempty"`

	// warnings are the worst 10 findings, one sentence each.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=10
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=512
	Warnings []string `json:"warnings,omitempty"`
}

// ReplacementChange is one difference between the spec and a live pool.
type ReplacementChange struct {
	// field is the path in the spec, for example disk.sizeGiB.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Field string `json:"field,omitempty"`

	// from is the live value; missing if there is none.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	From string `json:"from,omitempty"`

	// to is the wanted value; missing if the entry goes away.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	To string `json:"to,omitempty"`

	// effect is InPlace or Replace.
	// +required
	Effect ChangeEffect `json:"effect,omitempty"`
}

// DrainBlocker is one pod that could not leave so far.
type DrainBlocker struct {
	// namespace of the pod.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Namespace string `json:"namespace,omitempty"`

	// pod is its name.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Pod string `json:"pod,omitempty"`

	// reason is the class of the obstacle, one of the reasons of condition DrainBlocked.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Reason string `json:"reason,omitempty"`

	// budget is the name of the PodDisruptionBudget that refuses, if one does.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Budget string `json:"budget,omitempty"`

	// owner is who could help, as kind and name, for example Deployment/cart.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=320
	Owner string `json:"owner,omitempty"`

	// sinceTime is when the pod was first refused.
	// +optional
	SinceTime metav1.Time `json:"sinceTime,omitempty,omitzero"`

	// pods is how many pods wait for the same thing, this one included.
	// +optional
	// +kubebuilder:validation:Minimum=1
	Pods int32 `json:"pods,omitempty"`

	// node the pod runs on.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Node string `json:"node,omitempty"`

	// message says what is in the way, with the budget's numbers, and what must change.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	Message string `json:"message,omitempty"`
}
