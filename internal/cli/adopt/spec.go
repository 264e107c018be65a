package adopt

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/nodepool"
	"github.com/fleetwright/fleetwright/internal/workloadcluster/render"
)

// existing is a cluster as it is.
type existing struct {
	capi.Described
	// nodepools are the Nodepools of the cluster, and config its AzureClusterAdditionalConfig, nil for none.
	nodepools []fleetwrightv1.Nodepool
	config    *fleetwrightv1.AzureClusterAdditionalConfig
}

// poolName is what a pool of a WorkloadCluster may be called.
var poolName = regexp.MustCompile(`^[a-z][a-z0-9]{0,19}$`)

// template says everything of the cluster that a WorkloadCluster can say. odd is what it cannot. class is nil for none.
func (e existing) template(class *fleetwrightv1.WorkloadClusterClass) (out fleetwrightv1.WorkloadClusterTemplate, odd []string) {
	odd = slices.Clone(e.Odd)
	out = fleetwrightv1.WorkloadClusterTemplate{
		Version: e.Version, Flavor: fleetwrightv1.WorkloadClusterFlavor(e.Flavor),
		Azure: fleetwrightv1.WorkloadClusterAzure{
			SubscriptionID: e.SubscriptionID, Location: e.Location, ResourceGroup: e.ResourceGroup, Tier: fleetwrightv1.AKSTier(e.Tier), Tags: e.Tags, CredentialSecret: e.CredentialSecret,
		},
		Network: fleetwrightv1.WorkloadClusterNetwork{
			Mode: e.mode(), Dataplane: dataplanes[e.Dataplane], Outbound: outbounds[e.OutboundType], Addresses: e.addresses(class),
		},
		Limits:  fleetwrightv1.WorkloadClusterLimits{MaxNodes: cmp.Or(e.NodeCap, usualNodes)},
		Tenancy: fleetwrightv1.WorkloadClusterTenancy{Mode: fleetwrightv1.TenancyModeShared},
	}
	if e.managed() {
		out.Azure.ClusterIdentity = fleetwrightv1.NamespacedReference{Name: e.ClusterIdentity.Name}
		if e.ClusterIdentity.Namespace != e.Namespace {
			out.Azure.ClusterIdentity.Namespace = e.ClusterIdentity.Namespace
		}
	} else {
		out.Azure.ResourceGroupPolicy = fleetwrightv1.ResourceGroupPolicyKeep
		if e.DeleteResourceGroup {
			out.Azure.ResourceGroupPolicy = fleetwrightv1.ResourceGroupPolicyDelete
		}
	}
	if len(e.Overrides) > 0 {
		// What came from JSON goes back to it.
		raw, _ := json.Marshal(e.Overrides)
		out.ProviderOverrides = &runtime.RawExtension{Raw: raw}
	}
	if e.config != nil {
		c := e.config.Spec
		out.AdditionalConfig = fleetwrightv1.WorkloadClusterAdditionalConfig{
			Registries: c.Registries, Autoscaler: c.Autoscaler, MaintenanceConfigurations: c.MaintenanceConfigurations, DriftPolicy: c.DriftPolicy,
			// The one on the network follows from the network, and no spec may have one of that name.
			RoleAssignments: slices.DeleteFunc(slices.Clone(c.RoleAssignments), func(a fleetwrightv1.AdditionalRoleAssignment) bool { return a.Name == render.NetworkAssignment }),
		}
	}
	pools, more := e.pools()
	out.Nodepools = pools
	return out, append(odd, more...)
}

// usualNodes is what holds for a Cluster that says nothing.
const usualNodes = 950

func (e existing) managed() bool {
	return e.Flavor == string(fleetwrightv1.WorkloadClusterFlavorManaged)
}

// These are AKS' words for what has a field.
var (
	dataplanes = map[string]fleetwrightv1.NetworkDataplane{"azure": fleetwrightv1.NetworkDataplaneAzure, "cilium": fleetwrightv1.NetworkDataplaneCilium}
	outbounds  = map[string]fleetwrightv1.NetworkOutbound{
		"loadBalancer":       fleetwrightv1.NetworkOutboundLoadBalancer,
		"managedNATGateway":  fleetwrightv1.NetworkOutboundNATGateway,
		"userDefinedRouting": fleetwrightv1.NetworkOutboundUserDefinedRouting,
	}
)

func (e existing) mode() fleetwrightv1.NetworkMode {
	inSubnet := func(p capi.Pool) bool { return p.Spec.PodSubnet != "" }
	switch {
	case e.NetworkPluginMode == "overlay":
		return fleetwrightv1.NetworkModeOverlay
	case !e.managed() && (e.PodSubnet != "" || slices.ContainsFunc(e.Pools, inSubnet)):
		return fleetwrightv1.NetworkModeCNIPodSubnet
	}
	return fleetwrightv1.NetworkModeCNI
}

// addresses are the ranges that the cluster has. Where the class carves one from a pool, it is taken out of that pool, so that nobody else gets it.
func (e existing) addresses(class *fleetwrightv1.WorkloadClusterClass) []fleetwrightv1.WorkloadClusterRange {
	pools := map[fleetwrightv1.ClusterRangeName]fleetwrightv1.NamespacedReference{}
	if class != nil {
		for _, r := range class.Spec.Template.Network.Addresses {
			if pool := r.PoolRef; pool.Name != "" {
				pools[r.Name] = fleetwrightv1.NamespacedReference{Name: pool.Name, Namespace: cmp.Or(pool.Namespace, class.Namespace)}
			}
		}
	}
	pods := e.PodSubnet
	if e.mode() == fleetwrightv1.NetworkModeOverlay {
		pods = e.Pods
	}
	var out []fleetwrightv1.WorkloadClusterRange
	for _, r := range []struct {
		name fleetwrightv1.ClusterRangeName
		cidr string
	}{
		{fleetwrightv1.ClusterRangeVNet, e.VNet}, {fleetwrightv1.ClusterRangeNodes, e.Nodes},
		{fleetwrightv1.ClusterRangePods, pods}, {fleetwrightv1.ClusterRangeServices, e.Services},
	} {
		if r.cidr != "" {
			out = append(out, fleetwrightv1.WorkloadClusterRange{Name: r.name, CIDR: r.cidr, PoolRef: pools[r.name]})
		}
	}
	return out
}

