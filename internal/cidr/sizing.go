package cidr

import (
	"errors"
	"fmt"
	"math/bits"
)

// Sizing is an api RangeSizing in plain numbers, with its defaults put in.
type Sizing struct {
	// Pods is true for purpose Pods, false for Nodes.
	Pods bool
	// Mode is Overlay, CNI or CNIPodSubnet.
	Mode string
	// MaxNodes is how many nodes there may be, MaxPods how many pods on each, SurgePercent how many more nodes there are meanwhile.
	MaxNodes, MaxPods, SurgePercent int
}

const (
	// keptByAzure is how many addresses of each subnet are Azure's own.
	keptByAzure = 5
	// perOverlayNode is how many addresses of an overlay range AKS gives to each node, a /24, however few pods it may have.
	perOverlayNode = 256
	// podBatch is how many addresses of a subnet of pods a node takes at a time.
	podBatch = 16
)

// Length is the prefix length of the smallest IPv4 range that holds it. Ranges within another one are packed by it and written down nowhere:
// what it answered once it has to answer for ever.
//
//	nodes = ceil(MaxNodes * (100+SurgePercent) / 100)
//	Nodes, Overlay or CNIPodSubnet: nodes + 5          Nodes, CNI: nodes*(1+MaxPods) + 5
//	Pods, Overlay: nodes * 256                         Pods, CNIPodSubnet: nodes*MaxPods + 5, MaxPods in whole batches of 16
func Length(s Sizing) (int, error) {
	if err := s.possible(); err != nil {
		return 0, err
	}
	addresses := s.addresses()
	length := 32 - bits.Len(uint(addresses-1))
	if length < 1 {
		return 0, fmt.Errorf("%d nodes need %d addresses, which IPv4 does not have: make maxNodes or maxPods smaller", s.nodes(), addresses)
	}
	return length, nil
}

// possible refuses what no range is for.
func (s Sizing) possible() error {
	switch {
	case s.Mode != "Overlay" && s.Mode != "CNI" && s.Mode != "CNIPodSubnet":
		return fmt.Errorf("mode %q is not known: give Overlay, CNI or CNIPodSubnet", s.Mode)
	case s.Pods && s.Mode == "CNI":
		return errors.New("mode CNI has no range of pods, which are in the subnet of the nodes: give purpose Nodes")
	case s.MaxNodes < 1:
		return fmt.Errorf("maxNodes is %d: give at least 1", s.MaxNodes)
	case s.MaxPods < 1:
		return fmt.Errorf("maxPods is %d: give at least 1", s.MaxPods)
	case s.SurgePercent < 0:
		return fmt.Errorf("surgePercent is %d: give at least 0", s.SurgePercent)
	}
	return nil
}

// nodes is how many there are at most, those of a replacement included.
func (s Sizing) nodes() int { return roundUp(s.MaxNodes*(100+s.SurgePercent), 100) / 100 }

func (s Sizing) addresses() int {
	switch {
	case s.Pods && s.Mode == "Overlay":
		return s.nodes() * perOverlayNode
	case s.Pods:
		return s.nodes()*roundUp(s.MaxPods, podBatch) + keptByAzure
	case s.Mode == "CNI":
		return s.nodes()*(1+s.MaxPods) + keptByAzure
	}
	return s.nodes() + keptByAzure
}

// roundUp is the least multiple of step that is not below n.
func roundUp(n, step int) int { return (n + step - 1) / step * step }

// Hull is the length of the smallest range in which ranges of these lengths lie side by side; 0 for none, and below 1 when there is no range
// that large.
func Hull(lengths []int) int {
	if len(lengths) == 0 {
		return 0
	}
	smallest, largest, per := lengths[0], lengths[0], map[int]int{}
	for _, l := range lengths {
		smallest, largest = max(smallest, l), min(largest, l)
		per[l]++
	}
	// From the smallest ranges up: two of a length make one of the next, half of one needs a whole.
	ranges, length := 0, smallest
	for ; ; length-- {
		ranges += per[length]
		if length <= largest && ranges <= 1 {
			return length
		}
		ranges = (ranges + 1) / 2
	}
}
