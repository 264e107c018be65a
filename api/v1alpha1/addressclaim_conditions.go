package v1alpha1

// Reasons of condition Ready of an AddressClaim, which are on Stalled as well when a person has to act; Overlaps (a range that it names is not
// free, or is not kept as it is asked for now) and InvalidSpec (ranges that cannot be as they are asked for) as well. Paused says who holds what.
const (
	// ReasonBound surfaces when all ranges are the claim's; on an AddressAllocation when a claim has it.
	ReasonBound = "Bound"
	// ReasonBinding surfaces when ranges were chosen and are being written down.
	ReasonBinding = "Binding"
	// ReasonExhausted surfaces when a pool has no room; on Stalled as well. The message tells the largest range that is free.
	ReasonExhausted = "Exhausted"
	// ReasonPoolNotFound surfaces when poolRef names nothing.
	ReasonPoolNotFound = "PoolNotFound"
	// ReasonPoolNotReady surfaces when the pool gives out nothing; the message quotes it.
	ReasonPoolNotReady = "PoolNotReady"
	// ReasonNamespaceNotAllowed surfaces when the pool does not let this namespace have parts of it.
	ReasonNamespaceNotAllowed = "NamespaceNotAllowed"
)

// Reasons of condition Deleting of an AddressClaim; NotDeleting as well.
const (
	// ReasonInUse surfaces when the Cluster still exists.
	ReasonInUse = "InUse"
	// ReasonGivingBack surfaces when the ranges are being given back.
	ReasonGivingBack = "GivingBack"
)
