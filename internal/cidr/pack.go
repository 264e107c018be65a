package cidr

import "net/netip"

// Pack lays ranges within another one: those with a CIDR where they say, the others largest first, of equals by name, each at the lowest free
// place. A golden test keeps its answers for ever: they are written down nowhere else. Errors are those of Next.
func Pack(outer netip.Prefix, requests []Request) ([]netip.Prefix, error) {
	within := []netip.Prefix{outer}
	return choose(requests, addressBits(within), func(r Request, chosen []netip.Prefix) (netip.Prefix, error) {
		if r.CIDR.IsValid() {
			return r.CIDR, notFree(r, within, nil, chosen)
		}
		left, err := free(within, chosen)
		if err != nil {
			return netip.Prefix{}, err
		}
		for _, f := range left {
			if f.Bits() <= r.Length {
				return netip.PrefixFrom(f.Addr(), r.Length), nil
			}
		}
		return netip.Prefix{}, &Exhausted{Name: r.Name, Length: r.Length, Largest: largest(left), Beside: len(chosen)}
	})
}
