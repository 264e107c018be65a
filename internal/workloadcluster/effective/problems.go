package effective

import (
	"fmt"
	"slices"
	"strings"

	"github.com/blang/semver/v4"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/workloadcluster/addons"
)

// ReservedRoleAssignment is the name of the role assignment by which the cluster's identity may use the cluster's own network.
const ReservedRoleAssignment = "network"

// maxName is how long the name of a cluster may be: a pool appends 21 characters, and its MachinePool 6 more to a name of at most 63.
const maxName = 36

// Problems are all of them, in the order in which people should read them: what the cluster needs, what does not go together, its pools, its
// add-ons, its overrides. owned are the paths in a managed cluster's spec that providerOverrides may not have.
func Problems(name string, e Effective, owned []string) []Problem {
	spec := e.Spec
	var out []Problem
	for _, part := range [][]string{
		missing(name, spec), flavor(spec), network(spec.Network), outbound(spec), tenancy(spec.Tenancy), nodepools(spec), additional(spec.AdditionalConfig), addonProblems(spec.Addons),
		bounded(spec),
	} {
		for _, message := range part {
			out = append(out, Problem{Reason: fleetwrightv1.ReasonInvalidSpec, Message: message})
		}
	}
	for _, message := range overridden(spec, owned) {
		out = append(out, Problem{Reason: fleetwrightv1.ReasonOverrideConflict, Message: message})
	}
	return out
}

func missing(name string, spec fleetwrightv1.WorkloadClusterTemplate) []string {
	var out []string
	if len(name) > maxName {
		out = append(out, fmt.Sprintf("name %s has %d characters and the pools underneath append 27: shorten it to %d", name, len(name), maxName))
	}
	if spec.Version == "" {
		out = append(out, "version is set neither here nor in the class: set it, for example v1.34.2")
	}
	if spec.Azure.Location == "" {
		out = append(out, "azure.location is set neither here nor in the class: set it, for example westeurope")
	}
	return out
}

func flavor(spec fleetwrightv1.WorkloadClusterTemplate) []string {
	if spec.Flavor != fleetwrightv1.WorkloadClusterFlavorManaged {
		return nil
	}
	var out []string
	if spec.Azure.SubscriptionID == "" {
		out = append(out, "flavor AzureManaged needs azure.subscriptionID: set it, here or in the class")
	}
	if spec.Azure.ClusterIdentity.Name == "" {
		out = append(out, "flavor AzureManaged needs azure.clusterIdentity: name an AzureClusterIdentity, here or in the class")
	}
	if spec.Azure.ResourceGroupPolicy == fleetwrightv1.ResourceGroupPolicyKeep {
		out = append(out, "azure.resourceGroupPolicy Keep does not go with flavor AzureManaged, where CAPZ deletes a group that it has made, with everything in it: "+
			"leave it out, or take flavor AzureASOManaged")
	}
	if spec.Network.Mode == fleetwrightv1.NetworkModeCNIPodSubnet {
		out = append(out, "network.mode CNIPodSubnet does not go with flavor AzureManaged, which has no subnet for pods: take mode Overlay or CNI, or flavor AzureASOManaged")
	}
	return out
}

func network(n fleetwrightv1.WorkloadClusterNetwork) []string {
	ranges := map[fleetwrightv1.ClusterRangeName]*fleetwrightv1.WorkloadClusterRange{}
	for i := range n.Addresses {
		ranges[n.Addresses[i].Name] = &n.Addresses[i]
	}
	hasVNet := ranges[fleetwrightv1.ClusterRangeVNet] != nil
	var out []string
	if ranges[fleetwrightv1.ClusterRangeNodes] != nil && !hasVNet {
		out = append(out, "network.addresses[nodes] lies within vnet, and there is none: name vnet as well")
	}
	if pods := ranges[fleetwrightv1.ClusterRangePods]; pods != nil {
		out = append(out, podRange(n.Mode, *pods, hasVNet)...)
	}
	if s := ranges[fleetwrightv1.ClusterRangeServices]; s != nil && s.PoolRef.Name != "" && s.PrefixLength == 0 && s.CIDR == "" {
		out = append(out, "network.addresses[services] comes from a pool, and nothing tells how large it is: set prefixLength, for example 20, or cidr")
	}
	return out
}

