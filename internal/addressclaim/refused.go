package addressclaim

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"k8s.io/apimachinery/pkg/types"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/cidr"
)

// sized refuses to size a range of an IPv6 pool.
func sized(r fleetwrightv1.ClaimedRange, prefixes []netip.Prefix) error {
	if len(prefixes) == 0 {
		return nil
	}
	return suits(r, prefixes[0])
}

// next chooses ranges that are free and whose records can be made: somebody may have imported something else under the name of one.
func next(key types.NamespacedName, p pool, requests []cidr.Request) ([]netip.Prefix, *obstacle) {
	for {
		chosen, err := cidr.Next(p.prefixes, p.reserved, p.taken(), requests)
		if err != nil {
			return nil, refused(key, p, err)
		}
		clash := slices.IndexFunc(chosen, func(c netip.Prefix) bool { return p.named(cidr.AllocationName(key.Name, c)) })
		if clash < 0 {
			return chosen, nil
		}
		p.avoided = append(slices.Clone(p.avoided), chosen[clash])
	}
}

// refused says why a pool has not what is asked for.
func refused(key types.NamespacedName, p pool, err error) *obstacle {
	if notFree, is := errors.AsType[*cidr.NotFree](err); is {
		o := &obstacle{stuck, fleetwrightv1.ReasonOverlaps, fmt.Sprintf("AddressPool %s: %s", key, err)}
		switch {
		case notFree.Outside:
			o.reason = fleetwrightv1.ReasonInvalidSpec
			o.message += "; add it to the pool's prefixes, or make another AddressClaim"
		case notFree.Reserved:
			o.message += "; take it out of the pool's reserved parts, or make another AddressClaim"
		default:
			o.message += p.holderOf(key, notFree.Other)
		}
		return o
	}
	if errors.Is(err, cidr.ErrExhausted) {
		return &obstacle{stuck, fleetwrightv1.ReasonExhausted, fmt.Sprintf("AddressPool %s: %s; add prefixes to the pool, or give ranges back", key, err)}
	}
	return &obstacle{stuck, fleetwrightv1.ReasonInvalidSpec, fmt.Sprintf("AddressPool %s: %s", key, err)}
}

// holderOf names who has a range that is taken, and what can be done.
func (p pool) holderOf(key types.NamespacedName, taken netip.Prefix) string {
	if slices.Contains(p.avoided, taken) {
		return fmt.Sprintf(" in name: AddressAllocation %s/%s is of something else, and has the name of its record: make that one again under another name",
			key.Namespace, cidr.AllocationName(key.Name, taken))
	}
	for _, a := range p.allocations {
		switch {
		case a.prefix != taken:
		case a.back:
			return fmt.Sprintf(" by AddressAllocation %s, which was given back and rests; wait, or delete that one if nothing uses it", a.name)
		case a.spec.Claim.Name != "":
			return fmt.Sprintf(" by AddressAllocation %s for AddressClaim %s/%s", a.name, a.spec.Claim.Namespace, a.spec.Claim.Name)
		default:
			return fmt.Sprintf(" by AddressAllocation %s, which somebody has imported: delete that one to have its range in this claim", a.name)
		}
	}
	for _, c := range p.choices {
		if c.prefix == taken {
			return fmt.Sprintf(" by AddressClaim %s/%s", c.Spec.Claim.Namespace, c.Spec.Claim.Name)
		}
	}
	return " by another range of this claim"
}
