package v1alpha1

// Condition types of a Nodepool. All but Stalled are written on every visit.
const (
	// ConditionReady sums up: the pool is available, up to date and nothing moves. A change that only waits does not
	// make it False; who waits for the change itself waits for UpToDate.
	ConditionReady = "Ready"
	// ConditionAvailable is True while the ready nodes of all pools keep what the spec promises.
	ConditionAvailable = "Available"
	// ConditionUpToDate is True when one pool satisfies the spec and its kubelets run the wanted version.
	ConditionUpToDate = "UpToDate"
	// ConditionRollingOut is True while a change is under way; the reason is the step.
	ConditionRollingOut = "RollingOut"
	// ConditionDrainBlocked is True while a pod that must leave is held. Alert on this one.
	ConditionDrainBlocked = "DrainBlocked"
	// ConditionPaused is True while nothing is changed because somebody asked for it.
	ConditionPaused = "Paused"
	// ConditionDeleting is True while the Nodepool is being removed; the reason says what it waits for.
	ConditionDeleting = "Deleting"
	// ConditionAdopted exists only with spec.adoption: True once the pools named there are the Nodepool's.
	ConditionAdopted = "Adopted"
	// ConditionStalled exists only while it is True: nothing goes on until a person acts. The message says how.
	ConditionStalled = "Stalled"
)

// Reasons of condition Ready. While it is False it takes reason and message of the first that holds: Stalled, Deleting,
// RollingOut, not Available.
const (
	// ReasonReady surfaces when the pool is available, up to date and nothing moves.
	ReasonReady = "Ready"
)

// Reasons of condition Available.
const (
	// ReasonAvailable surfaces when the ready nodes of all pools are at least what the spec promises.
	ReasonAvailable = "Available"
	// ReasonTooFewReadyNodes surfaces when ready nodes that take pods are fewer than the promise.
	ReasonTooFewReadyNodes = "TooFewReadyNodes"
	// ReasonNoNodes surfaces when no node of the pool exists.
	ReasonNoNodes = "NoNodes"
)

// ReasonConnectionDown surfaces on Available and UpToDate, with status Unknown, when the workload cluster's API did not
// answer; nothing destructive is decided meanwhile.
const ReasonConnectionDown = "ConnectionDown"

// Reasons of condition UpToDate; CreatingGreen as well, while the only pool is being made.
const (
	// ReasonUpToDate surfaces when one pool satisfies the spec and runs the wanted kubelets.
	ReasonUpToDate = "UpToDate"
	// ReasonReplacementNeeded surfaces when a set field that Azure cannot change in place differs from the live pool.
	ReasonReplacementNeeded = "ReplacementNeeded"
	// ReasonInPlaceUpdateNeeded surfaces when only fields that Azure changes in place differ from the live pool.
	ReasonInPlaceUpdateNeeded = "InPlaceUpdateNeeded"
	// ReasonNodesOlderThanReported surfaces when Azure reports the wanted version and a kubelet reports an older one.
	ReasonNodesOlderThanReported = "NodesOlderThanReported"
)

// Reasons of condition RollingOut while it is True: one per step.
const (
	// ReasonCreatingGreen surfaces when the new MachinePool and its infrastructure pool are written and Azure has not
	// answered Succeeded.
	ReasonCreatingGreen = "CreatingGreen"
	// ReasonWaitingForGreen surfaces when the new pool exists and fewer nodes than needed are Ready for minReadySeconds.
	ReasonWaitingForGreen = "WaitingForGreen"
	// ReasonCordoningBlue surfaces when old nodes still take pods; all are cordoned before the first eviction.
	ReasonCordoningBlue = "CordoningBlue"
	// ReasonDrainingBlue surfaces when old nodes hold pods that must leave; the message names the worst blocker.
	ReasonDrainingBlue = "DrainingBlue"
	// ReasonSoaking surfaces when the old pool is empty and kept until soakSeconds are over; the message says until when.
	ReasonSoaking = "Soaking"
	// ReasonDeletingBlue surfaces when the empty old pool is being deleted and is not gone yet.
	ReasonDeletingBlue = "DeletingBlue"
	// ReasonRollingBack surfaces when an older pool is wanted again, for good or until another one is made, and the newer
	// one is leaving.
	ReasonRollingBack = "RollingBack"
	// ReasonUpdatingInPlace surfaces when a field that Azure changes in place was written and is not yet read back.
	ReasonUpdatingInPlace = "UpdatingInPlace"
)

