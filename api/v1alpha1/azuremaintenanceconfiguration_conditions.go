package v1alpha1

// Condition types of an AzureMaintenanceConfiguration: Ready, Paused, Deleting and Stalled, which every kind that acts has, and Applied,
// which is True while Azure has the window as the spec says. Reasons of Applied that others have as well: Applied, DriftAdopted, Drifted,
// NotApplied (nothing is written because of a pause), NotReadable, PermissionDenied, AzureRefused, WaitingForCluster and WaitingForSlot
// (Azure is at work on the cluster). Reasons of Stalled: ClusterNotFound, InvalidSpec, NoCredentials, PermissionDenied, AzureRefused and
// ContendedByAnotherManager. Its own reasons of condition Deleting are these; DeletionProtected, Retaining and NotDeleting as well.
const (
	// ReasonDeletingWindow surfaces on Deleting when the window is being taken out of Azure; the message says why it is not yet.
	ReasonDeletingWindow = "DeletingWindow"
)
