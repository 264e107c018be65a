package nodepool

import (
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/json"
	"k8s.io/utils/ptr"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/agentpool"
	"github.com/fleetwright/fleetwright/internal/capi"
)

// Describe is the spec of a Nodepool that a pool satisfies in everything that can be said of it: it is the reverse of wantedSpec. What a Nodepool
// cannot say is odd, and stays with the pool as it is.
func Describe(pool capi.Pool) (out fleetwrightv1.NodepoolTemplateSpec, odd []string) {
	s := pool.Spec
	out = fleetwrightv1.NodepoolTemplateSpec{
		Version: s.Version, Mode: fleetwrightv1.NodepoolMode(s.Mode), Type: fleetwrightv1.NodepoolType(s.Type), MachineType: s.MachineType,
		Disk: fleetwrightv1.NodepoolDisk{SizeGiB: s.DiskSizeGiB, Type: fleetwrightv1.DiskType(s.DiskType)}, MaxPods: s.MaxPods,
		OS: fleetwrightv1.NodepoolOS{Type: fleetwrightv1.OSType(s.OSType), SKU: s.OSSKU}, Zones: slices.Clone(s.Zones), Subnet: s.Subnet, PodSubnet: s.PodSubnet,
		Tags: maps.Clone(s.Tags), Replicas: s.Replicas,
	}
	if s.Type == string(fleetwrightv1.NodepoolTypeSpot) {
		out.Spot = fleetwrightv1.NodepoolSpot{MaxPrice: s.SpotMaxPrice, EvictionPolicy: fleetwrightv1.SpotEvictionPolicy(s.SpotEvictionPolicy)}
	}
	if len(s.Labels) > 0 {
		out.Labels = map[string]fleetwrightv1.LabelValue{}
		for key, value := range s.Labels {
			out.Labels[key] = fleetwrightv1.LabelValue(value)
		}
	}
	for _, t := range s.Taints {
		out.Taints = append(out.Taints, fleetwrightv1.NodepoolTaint{Key: t.Key, Value: t.Value, Effect: fleetwrightv1.TaintEffect(t.Effect)})
	}
	switch {
	case s.Scaling != nil:
		out.Scaling = fleetwrightv1.NodepoolScaling{Min: ptr.To(s.Scaling.Min), Max: s.Scaling.Max, DownMode: fleetwrightv1.ScaleDownMode(s.ScaleDownMode)}
	case s.ScaleDownMode != "" && s.ScaleDownMode != string(fleetwrightv1.ScaleDownModeDelete):
		odd = append(odd, fmt.Sprintf("scaleDownMode of pool %s is %s, and it has no autoscaler", pool.Name, s.ScaleDownMode))
	}
	if len(s.Overrides) > 0 {
		// What came from JSON goes back to it.
		raw, _ := json.Marshal(agentpool.Tree(s.Overrides))
		out.ProviderOverrides = &runtime.RawExtension{Raw: raw}
	}
	return out, odd
}

// Differences are the fields in which a pool is not what a Nodepool asks for, in words; empty for none.
func Differences(spec fleetwrightv1.NodepoolSpec, pool capi.Pool) string {
	changes := agentpool.Changes(wantedSpec(spec), pool.Spec)
	if len(changes) == 0 {
		return ""
	}
	return agentpool.Describe(changes)
}
