package v1alpha1

// Condition types of an AzureClusterAdditionalConfig: Ready, Paused, Deleting and Stalled, which every kind that acts has, and one for
// each section that its spec has.
const (
	// SectionReadySuffix follows the section's name with a capital letter, for example AutoscalerReady: True while everything that was made
	// of the section is ready. While it is not, reason and message are those of the first object that is not.
	SectionReadySuffix = "Ready"
)

// Reasons of condition Ready; Ready, ClusterNotFound, and those of Deleting as well.
const (
	// SectionNotReadySuffix follows the section's name with a capital letter, for example AutoscalerNotReady. It surfaces when something that was
	// made of that section is not ready; the message names the first and quotes it.
	SectionNotReadySuffix = "NotReady"
	// ReasonRemoving surfaces when all that the spec has is ready, and something that it does not have any more is not gone yet.
	ReasonRemoving = "Removing"
	// ReasonHeldBack surfaces when something is not as the spec says and is left so, because of what condition Paused tells.
	ReasonHeldBack = "HeldBack"
)

// Reasons of the sections' conditions and of status.resources; those of the objects' own condition Ready as well.
const (
	// ReasonNameTaken surfaces when an object of the name that a section's would have exists and is not this object's; on Stalled as well. It is
	// left alone: delete it, or take the entry out.
	ReasonNameTaken = "NameTaken"
	// ReasonCreating surfaces when the object is not there yet.
	ReasonCreating = "Creating"
	// ReasonReplacing surfaces when what cannot be changed in an object was changed in the spec: the object is removed, then made anew.
	ReasonReplacing = "Replacing"
	// ReasonNotReported surfaces when the object has said nothing about its present spec yet.
	ReasonNotReported = "NotReported"
)

// Reasons of condition Deleting of an AzureClusterAdditionalConfig; DeletionProtected and NotDeleting as well.
const (
	// ReasonDeletingResources surfaces when the objects that were made of the sections are being deleted; the message names the first.
	ReasonDeletingResources = "DeletingResources"
)
