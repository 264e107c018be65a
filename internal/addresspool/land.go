package addresspool

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"

	"k8s.io/apimachinery/pkg/types"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/cidr"
)

// held is a range that is given out, or was chosen and gets its AddressAllocation in a moment.
type held struct {
	pool   types.NamespacedName
	prefix netip.Prefix
	// name of the AddressAllocation, and its spec.
	name string
	spec fleetwrightv1.AddressAllocationSpec
	// allocation is nil while the range is only chosen.
	allocation *fleetwrightv1.AddressAllocation
}

// String names the range and who has it.
func (h held) String() string {
	whose := "imported by hand"
	if h.spec.Claim.Name != "" {
		whose = fmt.Sprintf("for AddressClaim %s/%s", h.spec.Claim.Namespace, h.spec.Claim.Name)
	}
	if h.allocation == nil {
		whose = "chosen " + whose + ", and not recorded yet"
	}
	return fmt.Sprintf("%s of AddressAllocation %s/%s (%s)", h.prefix, h.pool.Namespace, h.name, whose)
}

// land is what a pool is made of, as prefixes.
type land struct {
	prefixes, reserved []netip.Prefix
	// usable is what can be given out at all: prefixes without what is reserved.
	usable []netip.Prefix
}

// landOf reads the prefixes of a pool. What admission refuses is an error here as well.
func landOf(pool *fleetwrightv1.AddressPool) (land, error) {
	var out land
	var err error
	if out.prefixes, err = cidr.ParseAll(pool.Spec.Prefixes); err != nil {
		return land{}, fmt.Errorf("spec.prefixes: %w", err)
	}
	for _, r := range pool.Spec.Reserved {
		p, err := cidr.Parse(r.Prefix)
		if err != nil {
			return land{}, fmt.Errorf("spec.reserved: %w", err)
		}
		out.reserved = append(out.reserved, p)
	}
	if out.usable, err = cidr.Usable(out.prefixes, out.reserved); err != nil {
		return land{}, fmt.Errorf("spec.prefixes: %w", err)
	}
	return out, nil
}

// shared is a range that can be given out of both; false for none.
func (l land) shared(other land) (netip.Prefix, bool) {
	for _, a := range l.usable {
		for _, b := range other.usable {
			if !a.Overlaps(b) {
				continue
			}
			if a.Bits() > b.Bits() {
				return a, true
			}
			return b, true
		}
	}
	return netip.Prefix{}, false
}

// heldOf are the ranges of a pool, in the order of their names. An error tells which of them cannot be read.
func heldOf(key types.NamespacedName, pool *fleetwrightv1.AddressPool, allocations []*fleetwrightv1.AddressAllocation) ([]held, error) {
	choices, err := choicesOf(pool)
	if err != nil {
		return nil, err
	}
	var out []held
	for _, a := range allocations {
		if poolOf(a) != key {
			continue
		}
		if choices[a.Name].CIDR == a.Spec.CIDR {
			delete(choices, a.Name) // it was made meanwhile
		}
		out = append(out, held{pool: key, name: a.Name, spec: a.Spec, allocation: a})
	}
	for name, spec := range choices {
		out = append(out, held{pool: key, name: name, spec: spec})
	}
	slices.SortFunc(out, func(a, b held) int { return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.spec.CIDR, b.spec.CIDR)) })
	for i := range out {
		if out[i].prefix, err = cidr.Parse(out[i].spec.CIDR); err != nil {
			return nil, fmt.Errorf("AddressAllocation %s/%s: spec.cidr: %w", key.Namespace, out[i].name, err)
		}
	}
	return out, nil
}

// choicesOf are the ranges that AddressClaims have chosen of a pool, by the names of their AddressAllocations, as the annotation has them.
func choicesOf(pool *fleetwrightv1.AddressPool) (map[string]fleetwrightv1.AddressAllocationSpec, error) {
	if pool == nil || pool.Annotations[fleetwrightv1.AnnotationAllocating] == "" {
		return nil, nil
	}
	var read map[string]struct {
		Spec fleetwrightv1.AddressAllocationSpec `json:"spec"`
	}
	if err := json.Unmarshal([]byte(pool.Annotations[fleetwrightv1.AnnotationAllocating]), &read); err != nil {
		return nil, fmt.Errorf("annotation %s cannot be read (%w): take it off once all AddressAllocations that it names exist", fleetwrightv1.AnnotationAllocating, err)
	}
	out := make(map[string]fleetwrightv1.AddressAllocationSpec, len(read))
	for name, choice := range read {
		out[name] = choice.Spec
	}
	return out, nil
}

// prefixesOf are the ranges alone.
func prefixesOf(all []held) []netip.Prefix {
	out := make([]netip.Prefix, 0, len(all))
	for _, h := range all {
		out = append(out, h.prefix)
	}
	return out
}
