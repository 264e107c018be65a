package v1alpha1

// Reasons that the kinds which look after a setting in Azure have in common.
const (
	// ReasonDrifted surfaces when the setting was as declared and is not any more, and driftPolicy keeps it from being written again.
	ReasonDrifted = "Drifted"
	// ReasonPermissionDenied surfaces when Azure answers that the operator's identity may not; the message names the action and the scope
	// that it has to be granted. It is tried again, rarely.
	ReasonPermissionDenied = "PermissionDenied"
	// ReasonContendedByAnotherManager surfaces on Stalled when somebody else has written the opposite three times within an hour; the message
	// names him where Azure does. Nothing is written until the spec changes or Azure is as declared again.
	ReasonContendedByAnotherManager = "ContendedByAnotherManager"
)
