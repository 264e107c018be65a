package capacity

import (
	"fmt"
	"math"
	"strings"
)

// Unlimited is the room when nothing that is known limits it.
const Unlimited = math.MaxInt32

// Nodes is how many more nodes of a pool fit, and what allows no more, worded for people. What is unknown limits
// nothing; without any limit the answer is Unlimited and no words. Of equal limits the first is named: machine type,
// then quotas, then subnets.
func Nodes(q Query, a Answer, perNode Addresses) (room int32, limit string) {
	if why := a.SKU.refuses(q); why != "" {
		return 0, why
	}
	tightest := int64(Unlimited)
	bound := func(fit int64, words string) {
		if fit < tightest {
			tightest, limit = fit, words
		}
	}
	if a.Quotas.Known && a.SKU.VCPUs > 0 {
		for _, quota := range a.Quotas.Of {
			bound(quota.Left()/int64(a.SKU.VCPUs), fmt.Sprintf("quota %s of %s: %d of %d vCPUs are left, a %s needs %d",
				quota.Name, q.Location, quota.Left(), quota.Limit, q.MachineType, a.SKU.VCPUs))
		}
	}
	for _, subnet := range a.Subnets {
		needs := q.takes(perNode, subnet.ID)
		if !subnet.Known || needs == 0 {
			continue
		}
		bound(subnet.Free()/needs, fmt.Sprintf("subnet %s: %d of %d addresses are free, a node needs %d",
			subnetName(subnet.ID), subnet.Free(), subnet.Usable, needs))
	}
	return int32(tightest), limit // at most Unlimited, at least 0
}

// refuses is why Azure makes no machine of this type for the query at all; empty if it does, or nobody knows.
func (s SKU) refuses(q Query) string {
	switch {
	case !s.Known:
		return ""
	case !s.Offered:
		return fmt.Sprintf("machine type %s is not offered in %s", q.MachineType, q.Location)
	case s.Restricted != "":
		return fmt.Sprintf("machine type %s cannot be used in %s: %s", q.MachineType, q.Location, s.Restricted)
	case len(s.ZonesMissing) > 0:
		words := fmt.Sprintf("machine type %s cannot be used in zone %s of %s", q.MachineType, strings.Join(s.ZonesMissing, ", "), q.Location)
		if s.ZonesWhy != "" {
			words += ": " + s.ZonesWhy
		}
		return words
	}
	return ""
}

// takes is how many addresses of a subnet one node takes.
func (q Query) takes(perNode Addresses, subnetID string) int64 {
	var n int64
	if sameID(subnetID, q.NodeSubnetID) {
		n += perNode.FromNodeSubnet
	}
	if sameID(subnetID, q.PodSubnetID) {
		n += perNode.FromPodSubnet
	}
	return n
}

// sameID compares ARM ids, whose letter case means nothing.
func sameID(a, b string) bool { return a != "" && strings.EqualFold(a, b) }

// subnetName is "network/subnet", or the id where it has another form.
func subnetName(id string) string {
	segments := strings.Split(id, "/")
	if n := len(segments); n >= 4 && strings.EqualFold(segments[n-2], "subnets") {
		return segments[n-3] + "/" + segments[n-1]
	}
	return id
}
