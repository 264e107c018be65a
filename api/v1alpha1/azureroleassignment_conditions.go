package v1alpha1

// Condition types of an AzureRoleAssignment, besides Ready, Paused, Deleting and Stalled, which every kind that acts has.
const (
	// ConditionAssigned is True while Azure has the assignment.
	ConditionAssigned = "Assigned"
	// ConditionPullVerified exists only with spec.pullCheck: True once a node of the cluster has pulled the image, False when it could not.
	ConditionPullVerified = "PullVerified"
)

// Reasons of condition Assigned.
const (
	// ReasonAssigned surfaces when Azure has the assignment; the message says who made it.
	ReasonAssigned = "Assigned"
	// ReasonWaitingForIdentity surfaces when the cluster does not report the identity yet.
	ReasonWaitingForIdentity = "WaitingForIdentity"
	// ReasonPrincipalNotFound surfaces when Entra ID does not know the principal (yet); it is tried again, and the message says for how long.
	ReasonPrincipalNotFound = "PrincipalNotFound"
	// ReasonExistsElsewhere surfaces when an equal assignment has another name and existingPolicy is Report.
	ReasonExistsElsewhere = "ExistsElsewhere"
	// ReasonAzureRefused surfaces when Azure says no for another reason, which the message quotes; on Stalled as well, when asking again
	// does not help.
	ReasonAzureRefused = "AzureRefused"
	// ReasonNotAssigned surfaces when the assignment is missing and nothing is written, because of a pause or because it is being removed.
	ReasonNotAssigned = "NotAssigned"
)

// Reasons of condition Stalled of an AzureRoleAssignment.
const (
	// ReasonRoleNotFound surfaces when no role definition has that name or id at that scope.
	ReasonRoleNotFound = "RoleNotFound"
)

// Reasons of condition PullVerified.
const (
	// ReasonPulled surfaces when a node has pulled the image; the message says which and when.
	ReasonPulled = "Pulled"
	// ReasonPulling surfaces when the pod that pulls the image has not come to a result.
	ReasonPulling = "Pulling"
	// ReasonUnauthorized surfaces when the registry answered 401 or 403; it is tried again.
	ReasonUnauthorized = "Unauthorized"
	// ReasonImageNotFound surfaces when the registry has no such image; it is tried again.
	ReasonImageNotFound = "ImageNotFound"
	// ReasonPullFailed surfaces when the pull failed for another reason, which the message quotes; it is tried again.
	ReasonPullFailed = "PullFailed"
	// ReasonNoNode surfaces when the cluster has no Linux node that is ready, open for pods and without taints that keep pods away.
	ReasonNoNode = "NoNode"
	// ReasonWaitingForAssignment surfaces when there is nothing to prove before the assignment is made.
	ReasonWaitingForAssignment = "WaitingForAssignment"
)

// ReasonReleasing surfaces on Deleting when the assignment is being deleted from Azure.
const ReasonReleasing = "Releasing"
