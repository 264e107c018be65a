package v1alpha1

// Condition types of a Freeze.
const (
	// ConditionInEffect is True while everything in reach holds.
	ConditionInEffect = "InEffect"
)

// Reasons of condition InEffect.
const (
	// ReasonHeld surfaces when everything in reach reports that it holds: Nodepools and all kinds that look after settings in Azure.
	ReasonHeld = "Held"
	// ReasonConverging surfaces when some in reach do not report yet that they hold; the message names three.
	ReasonConverging = "Converging"
	// ReasonScheduled surfaces when from lies ahead.
	ReasonScheduled = "Scheduled"
	// ReasonExpired surfaces when until has passed.
	ReasonExpired = "Expired"
)
