package render

import (
	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/cidr"
)

// Holds is true for a range of nodes or pods that is large enough for limits.maxNodes, and for every other one. What is to be there while pools are
// replaced is not counted.
func Holds(spec fleetwrightv1.WorkloadClusterTemplate, name fleetwrightv1.ClusterRangeName, text string) bool {
	if name != fleetwrightv1.ClusterRangeNodes && name != fleetwrightv1.ClusterRangePods {
		return true
	}
	has, err := cidr.Parse(text)
	if err != nil || !has.Addr().Is4() {
		return true
	}
	length, err := cidr.Length(cidr.Sizing{
		Pods: name == fleetwrightv1.ClusterRangePods, Mode: string(spec.Network.Mode), MaxNodes: int(spec.Limits.MaxNodes), MaxPods: leastPods(spec.Nodepools),
	})
	return err != nil || length >= has.Bits()
}

// MostNodes is limits.maxNodes, or as many nodes as the range holds if that is less.
func MostNodes(spec fleetwrightv1.WorkloadClusterTemplate, name fleetwrightv1.ClusterRangeName, text string) int32 {
	for spec.Limits.MaxNodes > 1 && !Holds(spec, name, text) {
		spec.Limits.MaxNodes--
	}
	return spec.Limits.MaxNodes
}

// leastPods is what every node needs for sure. AKS takes 30 for a pool that does not say.
func leastPods(pools []fleetwrightv1.WorkloadClusterNodepool) int {
	const byDefault = 30
	least := 0
	for i := range pools {
		pods := int(pools[i].Spec.MaxPods)
		if pods == 0 {
			pods = byDefault
		}
		if least == 0 || pods < least {
			least = pods
		}
	}
	return max(least, 1)
}
