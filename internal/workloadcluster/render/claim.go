package render

import (
	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// rangeNames is the order of a claim's ranges.
var rangeNames = []fleetwrightv1.ClusterRangeName{
	fleetwrightv1.ClusterRangeVNet, fleetwrightv1.ClusterRangeNodes, fleetwrightv1.ClusterRangePods, fleetwrightv1.ClusterRangeServices,
}

// Claim is the claim of addresses, nil when the cluster asks for none. Ranges of a claim never change, so it is meant for the making of one:
// limits may change later. An error says that what the cluster leaves open cannot be put in for it.
func Claim(in Input) (*fleetwrightv1.AddressClaimSpec, error) {
	asked := map[fleetwrightv1.ClusterRangeName]fleetwrightv1.WorkloadClusterRange{}
	for _, r := range in.spec().Network.Addresses {
		asked[r.Name] = r
	}
	if len(asked) == 0 {
		return nil, nil
	}
	if !in.Adopted {
		if err := complete(asked, in.spec()); err != nil {
			return nil, err
		}
	}
	out := &fleetwrightv1.AddressClaimSpec{ClusterName: in.Name, Reconcile: in.Reconcile}
	_, hasVNet := asked[fleetwrightv1.ClusterRangeVNet]
	for _, name := range rangeNames {
		if r, ok := asked[name]; ok {
			out.Ranges = append(out.Ranges, claimed(r, in.spec(), hasVNet))
		}
	}
	return out, nil
}

// complete puts in the ranges that a cluster needs besides those it names.
func complete(asked map[fleetwrightv1.ClusterRangeName]fleetwrightv1.WorkloadClusterRange, spec fleetwrightv1.WorkloadClusterTemplate) error {
	put := func(name fleetwrightv1.ClusterRangeName, cidr string) {
		if _, there := asked[name]; !there {
			asked[name] = fleetwrightv1.WorkloadClusterRange{Name: name, CIDR: cidr}
		}
	}
	_, hasVNet := asked[fleetwrightv1.ClusterRangeVNet]
	if hasVNet {
		put(fleetwrightv1.ClusterRangeNodes, "")
	}
	switch spec.Network.Mode {
	case fleetwrightv1.NetworkModeOverlay:
		if _, there := asked[fleetwrightv1.ClusterRangePods]; !there {
			pods, err := overlayPods(spec.Limits.MaxNodes)
			if err != nil {
				return err
			}
			put(fleetwrightv1.ClusterRangePods, pods)
		}
	case fleetwrightv1.NetworkModeCNIPodSubnet:
		if hasVNet {
			put(fleetwrightv1.ClusterRangePods, "")
		}
	case fleetwrightv1.NetworkModeCNI:
	}
	if services := defaultServices(spec.Flavor, hasVNet); services != "" {
		put(fleetwrightv1.ClusterRangeServices, services)
	}
	return nil
}

// claimed is one range of the claim.
func claimed(r fleetwrightv1.WorkloadClusterRange, spec fleetwrightv1.WorkloadClusterTemplate, hasVNet bool) fleetwrightv1.ClaimedRange {
	out := fleetwrightv1.ClaimedRange{Name: string(r.Name), PoolRef: r.PoolRef, CIDR: r.CIDR, PrefixLength: r.PrefixLength}
	if hasVNet && r.PoolRef.Name == "" && inVNet(r.Name, spec.Network.Mode) {
		out.Within = string(fleetwrightv1.ClusterRangeVNet)
	}
	// A network without a size is as large as what lies within it, which the claim works out. Services have no size that follows from anything.
	if r.CIDR == "" && r.PrefixLength == 0 && (r.Name == fleetwrightv1.ClusterRangeNodes || r.Name == fleetwrightv1.ClusterRangePods) {
		out.Sizing = sizing(r.Name, spec)
	}
	return out
}

// inVNet is true for a range that is a subnet of the cluster's network.
func inVNet(name fleetwrightv1.ClusterRangeName, mode fleetwrightv1.NetworkMode) bool {
	return name == fleetwrightv1.ClusterRangeNodes || name == fleetwrightv1.ClusterRangePods && mode == fleetwrightv1.NetworkModeCNIPodSubnet
}

func sizing(name fleetwrightv1.ClusterRangeName, spec fleetwrightv1.WorkloadClusterTemplate) fleetwrightv1.RangeSizing {
	out := fleetwrightv1.RangeSizing{Purpose: fleetwrightv1.RangePurposeNodes, Mode: spec.Network.Mode, MaxNodes: spec.Limits.MaxNodes}
	if name == fleetwrightv1.ClusterRangePods {
		out.Purpose = fleetwrightv1.RangePurposePods
	}
	// Only where each pod has an address of the range; 250 pods per node are the claim's own assumption.
	pods := out.Mode == fleetwrightv1.NetworkModeCNI || out.Mode == fleetwrightv1.NetworkModeCNIPodSubnet && out.Purpose == fleetwrightv1.RangePurposePods
	if pods {
		out.MaxPods = mostPods(spec.Nodepools)
	}
	return out
}

// mostPods is the highest maxPods of the pools; 0, which is unknown, when one of them leaves it to AKS.
func mostPods(pools []fleetwrightv1.WorkloadClusterNodepool) int32 {
	most := int32(0)
	for _, p := range pools {
		if p.Spec.MaxPods == 0 {
			return 0
		}
		most = max(most, p.Spec.MaxPods)
	}
	return most
}