// podRange is about the range of the pods, which is another thing in each mode.
func podRange(mode fleetwrightv1.NetworkMode, pods fleetwrightv1.WorkloadClusterRange, hasVNet bool) []string {
	var out []string
	switch {
	case mode == fleetwrightv1.NetworkModeCNI:
		out = append(out, "network.addresses[pods] does not go with network.mode CNI, whose pods have addresses of the nodes' subnet: leave it out")
	case mode == fleetwrightv1.NetworkModeOverlay && pods.CIDR == "" && pods.PoolRef.Name == "":
		out = append(out, "network.addresses[pods] tells neither cidr nor poolRef, and pods of an Overlay lie in no other range: "+
			"give one of them, or leave pods out for 100.64.0.0")
	case mode == fleetwrightv1.NetworkModeCNIPodSubnet && !hasVNet:
		out = append(out, "network.addresses[pods] lies within vnet with network.mode CNIPodSubnet, and there is no vnet: name vnet as well")
	case mode == fleetwrightv1.NetworkModeCNIPodSubnet && pods.PoolRef.Name != "":
		out = append(out, "network.addresses[pods] lies within vnet with network.mode CNIPodSubnet and comes from no pool of its own: leave its poolRef out")
	}
	return out
}

func tenancy(t fleetwrightv1.WorkloadClusterTenancy) []string {
	switch {
	case t.Mode == fleetwrightv1.TenancyModeSingle && t.Tenant == "":
		return []string{"tenancy.mode Single needs tenancy.tenant: say whose the cluster is"}
	case t.Mode == fleetwrightv1.TenancyModeShared && t.Tenant != "":
		return []string{fmt.Sprintf("tenancy.tenant %s does not go with tenancy.mode Shared: set mode Single, or leave the tenant out", t.Tenant)}
	}
	return nil
}

func additional(config fleetwrightv1.WorkloadClusterAdditionalConfig) []string {
	var out []string
	for _, a := range config.RoleAssignments {
		if a.Name == ReservedRoleAssignment {
			out = append(out, fmt.Sprintf("additionalConfig.roleAssignments[%s] has the name of the one by which the cluster may use its own network: call it otherwise", a.Name))
		}
	}
	named := map[string]string{}
	for _, r := range config.Registries {
		id := strings.ToLower(r.ID)
		if first, twice := named[id]; twice {
			out = append(out, fmt.Sprintf("additionalConfig.registries[%s] and [%s] are the same registry: name it once, or by the same name in class and cluster", first, r.Name))
			continue
		}
		named[id] = r.Name
	}
	return out
}

func addonProblems(all []fleetwrightv1.WorkloadClusterAddon) []string {
	var out []string
	for _, a := range all {
		if a.KubernetesVersions == "" {
			continue
		}
		if _, err := semver.ParseRange(a.KubernetesVersions); err != nil {
			out = append(out, fmt.Sprintf("addons[%s].kubernetesVersions %q cannot be read: write it as >=1.32.0 <1.36.0", a.Name, a.KubernetesVersions))
		}
	}
	if _, err := addons.Order(all); err != nil {
		out = append(out, err.Error())
	}
	return out
}

// overridden are the keys of providerOverrides that belong to a field or to another object.
func overridden(spec fleetwrightv1.WorkloadClusterTemplate, owned []string) []string {
	if spec.ProviderOverrides == nil {
		return nil
	}
	overrides, err := treeOf(spec.ProviderOverrides)
	if err != nil {
		return []string{fmt.Sprintf("providerOverrides cannot be read: %v", err)}
	}
	var out []string
	for _, path := range slices.Sorted(slices.Values(owned)) {
		if said := touches(overrides, strings.Split(path, ".")); said != "" && !slices.Contains(out, said) {
			out = append(out, said)
		}
	}
	for i, path := range out {
		out[i] = fmt.Sprintf("providerOverrides.%s belongs to a field of the spec, or to another object: take it out", path)
	}
	return out
}

// touches is the part of an owned path on which the overrides have a word, empty for none: a value in the place of the object around it has one too.
func touches(overrides tree, owned []string) string {
	for i, field := range owned {
		value, said := overrides[field]
		if !said {
			return ""
		}
		below, isTree := value.(tree)
		if !isTree {
			return strings.Join(owned[:i+1], ".")
		}
		overrides = below
	}
	return strings.Join(owned, ".")
}
