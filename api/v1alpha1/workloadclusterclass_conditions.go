package v1alpha1

// FinalizerWorkloadClusterClass keeps a WorkloadClusterClass while clusters point to it.
const FinalizerWorkloadClusterClass = "fleetwright.io/workloadclusterclass"

// Condition types of a WorkloadClusterClass; Deleting as well.
const (
	// ConditionInUse is True while WorkloadClusters point to the class.
	ConditionInUse = "InUse"
)

// Reasons of condition InUse.
const (
	// ReasonReferenced surfaces when WorkloadClusters point to the class; the message counts them.
	ReasonReferenced = "Referenced"
	// ReasonUnused surfaces when none does.
	ReasonUnused = "Unused"
)
