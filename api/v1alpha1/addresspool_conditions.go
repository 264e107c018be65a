package v1alpha1

// Condition types of an AddressPool: Ready, Deleting, and Stalled while it is True, which others have as well, and one of its own.
const (
	// ConditionExhausting is True while the pool will soon have nothing to give. Alert on this one.
	ConditionExhausting = "Exhausting"
)

// Reasons of condition Ready, which are on Stalled as well when a person has to act; Ready, and InvalidSpec (annotation
// fleetwright.io/allocating cannot be read) as well.
const (
	// ReasonInvalidPrefixes surfaces when prefixes overlap each other, or one was taken away of which something is given out.
	ReasonInvalidPrefixes = "InvalidPrefixes"
	// ReasonOverlaps surfaces when the pool overlaps an older one, when another pool gave out, or still gives out, what lies in this one, or when
	// two AddressAllocations of it overlap because people wrote them; on an AddressClaim when the range that it names is not free. The message
	// names the other one.
	ReasonOverlaps = "Overlaps"
)

// Reasons of condition Exhausting.
const (
	// ReasonLowSpace surfaces when less than 10 % is free.
	ReasonLowSpace = "LowSpace"
	// ReasonSoonExhausted surfaces when, at the rate of the last 90 days, nothing will be free in 30 days.
	ReasonSoonExhausted = "SoonExhausted"
	// ReasonEnoughSpace surfaces when neither is so.
	ReasonEnoughSpace = "EnoughSpace"
)

// Reasons of condition Deleting of an AddressPool; DeletionProtected and NotDeleting as well.
const (
	// ReasonStillInUse surfaces when something is to be deleted that others still use; the message names some of them.
	ReasonStillInUse = "StillInUse"
)
