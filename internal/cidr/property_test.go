package cidr

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// A universe is a small range in which everything that is generated lies, so that generated things meet. Its addresses are numbered, and a
// set of them is a bitmap.
type universe struct {
	name string
	base netip.Prefix
}

const (
	universeBits = 5
	universeSize = 1 << universeBits
)

var universes = []universe{
	{"IPv4", netip.MustParsePrefix("10.66.16.32/27")},
	{"IPv6", netip.MustParsePrefix("fd00:10::20/123")},
}

// block is the range of 2^size addresses that is the n-th of its size.
func (u universe) block(size, n int) netip.Prefix {
	raw := u.base.Addr().AsSlice()
	raw[len(raw)-1] += byte(n << size)
	address, _ := netip.AddrFromSlice(raw)
	return netip.PrefixFrom(address, u.base.Addr().BitLen()-size)
}

// mask is the bitmap of a range.
func (u universe) mask(p netip.Prefix) uint32 {
	var out uint32
	address := u.base.Addr()
	for i := range universeSize {
		if p.Contains(address) {
			out |= 1 << i
		}
		address = address.Next()
	}
	return out
}

func (u universe) masks(all []netip.Prefix) uint32 {
	var out uint32
	for _, p := range all {
		out |= u.mask(p)
	}
	return out
}

// blocks generates ranges of any size.
func (u universe) blocks(most int) *rapid.Generator[[]netip.Prefix] {
	one := rapid.Custom(func(t *rapid.T) netip.Prefix {
		size := rapid.IntRange(0, universeBits-1).Draw(t, "size")
		return u.block(size, rapid.IntRange(0, 1<<(universeBits-size)-1).Draw(t, "place"))
	})
	return rapid.SliceOfN(one, 0, most)
}

// pools generates prefixes that do not overlap.
func (u universe) pools() *rapid.Generator[[]netip.Prefix] {
	return rapid.Custom(func(t *rapid.T) []netip.Prefix {
		if rapid.Bool().Draw(t, "whole") {
			return []netip.Prefix{u.base}
		}
		var out []netip.Prefix
		for _, p := range u.blocks(4).Draw(t, "prefixes") {
			if u.masks(out)&u.mask(p) == 0 {
				out = append(out, p)
			}
		}
		return out
	})
}

// sizes generates requests without a CIDR.
func (u universe) sizes(most int) *rapid.Generator[[]Request] {
	return rapid.Custom(func(t *rapid.T) []Request {
		lengths := rapid.SliceOfN(rapid.IntRange(u.base.Bits(), u.base.Addr().BitLen()), 0, most).Draw(t, "lengths")
		out := make([]Request, 0, len(lengths))
		for i, length := range lengths {
			out = append(out, Request{Name: fmt.Sprint("r", i), Length: length})
		}
		return out
	})
}

// fits is the model: it tries every place for every request. free is the bitmap of what is free of each prefix.
func (u universe) fits(prefixes []netip.Prefix, free uint32, requests []Request) bool {
	seen := map[[2]uint64]bool{}
	var try func(free uint32, i int) bool
	try = func(free uint32, i int) bool {
		if i == len(requests) {
			return true
		}
		key := [2]uint64{uint64(free), uint64(i)}
		if seen[key] {
			return false // it was tried, and was not the end
		}
		seen[key] = true
		size := u.base.Addr().BitLen() - requests[i].Length
		for n := range universeSize >> size {
			p := u.block(size, n)
			if Inside(prefixes, p) && free&u.mask(p) == u.mask(p) && try(free&^u.mask(p), i+1) {
				return true
			}
		}
		return false
	}
	return try(free, 0)
}

func everywhere(t *testing.T, check func(t *rapid.T, u universe)) {
	t.Helper()
	for _, u := range universes {
		t.Run(u.name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) { check(t, u) })
		})
	}
}

// Whatever is given out lies in the pool, is as long as asked for and is nobody else's; and what there is room for is given.
func TestNextAgainstAModel(t *testing.T) {
	everywhere(t, func(t *rapid.T, u universe) {
		prefixes := u.pools().Draw(t, "pool")
		reserved, taken := u.blocks(3).Draw(t, "reserved"), u.blocks(6).Draw(t, "taken")
		requests := u.sizes(5).Draw(t, "requests")
		got, err := Next(prefixes, reserved, taken, requests)
		free := u.masks(prefixes) &^ u.masks(reserved) &^ u.masks(taken)
		if room := u.fits(prefixes, free, requests); room != (err == nil) {
			t.Fatalf("there is room: %t; Next says %v, %v", room, got, err)
		}
		if err != nil {
			if !errors.Is(err, ErrExhausted) {
				t.Fatalf("the error is %v", err)
			}
			return
		}
		for i, p := range got {
			if p != p.Masked() || p.Bits() != requests[i].Length || !Inside(prefixes, p) {
				t.Fatalf("%s for %+v does not lie in %v as asked", p, requests[i], prefixes)
			}
			if mask := u.mask(p); free&mask != mask {
				t.Fatalf("%s is not free", p)
			}
			free &^= u.mask(p)
		}
	})
}

