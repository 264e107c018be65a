package aks

import (
	"github.com/fleetwright/fleetwright/internal/azure/sim/armerr"
	"github.com/fleetwright/fleetwright/internal/azure/sim/armjson"
)

// Reserved is how many addresses Azure keeps for itself in every range of a subnet.
const Reserved = 5

// podBatch is how many addresses of a pod subnet a node takes at once.
const podBatch = 16

// Addresses are how many addresses one node takes from the subnet of nodes and from that of pods, by the cluster's
// network profile. In a pod subnet that is handed out as needed a node has one batch, however many pods it runs.
func Addresses(p Pool, network armjson.Object) (nodes, pods int) {
	switch {
	case p.PodSubnetID != "" && p.PodIPAllocationMode == "StaticBlock":
		return 1, (p.MaxPods + podBatch - 1) / podBatch * podBatch
	case p.PodSubnetID != "":
		return 1, podBatch
	case armjson.String(network, "networkPlugin") == "azure" && armjson.String(network, "networkPluginMode") != "overlay":
		return 1 + p.MaxPods, 0
	default:
		return 1, 0
	}
}

// MostNodes is how many nodes the pool may come to have: AKS reserves addresses up to the autoscaler's bound.
func (p Pool) MostNodes() int {
	if p.EnableAutoScaling && p.MaxCount != nil {
		return max(p.Nodes(), *p.MaxCount)
	}
	return p.Nodes()
}

// CheckAddresses refuses a pool that may need more addresses than its subnet has free.
func CheckAddresses(needed, free int, prefix, subnet string) error {
	if needed <= 0 || needed <= free {
		return nil
	}
	return armerr.BadRequest("InsufficientSubnetSize", "Pre-allocated IPs %d exceeds IPs available %d in Subnet Cidr %s, Subnet Name %s. "+
		"If Autoscaler is enabled, the max-count from each nodepool is counted towards this total (which means that pre-allocated IPs count represents "+
		"a theoretical max value, not the actual number of IPs requested). http://aka.ms/aks/insufficientsubnetsize", needed, free, prefix, subnet).
		OnProperty("agentPoolProfile.vnetSubnetID")
}
