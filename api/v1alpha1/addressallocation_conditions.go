package v1alpha1

// Reasons of condition Ready of an AddressAllocation; Bound and Overlaps as well.
const (
	// ReasonImported surfaces when the allocation has no claim, by design.
	ReasonImported = "Imported"
	// ReasonQuarantined surfaces when the range was given back and rests; the message tells until when.
	ReasonQuarantined = "Quarantined"
	// ReasonOutsidePool surfaces when the range is not inside its pool's prefixes, or the pool does not exist.
	ReasonOutsidePool = "OutsidePool"
	// ReasonOrphaned surfaces when the claim is gone and has not given the range back, as when its finalizer was taken off by hand: delete the
	// allocation once nothing uses the range, or make the claim again.
	ReasonOrphaned = "Orphaned"
)
