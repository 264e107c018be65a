package cidr

import (
	"cmp"
	"net/netip"
	"slices"
)

// Request asks for one range: exactly CIDR, or any of the length when CIDR is zero.
type Request struct {
	// Name tells requests of one call apart.
	Name   string
	CIDR   netip.Prefix
	Length int
}

// Next chooses ranges for all requests, largest first and of equals by name, or none: of the free ranges that are large enough the smallest,
// of equals the lowest, so that large holes stay. Each lies in one of the prefixes. Ranges that are asked for by their CIDR come first. The
// answer is in the order of the requests. Same input, in any order of prefixes, reserved and taken: same answer.
//
// An error is an *Exhausted, a *NotFree, an *ImpossibleLength, or tells of a prefix that Parse did not make.
func Next(prefixes, reserved, taken []netip.Prefix, requests []Request) ([]netip.Prefix, error) {
	return choose(requests, addressBits(prefixes), func(r Request, chosen []netip.Prefix) (netip.Prefix, error) {
		if r.CIDR.IsValid() {
			return r.CIDR, notFree(r, prefixes, reserved, slices.Concat(taken, chosen))
		}
		left, err := free(prefixes, slices.Concat(reserved, taken, chosen))
		if err != nil {
			return netip.Prefix{}, err
		}
		var best netip.Prefix
		for _, f := range left {
			if f.Bits() <= r.Length && (!best.IsValid() || f.Bits() > best.Bits()) {
				best = f
			}
		}
		if !best.IsValid() {
			return netip.Prefix{}, &Exhausted{Name: r.Name, Length: r.Length, Largest: largest(left), Beside: len(chosen)}
		}
		return netip.PrefixFrom(best.Addr(), r.Length), nil
	})
}

// choose asks for one range after the other: those with a CIDR first, then the largest, of equals by name. Small ones first would break the
// holes that large ones need.
func choose(requests []Request, bits int, one func(r Request, chosen []netip.Prefix) (netip.Prefix, error)) ([]netip.Prefix, error) {
	order := make([]int, len(requests))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return compare(requests[a], requests[b]) })
	out, chosen := make([]netip.Prefix, len(requests)), make([]netip.Prefix, 0, len(requests))
	for _, i := range order {
		r := requests[i]
		if err := possible(r, bits); err != nil {
			return nil, err
		}
		p, err := one(r, chosen)
		if err != nil {
			return nil, err
		}
		out[i], chosen = p, append(chosen, p)
	}
	return out, nil
}

func compare(a, b Request) int {
	exact := func(r Request) int {
		if r.CIDR.IsValid() {
			return 0
		}
		return 1
	}
	return cmp.Or(cmp.Compare(exact(a), exact(b)), cmp.Compare(a.Length, b.Length), cmp.Compare(a.Name, b.Name))
}

// possible refuses what no pool of this family can give.
func possible(r Request, bits int) error {
	if r.CIDR.IsValid() {
		return valid(r.CIDR)
	}
	if r.Length < 1 || r.Length > bits {
		return &ImpossibleLength{Name: r.Name, Length: r.Length, Bits: bits}
	}
	return nil
}

// addressBits is 32 or 128.
func addressBits(prefixes []netip.Prefix) int {
	if len(prefixes) == 0 {
		return 128 // nothing is free; of which family nothing is does not matter
	}
	return prefixes[0].Addr().BitLen()
}
