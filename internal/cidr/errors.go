package cidr

import (
	"errors"
	"fmt"
	"net/netip"
)

// ErrExhausted is wrapped by *Exhausted.
var ErrExhausted = errors.New("no range of that length is free")

// Exhausted says that no range of the length is free.
type Exhausted struct {
	// Name of the request.
	Name string
	// Length is what was asked for; Largest the length of the largest range that is free, 0 for none.
	Length, Largest int
	// Beside is how many ranges of the same call had found room before.
	Beside int
}

func (e *Exhausted) Error() string {
	text := fmt.Sprintf("no /%d is free for range %s", e.Length, e.Name)
	if e.Beside > 0 {
		text += fmt.Sprintf(" beside the %d that are asked for with it", e.Beside)
	}
	if e.Largest == 0 {
		return text + ": nothing is free"
	}
	return text + fmt.Sprintf(": the largest free range is a /%d", e.Largest)
}

// Unwrap makes errors.Is(err, ErrExhausted) true.
func (e *Exhausted) Unwrap() error { return ErrExhausted }

// NotFree says that a range that was asked for by its CIDR cannot be given.
type NotFree struct {
	// Name of the request, and what it asked for.
	Name string
	CIDR netip.Prefix
	// Outside is true when it lies in none of the prefixes; else Reserved is true when a reserved part is what it overlaps.
	Outside, Reserved bool
	// Other is what it overlaps: the lowest of those.
	Other netip.Prefix
}

func (e *NotFree) Error() string {
	switch {
	case e.Outside:
		return fmt.Sprintf("%s for range %s does not lie in one of the prefixes", e.CIDR, e.Name)
	case e.Reserved:
		return fmt.Sprintf("%s for range %s overlaps %s, which is reserved", e.CIDR, e.Name, e.Other)
	}
	return fmt.Sprintf("%s for range %s overlaps %s, which is taken", e.CIDR, e.Name, e.Other)
}

// notFree is nil when the range can be given.
func notFree(r Request, prefixes, reserved, taken []netip.Prefix) error {
	if !Inside(prefixes, r.CIDR) {
		return &NotFree{Name: r.Name, CIDR: r.CIDR, Outside: true}
	}
	if other, is := overlapped(reserved, r.CIDR); is {
		return &NotFree{Name: r.Name, CIDR: r.CIDR, Reserved: true, Other: other}
	}
	if other, is := overlapped(taken, r.CIDR); is {
		return &NotFree{Name: r.Name, CIDR: r.CIDR, Other: other}
	}
	return nil
}

// overlapped is the lowest that overlaps p.
func overlapped(all []netip.Prefix, p netip.Prefix) (netip.Prefix, bool) {
	var lowest netip.Prefix
	for _, other := range all {
		if other.Overlaps(p) && (!lowest.IsValid() || other.Compare(lowest) < 0) {
			lowest = other
		}
	}
	return lowest, lowest.IsValid()
}

// ImpossibleLength says that a length is none of the family of the prefixes.
type ImpossibleLength struct {
	// Name of the request.
	Name string
	// Length is what was asked for; Bits is what an address has, 32 or 128.
	Length, Bits int
}

func (e *ImpossibleLength) Error() string {
	return fmt.Sprintf("range %s cannot be a /%d: give a length from 1 to %d", e.Name, e.Length, e.Bits)
}
