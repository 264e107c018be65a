package nodepool

import (
	"k8s.io/utils/ptr"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/agentpool"
)

// wantedSpec is the Nodepool's spec in the words in which pools are compared.
// Overrides that cannot be set are left out; ParseOverrides tells of them. RolloutAfter is a part of it only once it has
// come, which the planner tells.
func wantedSpec(in fleetwrightv1.NodepoolSpec) agentpool.Spec {
	out := agentpool.Spec{
		Version: in.Version, Type: string(in.Type), MachineType: in.MachineType,
		DiskSizeGiB: in.Disk.SizeGiB, DiskType: string(in.Disk.Type), MaxPods: in.MaxPods,
		OSType: string(in.OS.Type), OSSKU: in.OS.SKU, Zones: in.Zones, Subnet: in.Subnet, PodSubnet: in.PodSubnet,
		SpotMaxPrice: in.Spot.MaxPrice, SpotEvictionPolicy: string(in.Spot.EvictionPolicy), ScaleDownMode: string(in.Scaling.DownMode),
		Mode: string(in.Mode), Tags: in.Tags, Replicas: in.Replicas,
	}
	if out.Version != "" && out.Version[0] != 'v' {
		out.Version = "v" + out.Version
	}
	if len(in.Labels) > 0 {
		out.Labels = make(map[string]string, len(in.Labels))
		for key, value := range in.Labels {
			out.Labels[key] = string(value)
		}
	}
	for _, t := range in.Taints {
		out.Taints = append(out.Taints, agentpool.Taint{Key: t.Key, Value: t.Value, Effect: string(t.Effect)})
	}
	if in.ProviderOverrides != nil {
		out.Overrides, _ = agentpool.ParseOverrides(in.ProviderOverrides.Raw)
	}
	if in.Scaling.IsDefined() {
		out.Scaling = &agentpool.Scaling{Min: ptr.Deref(in.Scaling.Min, 0), Max: in.Scaling.Max}
	}
	return out
}