// pools are the Nodepools of the cluster whose names a WorkloadCluster's have, which it takes over by their names, and the MachinePools that are
// nobody's.
func (e existing) pools() (out []fleetwrightv1.WorkloadClusterNodepool, odd []string) {
	taken := map[string]bool{}
	for i := range e.nodepools {
		np := &e.nodepools[i]
		name, named := strings.CutPrefix(np.Name, e.Name+"-")
		if !named || !poolName.MatchString(name) {
			odd = append(odd, fmt.Sprintf("Nodepool %s keeps working by itself: those of a WorkloadCluster are called %s- and letters and digits", np.Name, e.Name))
			continue
		}
		taken[name] = true
		out = append(out, fleetwrightv1.WorkloadClusterNodepool{Name: name, Spec: e.without(asTemplate(np.Spec))})
	}
	named := slices.Clone(e.Pools)
	slices.SortStableFunc(named, func(a, b capi.Pool) int { // tenants select a pool by its public name, so that comes first
		return cmp.Compare(min(len(b.PublicName), 1), min(len(a.PublicName), 1))
	})
	for _, p := range named {
		switch {
		case p.Nodepool != "":
			continue
		case p.UID == "" || p.InfraUID == "":
			odd = append(odd, fmt.Sprintf("pool %s lacks one of its two objects", p.Object))
			continue
		}
		name := free(taken, p.PublicName, p.Name, p.Name+"x")
		if name == "" {
			odd = append(odd, fmt.Sprintf("MachinePool %s stays by itself: a pool cannot be called %q", p.Object, p.Name))
			continue
		}
		spec, more := nodepool.Describe(p)
		odd = append(odd, more...)
		out = append(out, fleetwrightv1.WorkloadClusterNodepool{Name: name, MachinePools: []string{p.Object}, Spec: e.without(spec)})
	}
	slices.SortFunc(out, func(a, b fleetwrightv1.WorkloadClusterNodepool) int { return cmp.Compare(a.Name, b.Name) })
	return out, odd
}

// free is the first name for a pool that no other has, empty if there is none.
func free(taken map[string]bool, candidates ...string) string {
	for _, candidate := range candidates {
		if poolName.MatchString(candidate) && !taken[candidate] {
			taken[candidate] = true
			return candidate
		}
	}
	return ""
}

// without leaves out what follows from the cluster: its version and its subnets.
func (e existing) without(spec fleetwrightv1.NodepoolTemplateSpec) fleetwrightv1.NodepoolTemplateSpec {
	if strings.TrimPrefix(spec.Version, "v") == strings.TrimPrefix(e.Version, "v") {
		spec.Version = ""
	}
	if e.managed() {
		return spec
	}
	if e.Nodes != "" && spec.Subnet == e.SubnetObject(string(fleetwrightv1.ClusterRangeNodes)) {
		spec.Subnet = ""
	}
	if e.PodSubnet != "" && spec.PodSubnet == e.SubnetObject(string(fleetwrightv1.ClusterRangePods)) {
		spec.PodSubnet = ""
	}
	return spec
}

// asTemplate is the spec of a Nodepool without what its WorkloadCluster decides.
func asTemplate(s fleetwrightv1.NodepoolSpec) fleetwrightv1.NodepoolTemplateSpec {
	return fleetwrightv1.NodepoolTemplateSpec{
		Version: s.Version, Mode: s.Mode, Type: s.Type, Spot: s.Spot, MachineType: s.MachineType, Disk: s.Disk, MaxPods: s.MaxPods, OS: s.OS, Zones: s.Zones,
		Subnet: s.Subnet, PodSubnet: s.PodSubnet, Labels: s.Labels, Taints: s.Taints, Tags: s.Tags, Replicas: s.Replicas, Scaling: s.Scaling,
		ProviderOverrides: s.ProviderOverrides, Replacement: s.Replacement, Drain: s.Drain, Maintenance: s.Maintenance, RolloutAfter: s.RolloutAfter,
	}
}

// reconcile is as strict as the strictest of what is taken over, empty where all of it is Active.
func (e existing) reconcile() fleetwrightv1.ReconcileMode {
	var modes []fleetwrightv1.ReconcileMode
	for i := range e.nodepools {
		if name, named := strings.CutPrefix(e.nodepools[i].Name, e.Name+"-"); named && poolName.MatchString(name) {
			modes = append(modes, e.nodepools[i].Spec.Reconcile)
		}
	}
	if e.config != nil {
		modes = append(modes, e.config.Spec.Reconcile)
	}
	return render.Strictest(modes...)
}

// labels are the Cluster's that the WorkloadCluster gets, which passes them on. Those by which a GitOps tool knows what it has applied are not:
// the WorkloadCluster is another object to it.
func (e existing) labels() map[string]string {
	out := maps.Clone(e.Labels)
	maps.DeleteFunc(out, func(key, _ string) bool {
		prefix, _, _ := strings.Cut(key, "/")
		return key == "app.kubernetes.io/instance" || prefix == "argocd.argoproj.io" || strings.HasSuffix(prefix, ".toolkit.fluxcd.io")
	})
	return out
}
