package cidr

import (
	"fmt"
	"math/big"
	"net/netip"
	"slices"

	"go4.org/netipx"
)

// Usable are the parts of a pool that can be given out at all, lowest first.
func Usable(prefixes, reserved []netip.Prefix) ([]netip.Prefix, error) {
	return free(prefixes, reserved)
}

// free are the largest ranges that lie in one of the prefixes and of which nothing is without, lowest first. Two that are neighbours stay
// two where they belong to two prefixes: each prefix may be taken away later.
func free(prefixes, without []netip.Prefix) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, p := range prefixes {
		if err := valid(p); err != nil {
			return nil, err
		}
		var set netipx.IPSetBuilder
		set.AddPrefix(p)
		for _, w := range without {
			if err := valid(w); err != nil {
				return nil, err
			}
			if p.Overlaps(w) {
				set.RemovePrefix(w)
			}
		}
		left, err := set.IPSet()
		if err != nil {
			return nil, fmt.Errorf("what is free in %s: %w", p, err)
		}
		out = append(out, left.Prefixes()...)
	}
	slices.SortFunc(out, netip.Prefix.Compare)
	return out, nil
}

// valid refuses what Parse does not make: it would be another range than it says.
func valid(p netip.Prefix) error {
	if !p.IsValid() || p != p.Masked() {
		return fmt.Errorf("%s is no range without host bits", p)
	}
	return nil
}

// largest is the length of the largest of them; 0 for none. All addresses there are count as their half.
func largest(free []netip.Prefix) int {
	out := 0
	for _, f := range free {
		if length := max(1, f.Bits()); out == 0 || length < out {
			out = length
		}
	}
	return out
}

// count is how many addresses they have. IPv6 does not fit into an integer.
func count(free []netip.Prefix) *big.Int {
	out := new(big.Int)
	for _, f := range free {
		out.Add(out, new(big.Int).Lsh(big.NewInt(1), uint(f.Addr().BitLen()-f.Bits())))
	}
	return out
}
