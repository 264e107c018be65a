package v1alpha1

// Condition types of an AzureClusterAutoscaler, besides Ready, Paused, Deleting and Stalled, which every kind that acts has.
const (
	// ConditionApplied is True while Azure has every setting of the profile as the spec says.
	ConditionApplied = "Applied"
)

// Reasons of condition Applied; Drifted, PermissionDenied and AzureRefused as well, and WaitingForCluster and WaitingForSlot.
const (
	// ReasonApplied surfaces when Azure has every setting of the profile as the spec says.
	ReasonApplied = "Applied"
	// ReasonUnconfirmed surfaces when the profile is written and was not read back from Azure yet.
	ReasonUnconfirmed = "Unconfirmed"
	// ReasonDriftAdopted surfaces, with status True, when Azure has other values and driftPolicy is Adopt; the message says what the spec
	// would have to say.
	ReasonDriftAdopted = "DriftAdopted"
	// ReasonNotApplied surfaces when Azure or CAPZ's object has other values and nothing is written, because of a pause or because the
	// profile is being given up.
	ReasonNotApplied = "NotApplied"
	// ReasonNotReadable surfaces, with status Unknown, when what Azure has could not be read; the message says why.
	ReasonNotReadable = "NotReadable"
)

// Reasons of condition Stalled of an AzureClusterAutoscaler; InvalidSpec, ClusterNotFound, ContendedByAnotherManager, PermissionDenied
// and AzureRefused as well.
const (
	// ReasonNoCredentials surfaces when the profile has to be written by Azure's API and the operator has no identity in Azure.
	ReasonNoCredentials = "NoCredentials"
)