// Reasons of condition RollingOut while it is False; TooFewReadyNodes as well, when nodes of a pool that served fail.
const (
	// ReasonNotRollingOut surfaces when nothing is to be changed.
	ReasonNotRollingOut = "NotRollingOut"
	// ReasonWaitingForControlPlane surfaces when the wanted version is newer than the one the control plane reports and
	// the control plane is on its way there.
	ReasonWaitingForControlPlane = "WaitingForControlPlane"
	// ReasonWaitingForWindow surfaces when a replacement is needed, has not begun, and no maintenance window is open.
	ReasonWaitingForWindow = "WaitingForWindow"
	// ReasonWaitingForCapacity surfaces when the node cap, a quota, the subnet's addresses or a zone does not allow the
	// next step; the message says which and by how much.
	ReasonWaitingForCapacity = "WaitingForCapacity"
	// ReasonDrainQuarantined surfaces when the last pods of an old pool are on nodes that were given up, by the drain's
	// deadline Quarantine or by a person; the message names the nodes and what is in the way.
	ReasonDrainQuarantined = "DrainQuarantined"
	// ReasonPodsDoNotFit surfaces when pods of the nodes that would leave have no place on those that stay, before the first
	// of them is closed; the message names one, in the scheduler's words.
	ReasonPodsDoNotFit = "PodsDoNotFit"
	// ReasonStrategyForbids surfaces when the strategy is InPlaceOnly and a replacement is needed.
	ReasonStrategyForbids = "StrategyForbids"
	// ReasonWaitingForCluster surfaces when the Cluster exists and its infrastructure or control plane is not up yet.
	ReasonWaitingForCluster = "WaitingForCluster"
)

// ReasonWaitingForSlot surfaces on RollingOut and Deleting when another operation runs on the cluster; the message names
// the pool.
const ReasonWaitingForSlot = "WaitingForSlot"

// Reasons of condition DrainBlocked: the class of the worst blocker.
const (
	// ReasonPodDisruptionBudget surfaces when a PodDisruptionBudget has allowed no disruption for more than 2 minutes.
	ReasonPodDisruptionBudget = "PodDisruptionBudget"
	// ReasonMultipleBudgets surfaces when two PodDisruptionBudgets select one pod, which the eviction API refuses.
	ReasonMultipleBudgets = "MultipleBudgets"
	// ReasonUnsatisfiableBudget surfaces when a PodDisruptionBudget can never allow a disruption, as with maxUnavailable 0.
	ReasonUnsatisfiableBudget = "UnsatisfiableBudget"
	// ReasonWebhookDenied surfaces when an admission webhook refused the eviction: its owner is at work.
	ReasonWebhookDenied = "WebhookDenied"
	// ReasonUnmanagedPod surfaces when a pod has no controller, so nothing would bring it back.
	ReasonUnmanagedPod = "UnmanagedPod"
	// ReasonStuckTerminating surfaces when a pod is past its deletion and grace period by more than 10 seconds.
	ReasonStuckTerminating = "StuckTerminating"
	// ReasonFinalizer surfaces when a terminating pod is held by finalizers.
	ReasonFinalizer = "Finalizer"
	// ReasonNodeLost surfaces when a terminating pod is past its end and its node is not Ready.
	ReasonNodeLost = "NodeLost"
	// ReasonWaitCompleted surfaces when the label cluster.x-k8s.io/drain or a rule says to wait until a pod has finished.
	ReasonWaitCompleted = "WaitCompleted"
	// ReasonDoNotDisrupt surfaces when a pod asks, by annotation do-not-disrupt, to be left alone.
	ReasonDoNotDisrupt = "DoNotDisrupt"
	// ReasonReturnsToNode surfaces when a pod tolerates cordoned nodes and was put on an old node again after the drain began.
	ReasonReturnsToNode = "ReturnsToNode"
	// ReasonReplacementNotReady surfaces when a controller without a PodDisruptionBudget has not brought an evicted pod
	// back for more than 2 minutes.
	ReasonReplacementNotReady = "ReplacementNotReady"
	// ReasonNamespaceTerminating surfaces when a namespace has been going away for more than 2 minutes and its pods stay.
	ReasonNamespaceTerminating = "NamespaceTerminating"
	// ReasonForbidden surfaces when the operator may not evict a pod.
	ReasonForbidden = "Forbidden"
	// ReasonRejected surfaces when the API server refuses an eviction for another reason, which the message quotes.
	ReasonRejected = "Rejected"
	// ReasonUnreachable surfaces when the API server has left evictions without an answer for more than 2 minutes.
	ReasonUnreachable = "Unreachable"
	// ReasonNotBlocked surfaces when no pod is held.
	ReasonNotBlocked = "NotBlocked"
)

