package render

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"strings"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/json"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/capi"
)

// Cluster is the wish for Cluster API's and CAPZ's objects. An error says which value of the spec cannot be.
func Cluster(in Input) (capi.Wish, error) {
	spec := in.spec()
	pods, err := podsOf(in)
	if err != nil {
		return capi.Wish{}, err
	}
	services, dns, err := servicesOf(in)
	if err != nil {
		return capi.Wish{}, err
	}
	overrides, err := overridesOf(spec)
	if err != nil {
		return capi.Wish{}, err
	}
	out := capi.Wish{
		Namespace: in.Namespace, Name: in.Name, Flavor: string(spec.Flavor), Version: in.Version, Labels: clusterLabels(in), NodeCap: spec.Limits.MaxNodes,
		SubscriptionID: spec.Azure.SubscriptionID, Location: spec.Azure.Location, ResourceGroup: spec.Azure.ResourceGroup, Tier: string(spec.Azure.Tier),
		DeleteResourceGroup: spec.Azure.ResourceGroupPolicy == fleetwrightv1.ResourceGroupPolicyDelete,
		NodeResourceGroup:   nodeResourceGroup(spec.Azure.ResourceGroup, in.Name, spec.Azure.Location),
		Tags:                maps.Clone(spec.Azure.Tags), CredentialSecret: spec.Azure.CredentialSecret,
		Dataplane: strings.ToLower(string(spec.Network.Dataplane)), OutboundType: outboundTypes[spec.Network.Outbound],
		VNet: in.bound(fleetwrightv1.ClusterRangeVNet), Nodes: in.bound(fleetwrightv1.ClusterRangeNodes), Pods: pods, Services: services, DNSServiceIP: dns,
		Overrides: overrides, Names: in.Names,
	}
	if ref := spec.Azure.ClusterIdentity; ref.Name != "" {
		out.ClusterIdentity = types.NamespacedName{Namespace: cmp.Or(ref.Namespace, in.Namespace), Name: ref.Name}
	}
	switch spec.Network.Mode {
	case fleetwrightv1.NetworkModeOverlay:
		out.NetworkPluginMode = "overlay"
	case fleetwrightv1.NetworkModeCNIPodSubnet:
		out.PodSubnet = in.bound(fleetwrightv1.ClusterRangePods)
	case fleetwrightv1.NetworkModeCNI:
	}
	return out, nil
}

// outboundTypes are AKS' words.
var outboundTypes = map[fleetwrightv1.NetworkOutbound]string{
	fleetwrightv1.NetworkOutboundLoadBalancer:       "loadBalancer",
	fleetwrightv1.NetworkOutboundNATGateway:         "managedNATGateway",
	fleetwrightv1.NetworkOutboundUserDefinedRouting: "userDefinedRouting",
}

func overridesOf(spec fleetwrightv1.WorkloadClusterTemplate) (map[string]any, error) {
	if spec.ProviderOverrides == nil || len(spec.ProviderOverrides.Raw) == 0 {
		return nil, nil
	}
	out := map[string]any{}
	if err := json.Unmarshal(spec.ProviderOverrides.Raw, &out); err != nil {
		return nil, fmt.Errorf("providerOverrides: %w", err)
	}
	return out, nil
}

// clusterLabels are those of the Cluster: the WorkloadCluster's own, the add-ons', and ours, which win.
func clusterLabels(in Input) map[string]string {
	out := map[string]string{}
	for key, value := range in.Labels {
		if !tracking(key) {
			out[key] = value
		}
	}
	maps.Copy(out, in.AddonLabels)
	out[fleetwrightv1.LabelWorkloadCluster] = in.Name
	if tenant := tenantOf(in.spec()); tenant != "" {
		out[fleetwrightv1.LabelTenant] = tenant
	}
	return out
}

// tracking is true for a label by which a GitOps tool knows what it has applied itself. On the Cluster it would say that the Cluster is in Git,
// and Argo CD would prune the Cluster because it is not.
func tracking(key string) bool {
	prefix, _, _ := strings.Cut(key, "/")
	return key == "app.kubernetes.io/instance" || prefix == "argocd.argoproj.io" || prefix == "applyset.kubernetes.io" ||
		strings.HasSuffix(prefix, ".toolkit.fluxcd.io")
}

// tenantOf is whose a Single cluster is, empty for others.
func tenantOf(spec fleetwrightv1.WorkloadClusterTemplate) string {
	if spec.Tenancy.Mode != fleetwrightv1.TenancyModeSingle {
		return ""
	}
	return spec.Tenancy.Tenant
}

const (
	// longestNodeResourceGroup is what AKS takes.
	longestNodeResourceGroup = 80
	// hashBytes are 8 digits.
	hashBytes = 4
)

// nodeResourceGroup is the name for the group of the machines, empty where the one that AKS gives is short enough.
func nodeResourceGroup(group, cluster, location string) string {
	if len("MC_"+group+"_"+cluster+"_"+location) <= longestNodeResourceGroup {
		return ""
	}
	sum := sha256.Sum256([]byte(group + "/" + cluster + "/" + location))
	return "MC_" + cluster + "_" + hex.EncodeToString(sum[:hashBytes])
}
