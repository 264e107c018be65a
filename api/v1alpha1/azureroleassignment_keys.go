package v1alpha1

// Keys that Fleetwright writes on AzureRoleAssignments.
const (
	// AnnotationRoleAssignments holds the assignments that were seen in Azure for this object, each as the principal's object id, an equals
	// sign and the assignment's Azure resource id, separated by spaces. By it one that is gone is told from one that was never made, and
	// what is to be deleted is found when the cluster, and with it the principal, is gone. Losing it makes an assignment that is missing
	// be written, whatever driftPolicy says, and leaves those of former identities of the cluster behind.
	AnnotationRoleAssignments = "fleetwright.io/role-assignments"

	// AnnotationPullStarted marks that a pod for spec.pullCheck may exist in the workload cluster; its value says for what, and on which node it was tried last. Losing it leaves
	// a pod behind if pullCheck is removed at that moment.
	AnnotationPullStarted = "fleetwright.io/pull-started"

	// AnnotationPullProven holds when (RFC 3339), for what and on which node an image was last pulled for spec.pullCheck. Losing it proves
	// again.
	AnnotationPullProven = "fleetwright.io/pull-proven"

	// LabelPullCheck marks a pod of spec.pullCheck in a workload cluster; its value is the AzureRoleAssignment's UID.
	LabelPullCheck = "fleetwright.io/pull-check"

	// FinalizerAzureRoleAssignment keeps an AzureRoleAssignment until its assignment is gone from Azure.
	FinalizerAzureRoleAssignment = "fleetwright.io/azureroleassignment"
)