// Reasons of condition Paused.
const (
	// ReasonPaused surfaces when the Nodepool says reconcile Paused or carries annotation cluster.x-k8s.io/paused.
	ReasonPaused = "Paused"
	// ReasonClusterPaused surfaces when the Cluster is paused.
	ReasonClusterPaused = "ClusterPaused"
	// ReasonFrozen surfaces when a Freeze holds the next step back; the message names it.
	ReasonFrozen = "Frozen"
	// ReasonNonDisruptive surfaces when the Nodepool says reconcile NonDisruptive and the next step would be disruptive.
	ReasonNonDisruptive = "NonDisruptive"
	// ReasonNotPaused surfaces when nothing is paused.
	ReasonNotPaused = "NotPaused"
)

// Reasons of condition Deleting.
const (
	// ReasonDraining surfaces when the Nodepool is deleted and nodes still hold pods that must leave.
	ReasonDraining = "Draining"
	// ReasonDeletingPool surfaces when the drained pool's objects are being deleted.
	ReasonDeletingPool = "DeletingPool"
	// ReasonWaitingForAzure surfaces when the pool's objects are deleted and Azure has not finished removing the pool.
	ReasonWaitingForAzure = "WaitingForAzure"
	// ReasonLastSystemPool surfaces when deletion would leave a live cluster without a ready System pool.
	ReasonLastSystemPool = "LastSystemPool"
	// ReasonDeletionProtected surfaces when deletionPolicy is Protect: nothing is done until it is changed.
	ReasonDeletionProtected = "DeletionProtected"
	// ReasonRetaining surfaces when deletionPolicy is Retain and the pools are being let go of.
	ReasonRetaining = "Retaining"
	// ReasonNotDeleting surfaces when nobody asked for deletion.
	ReasonNotDeleting = "NotDeleting"
)

// Reasons of condition Adopted.
const (
	// ReasonAdopted surfaces when the pools named in spec.adoption are the Nodepool's.
	ReasonAdopted = "Adopted"
	// ReasonDiffers surfaces when the policy is Report; the message lists the fields that differ, if any.
	ReasonDiffers = "Differs"
	// ReasonMachinePoolNotFound surfaces when spec.adoption names a MachinePool that the cluster does not have.
	ReasonMachinePoolNotFound = "MachinePoolNotFound"
	// ReasonAlreadyOwned surfaces when another Nodepool owns a pool named in spec.adoption.
	ReasonAlreadyOwned = "AlreadyOwned"
)

// Reasons of condition Stalled; the message says the way out.
const (
	// ReasonInvalidSpec surfaces when a combination that admission cannot see is impossible.
	ReasonInvalidSpec = "InvalidSpec"
	// ReasonClusterNotFound surfaces when no Cluster of that name exists in the namespace, or when a Nodepool is deleted
	// whose pools serve while their Cluster or control plane is not to be found.
	ReasonClusterNotFound = "ClusterNotFound"
	// ReasonVersionSkew surfaces when the version is newer than the control plane wants, or more than two minor versions
	// behind it.
	ReasonVersionSkew = "VersionSkew"
	// ReasonProvisioningTimedOut surfaces when the new pool did not become ready within provisionTimeoutSeconds; the old
	// one is untouched.
	ReasonProvisioningTimedOut = "ProvisioningTimedOut"
	// ReasonProvisioningFailed surfaces when Azure has refused a pool, or its last change, for a minute; the old pool is
	// untouched.
	ReasonProvisioningFailed = "ProvisioningFailed"
	// ReasonSKUNotAvailable surfaces when Azure does not offer the machine type at the cluster's location or in a zone.
	ReasonSKUNotAvailable = "SKUNotAvailable"
	// ReasonInvalidDrainRule surfaces when a drain has come to a drain rule, of the spec or a MachineDrainRule of the
	// namespace, that cannot be understood; the message names it.
	ReasonInvalidDrainRule = "InvalidDrainRule"
	// ReasonOverrideConflict surfaces when providerOverrides sets a key that a field of the spec owns, or that cannot be
	// set.
	ReasonOverrideConflict = "OverrideConflict"
	// ReasonOperationStuck surfaces when an operation, whoever began it, has run on the cluster for more
	// than 2 hours.
	ReasonOperationStuck = "OperationStuck"
	// ReasonIdentityConflict surfaces when a node's provider id, label and pool disagree, or two pools claim one node.
	ReasonIdentityConflict = "IdentityConflict"
	// ReasonNameConflict surfaces when all candidate names for the new pool are taken by pools of somebody else, or when
	// pools of an earlier Nodepool of the same name are left.
	ReasonNameConflict = "NameConflict"
)
