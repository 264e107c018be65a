package capi

import (
	"cmp"

	"github.com/fleetwright/fleetwright/internal/agentpool"
)

// SubnetIDs are the Azure resource ids of the subnets that a pool's nodes and
// pods would get their addresses from, empty while they are not known.
func (c Cluster) SubnetIDs(spec agentpool.Spec) (nodes, pods string) {
	return c.subnetID(cmp.Or(spec.Subnet, c.nodeSubnet)), c.subnetID(spec.PodSubnet)
}
