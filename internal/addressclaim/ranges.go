package addressclaim

import (
	"fmt"
	"net/netip"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/cidr"
)

// What a sizing leaves open. Ranges within another one are computed again at each look, so these can never change.
const (
	defaultMaxPods      = 250
	defaultSurgePercent = 25
)

// shape is what a range has to be: exactly cidr, or any of the length.
type shape struct {
	cidr   netip.Prefix
	length int
}

// fits is true for a range that is as it has to be.
func (s shape) fits(p netip.Prefix) bool {
	if s.cidr.IsValid() {
		return p == s.cidr
	}
	return p.Bits() == s.length
}

func (s shape) String() string {
	if s.cidr.IsValid() {
		return s.cidr.String()
	}
	return fmt.Sprintf("a /%d", s.length)
}

func (s shape) request(name string) cidr.Request {
	return cidr.Request{Name: name, CIDR: s.cidr, Length: s.length}
}

// shapesOf are the shapes of all ranges, by name. The errors name a range that cannot be.
func shapesOf(ranges []fleetwrightv1.ClaimedRange) (map[string]shape, error) {
	out := map[string]shape{}
	for _, r := range ranges {
		s, err := ownShape(r)
		if err != nil {
			return nil, fmt.Errorf("range %s: %w", r.Name, err)
		}
		out[r.Name] = s
	}
	for _, r := range ranges {
		if out[r.Name] != (shape{}) {
			continue
		}
		length, err := hullOf(r.Name, ranges, out)
		if err != nil {
			return nil, err
		}
		out[r.Name] = shape{length: length}
	}
	return out, nil
}

// ownShape is what a range says of itself; the zero shape when it says nothing.
func ownShape(r fleetwrightv1.ClaimedRange) (shape, error) {
	switch {
	case r.CIDR != "":
		p, err := cidr.Parse(r.CIDR)
		return shape{cidr: p}, err
	case r.PrefixLength != 0:
		return shape{length: int(r.PrefixLength)}, nil
	case r.Sizing != (fleetwrightv1.RangeSizing{}):
		length, err := cidr.Length(sizingOf(r.Sizing))
		return shape{length: length}, err
	}
	return shape{}, nil
}

func sizingOf(s fleetwrightv1.RangeSizing) cidr.Sizing {
	out := cidr.Sizing{
		Pods: s.Purpose == fleetwrightv1.RangePurposePods, Mode: string(s.Mode),
		MaxNodes: int(s.MaxNodes), MaxPods: defaultMaxPods, SurgePercent: defaultSurgePercent,
	}
	if s.MaxPods != 0 {
		out.MaxPods = int(s.MaxPods)
	}
	if s.SurgePercent != nil {
		out.SurgePercent = int(*s.SurgePercent)
	}
	return out
}

// hullOf is the length of a range that is as large as those within it need.
func hullOf(name string, ranges []fleetwrightv1.ClaimedRange, shapes map[string]shape) (int, error) {
	var lengths []int
	for _, r := range ranges {
		if r.Within != name {
			continue
		}
		s := shapes[r.Name]
		if s.cidr.IsValid() {
			return 0, fmt.Errorf("range %s: it has no size of its own, and range %s within it is to be %s: give %s a cidr as well", name, r.Name, s.cidr, name)
		}
		lengths = append(lengths, s.length)
	}
	length := cidr.Hull(lengths)
	if length < 1 {
		return 0, fmt.Errorf("range %s: no range is large enough for what lies within it: ask for smaller ranges", name)
	}
	return length, nil
}

// nest lays the ranges within others where they are, given where those are, by name.
func nest(ranges []fleetwrightv1.ClaimedRange, shapes map[string]shape, outer map[string]netip.Prefix) (map[string]netip.Prefix, error) {
	out := map[string]netip.Prefix{}
	for _, o := range ranges {
		var within []cidr.Request
		for _, r := range ranges {
			if r.Within != o.Name {
				continue
			}
			if err := suits(r, outer[o.Name]); err != nil {
				return nil, err
			}
			within = append(within, shapes[r.Name].request(r.Name))
		}
		if len(within) == 0 {
			continue
		}
		packed, err := cidr.Pack(outer[o.Name], within)
		if err != nil {
			return nil, fmt.Errorf("within range %s, which is %s: %w; make another AddressClaim in which they fit", o.Name, outer[o.Name], err)
		}
		for i, request := range within {
			out[request.Name] = packed[i]
		}
	}
	return out, nil
}

// suits refuses to size a range of IPv6.
func suits(r fleetwrightv1.ClaimedRange, p netip.Prefix) error {
	if p.Addr().Is6() && r.Sizing != (fleetwrightv1.RangeSizing{}) {
		return fmt.Errorf("range %s: sizing is of IPv4, and %s is IPv6: give prefixLength instead", r.Name, p)
	}
	return nil
}
