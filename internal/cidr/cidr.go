// Package cidr does the arithmetic of address ranges: which range is given out next, how large one has to be, and how ranges lie within
// another one. It knows prefixes and numbers only.
//
// Prefixes come from Parse, so they have no host bits and IPv4 is IPv4; those of one call are of one family. What is asked for has to name
// a length from 1 on: the length 0, which is all addresses there are, stands for "none".
package cidr

import (
	"fmt"
	"net/netip"
	"slices"
)

// Parse reads a range such as 10.64.0.0/20. Host bits and IPv4 written as IPv6 are errors.
func Parse(text string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(text)
	switch {
	case err != nil:
		return netip.Prefix{}, fmt.Errorf("%q is no range of addresses: write an address, a slash and a length, such as 10.64.0.0/20", text)
	case p.Addr().Is4In6():
		return netip.Prefix{}, fmt.Errorf("%q is IPv4 written as IPv6: write it as IPv4, such as 10.64.0.0/20", text)
	case p != p.Masked():
		return netip.Prefix{}, fmt.Errorf("%q has host bits: write %s", text, p.Masked())
	}
	return p, nil
}

// ParseAll reads several; the first that is wrong is the error.
func ParseAll(texts []string) ([]netip.Prefix, error) {
	out := make([]netip.Prefix, 0, len(texts))
	for _, text := range texts {
		p, err := Parse(text)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// Inside is true when the range lies in one of the prefixes. One that reaches over two neighbours does not.
func Inside(prefixes []netip.Prefix, p netip.Prefix) bool {
	return slices.ContainsFunc(prefixes, func(outer netip.Prefix) bool { return contains(outer, p) })
}

func contains(outer, inner netip.Prefix) bool {
	return outer.Bits() <= inner.Bits() && outer.Contains(inner.Addr())
}

// Overlapping is the first pair, by index, of prefixes that overlap; a is less than b.
func Overlapping(prefixes []netip.Prefix) (a, b int, overlap bool) {
	// Of two prefixes that overlap one holds the other. In order, the one that is held comes after its holder with nothing between them but
	// what the holder holds as well: so there are two neighbours that overlap. There are thousands of allocations and hardly ever such a pair.
	sorted := slices.SortedFunc(slices.Values(prefixes), netip.Prefix.Compare)
	for i := 1; i < len(sorted); i++ {
		overlap = overlap || sorted[i-1].Overlaps(sorted[i])
	}
	if !overlap {
		return 0, 0, false
	}
	for a := range prefixes {
		for b := a + 1; b < len(prefixes); b++ {
			if prefixes[a].Overlaps(prefixes[b]) {
				return a, b, true
			}
		}
	}
	return 0, 0, false
}
