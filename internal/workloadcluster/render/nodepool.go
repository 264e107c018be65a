package render

import (
	"maps"
	"slices"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/capi"
)

// NodepoolName is <cluster>-<pool>.
func NodepoolName(cluster, pool string) string { return cluster + "-" + pool }

// Nodepool is one Nodepool, with the version that package upgrade gives it.
func Nodepool(in Input, pool fleetwrightv1.WorkloadClusterNodepool, version string) fleetwrightv1.NodepoolSpec {
	t := *pool.Spec.DeepCopy()
	out := fleetwrightv1.NodepoolSpec{
		ClusterName: in.Name, Version: version, Mode: t.Mode, Type: t.Type, Spot: t.Spot, MachineType: t.MachineType, Disk: t.Disk, MaxPods: t.MaxPods,
		OS: t.OS, Zones: t.Zones, Subnet: subnet(in, t.Subnet, fleetwrightv1.ClusterRangeNodes), PodSubnet: subnet(in, t.PodSubnet, fleetwrightv1.ClusterRangePods),
		Labels: t.Labels, Taints: t.Taints, Tags: t.Tags, Replicas: t.Replicas, Scaling: t.Scaling, ProviderOverrides: t.ProviderOverrides,
		Replacement: t.Replacement, Drain: t.Drain, Maintenance: t.Maintenance, RolloutAfter: t.RolloutAfter,
		Reconcile: in.Reconcile, DeletionPolicy: fleetwrightv1.DeletionPolicyDelete,
	}
	if len(out.Maintenance.Windows) == 0 {
		out.Maintenance = *in.Effective.Spec.Maintenance.DeepCopy()
	}
	if len(pool.MachinePools) > 0 {
		out.Adoption = fleetwrightv1.NodepoolAdoption{MachinePools: slices.Clone(pool.MachinePools), Policy: fleetwrightv1.AdoptionPolicyAdopt}
	}
	if tenant := tenantOf(in.spec()); tenant != "" {
		out.Labels, out.Taints = ofTenant(tenant, out)
	}
	return out
}

// ofTenant are the labels and taints of a pool of a Single cluster. System pools are not tainted: the cluster's own pods would have no place.
func ofTenant(tenant string, spec fleetwrightv1.NodepoolSpec) (map[string]fleetwrightv1.LabelValue, []fleetwrightv1.NodepoolTaint) {
	labels := maps.Clone(spec.Labels)
	if labels == nil {
		labels = map[string]fleetwrightv1.LabelValue{}
	}
	labels[fleetwrightv1.LabelNodeTenant] = fleetwrightv1.LabelValue(tenant)
	if spec.Mode == fleetwrightv1.NodepoolModeSystem {
		return labels, spec.Taints
	}
	taint := fleetwrightv1.NodepoolTaint{Key: fleetwrightv1.LabelNodeTenant, Value: tenant, Effect: fleetwrightv1.TaintEffectNoSchedule}
	taints := slices.DeleteFunc(slices.Clone(spec.Taints), func(t fleetwrightv1.NodepoolTaint) bool { return t.Key == taint.Key && t.Effect == taint.Effect })
	return labels, append(taints, taint)
}

// subnet is what the Nodepool names as its subnet: what the spec says, with the name of one of the cluster's own ranges translated; else the
// cluster's own range. With AzureManaged a pool that names none is in the cluster's own subnet by itself.
func subnet(in Input, named string, own fleetwrightv1.ClusterRangeName) string {
	wish := capi.Wish{Name: in.Name, Flavor: string(in.spec().Flavor)}
	for _, name := range []fleetwrightv1.ClusterRangeName{fleetwrightv1.ClusterRangeNodes, fleetwrightv1.ClusterRangePods} {
		if named == string(name) && isSubnet(in, name) {
			return wish.SubnetObject(named)
		}
	}
	if named != "" || in.spec().Flavor == fleetwrightv1.WorkloadClusterFlavorManaged || !isSubnet(in, own) {
		return named
	}
	return wish.SubnetObject(string(own))
}

// isSubnet is true when the cluster has a subnet of its own for that range. One that was adopted may have others, by other names.
func isSubnet(in Input, name fleetwrightv1.ClusterRangeName) bool {
	object := capi.Wish{Name: in.Name, Flavor: string(in.spec().Flavor)}.SubnetObject(string(name))
	return in.bound(name) != "" && in.bound(fleetwrightv1.ClusterRangeVNet) != "" && inVNet(name, in.spec().Network.Mode) &&
		(in.Subnets == nil || slices.Contains(in.Subnets, object))
}
