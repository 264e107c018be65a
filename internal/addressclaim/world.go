package addressclaim

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/hold"
)

// world is what one look has shown.
type world struct {
	claim   types.NamespacedName
	created time.Time
	spec    fleetwrightv1.AddressClaimSpec
	hold    hold.Hold
	// deleting and marked are about the claim: whether it has its finalizer. clusterThere is about the Cluster that uses its ranges.
	deleting, marked, clusterThere bool
	// pools are those that the claim names.
	pools map[types.NamespacedName]pool
	// kept are, while the claim is deleted, all allocations that name it and were not given back, in whatever namespace; not read otherwise.
	kept []allocation
}

// pool is an AddressPool, with all that is given out of it.
type pool struct {
	// obstacle is why it gives out nothing; nil when it does.
	obstacle *obstacle
	// unreadable is true when nobody can tell what was chosen.
	unreadable         bool
	prefixes, reserved []netip.Prefix
	allocations        []allocation
	// choices are those that were written down on the pool and may have no allocation yet, by the name of that.
	choices map[string]choice
	// elsewhere are the names of the AddressAllocations of other pools in the namespace: nothing of this pool can be recorded under them.
	elsewhere map[string]bool
	// avoided are ranges whose record cannot be made, because something else has its name.
	avoided []netip.Prefix
}

// allocation is an AddressAllocation. prefix is its range.
type allocation struct {
	namespace, name string
	spec            fleetwrightv1.AddressAllocationSpec
	prefix          netip.Prefix
	created         time.Time
	// leaving is true when somebody has deleted it and its finalizer keeps it.
	leaving bool
	// back is true when the claim has given it back, and not only somebody said so in its spec.
	back bool
	// loose is true when it has not the finalizer that keeps it for its claim.
	loose bool
}

// obstacle is why nothing can be had of a pool.
type obstacle struct {
	verdict         verdict
	reason, message string
}

// of is true when the allocation was made for a range of the claim.
func of(spec fleetwrightv1.AddressAllocationSpec, claim types.NamespacedName, name string) bool {
	return isOf(spec, claim) && spec.Claim.Range == name
}

// isOf is true when the allocation was made for the claim.
func isOf(spec fleetwrightv1.AddressAllocationSpec, claim types.NamespacedName) bool {
	return spec.Claim.Name == claim.Name && spec.Claim.Namespace == claim.Namespace
}

// own are the allocations of a range of the claim that were not given back, the oldest first. There is more than one only after somebody has
// taken off finalizers.
func (p pool) own(claim types.NamespacedName, name string) []allocation {
	var out []allocation
	for _, a := range p.allocations {
		if of(a.spec, claim, name) && !a.back {
			out = append(out, a)
		}
	}
	slices.SortFunc(out, func(a, b allocation) int { return cmp.Or(a.created.Compare(b.created), cmp.Compare(a.name, b.name)) })
	return out
}

// finished is true when the choice of that name has its allocation. Something else of that name is not its own.
func (p pool) finished(name string, c choice) bool {
	return slices.ContainsFunc(p.allocations, func(a allocation) bool { return a.name == name && same(a.spec, c.Spec) })
}

// named is true when some allocation has the name, of whatever pool.
func (p pool) named(name string) bool {
	return p.elsewhere[name] || slices.ContainsFunc(p.allocations, func(a allocation) bool { return a.name == name })
}

// taken are all ranges that nobody else may have: those of allocations, that rest or leave included, and those that were chosen.
func (p pool) taken() []netip.Prefix {
	out := make([]netip.Prefix, 0, len(p.allocations)+len(p.choices))
	for _, a := range p.allocations {
		out = append(out, a.prefix)
	}
	for _, c := range p.choices {
		out = append(out, c.prefix)
	}
	return append(out, p.avoided...)
}

// overtaken is true when an allocation has part of a range that was chosen, or the name of its record, and is not that choice's own: people
// write allocations without asking the pool.
func (p pool) overtaken(name string, c choice) bool {
	return p.elsewhere[name] || slices.ContainsFunc(p.allocations, func(a allocation) bool {
		if a.name == name {
			return !same(a.spec, c.Spec)
		}
		return a.prefix.Overlaps(c.prefix)
	})
}

// same is true when two are of the same range and for the same claim, given back or not.
func same(a, b fleetwrightv1.AddressAllocationSpec) bool {
	return a.PoolName == b.PoolName && a.CIDR == b.CIDR && a.Claim == b.Claim
}