// The order in which anything is listed is nothing; and what was given back can be given again.
func TestNextAgain(t *testing.T) {
	everywhere(t, func(t *rapid.T, u universe) {
		prefixes := u.pools().Draw(t, "pool")
		reserved, taken := u.blocks(3).Draw(t, "reserved"), u.blocks(4).Draw(t, "taken")
		requests := u.sizes(5).Draw(t, "requests")
		got, err := Next(prefixes, reserved, taken, requests)
		order := rapid.Permutation(requests).Draw(t, "order")
		again, againErr := Next(
			rapid.Permutation(prefixes).Draw(t, "prefixes"), rapid.Permutation(reserved).Draw(t, "reserved again"), rapid.Permutation(taken).Draw(t, "taken again"), order)
		if fmt.Sprint(err) != fmt.Sprint(againErr) {
			t.Fatalf("first %v, then %v", err, againErr)
		}
		for i, p := range again {
			if before := slices.IndexFunc(requests, func(r Request) bool { return r.Name == order[i].Name }); got[before] != p {
				t.Fatalf("%s was given %s, then %s", order[i].Name, got[before], p)
			}
		}
		if len(got) == 0 {
			return
		}
		back := rapid.IntRange(0, len(got)-1).Draw(t, "back")
		others := slices.Delete(slices.Clone(got), back, back+1)
		if _, err := Next(prefixes, reserved, slices.Concat(taken, others), requests[back:back+1]); err != nil {
			t.Fatalf("%s was given back: %v", got[back], err)
		}
	})
}

// A range that is asked for by its CIDR is given exactly when all of it is free.
func TestExactly(t *testing.T) {
	everywhere(t, func(t *rapid.T, u universe) {
		prefixes := u.pools().Draw(t, "pool")
		reserved, taken := u.blocks(3).Draw(t, "reserved"), u.blocks(4).Draw(t, "taken")
		size := rapid.IntRange(0, universeBits).Draw(t, "size")
		p := u.block(size, rapid.IntRange(0, universeSize>>size-1).Draw(t, "place"))
		got, err := Next(prefixes, reserved, taken, []Request{{Name: "a", CIDR: p}})
		free := u.masks(prefixes) &^ u.masks(reserved) &^ u.masks(taken)
		if want := Inside(prefixes, p) && free&u.mask(p) == u.mask(p); want != (err == nil) || want && got[0] != p {
			t.Fatalf("%s is free: %t; Next says %v, %v", p, want, got, err)
		}
		var notFree *NotFree
		if err != nil && (!errors.As(err, &notFree) || notFree.Other.IsValid() == notFree.Outside || notFree.Other.IsValid() && !notFree.Other.Overlaps(p)) {
			t.Fatalf("the error is %#v", err)
		}
	})
}

// Whatever lies in its hull can be packed, and in no smaller range.
func TestPackInItsHull(t *testing.T) {
	everywhere(t, func(t *rapid.T, u universe) {
		bits := u.base.Addr().BitLen()
		lengths := rapid.SliceOfN(rapid.IntRange(bits-12, bits), 1, 8).Draw(t, "lengths")
		requests := make([]Request, 0, len(lengths))
		for i, length := range lengths {
			requests = append(requests, Request{Name: fmt.Sprint("r", i), Length: length})
		}
		outer := netip.PrefixFrom(u.base.Addr(), Hull(lengths)).Masked()
		got, err := Pack(outer, requests)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, overlap := Overlapping(got); overlap {
			t.Fatalf("%v overlap", got)
		}
		for i, p := range got {
			if p != p.Masked() || p.Bits() != lengths[i] || !contains(outer, p) {
				t.Fatalf("%s for /%d does not lie in %s", p, lengths[i], outer)
			}
		}
		if outer.Bits() == bits {
			return
		}
		if got, err := Pack(netip.PrefixFrom(outer.Addr(), outer.Bits()+1), requests); !errors.Is(err, ErrExhausted) {
			t.Fatalf("half the hull takes them: %v, %v", got, err)
		}
		order := rapid.Permutation(requests).Draw(t, "order")
		again, err := Pack(outer, order)
		if err != nil {
			t.Fatal(err)
		}
		for i, p := range again {
			if before := slices.Index(requests, order[i]); got[before] != p {
				t.Fatalf("%s was laid at %s, then at %s", order[i].Name, got[before], p)
			}
		}
	})
}

// What is said of overlaps and of space is so, address by address.
func TestSpaceAgainstAModel(t *testing.T) {
	everywhere(t, func(t *rapid.T, u universe) {
		prefixes := u.pools().Draw(t, "pool")
		reserved, taken := u.blocks(3).Draw(t, "reserved"), u.blocks(4).Draw(t, "taken")
		all, left := 0, 0
		for i := range universeSize {
			one := uint32(1) << i
			if u.masks(prefixes)&one != 0 && u.masks(reserved)&one == 0 {
				all++
				if u.masks(taken)&one == 0 {
					left++
				}
			}
		}
		want := Space{}
		if all > 0 {
			want.FreePercent = 100 * left / all
		}
		for length := u.base.Addr().BitLen(); length >= u.base.Bits(); length-- {
			if _, err := Next(prefixes, reserved, taken, []Request{{Name: "a", Length: length}}); err == nil {
				want.Largest = length
			}
		}
		if got, err := SpaceOf(prefixes, reserved, taken); err != nil || got != want {
			t.Fatalf("SpaceOf says %+v, %v, want %+v", got, err, want)
		}
		pair := ""
		for a := range taken {
			for b := a + 1; b < len(taken) && pair == ""; b++ {
				if u.mask(taken[a])&u.mask(taken[b]) != 0 {
					pair = fmt.Sprint(a, b)
				}
			}
		}
		if a, b, overlap := Overlapping(taken); overlap != (pair != "") || overlap && fmt.Sprint(a, b) != pair {
			t.Fatalf("of %v Overlapping says %d, %d, %t, want %q", taken, a, b, overlap, pair)
		}
	})
}
