package desired

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"slices"
	"strings"

	"k8s.io/utils/ptr"
	infrav1 "sigs.k8s.io/cluster-api-provider-azure/api/v1beta1"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"

	"github.com/fleetwright/fleetwright/localstack/capz/armclient"
)

// outsideProperties are the fields of a managed cluster that Azure keeps beside its properties.
var outsideProperties = []string{"location", "tags", "identity", "sku", "extendedLocation"}

// ManagedCluster is the AKS cluster. Pools are part of it only while it has none, see configureAgentPoolProfiles in
// azure/services/managedclusters/spec.go, which this file follows, with ManagedClusterSpec in
// azure/scope/managedcontrolplane.go. existing is the cluster in Azure, nil if there is none.
func ManagedCluster(controlPlane *infrav1.AzureManagedControlPlane, cluster *clusterv1.Cluster, pools []Pool, existing armclient.Body) (armclient.Body, error) {
	spec := asoObject{
		"location":                controlPlane.Spec.Location,
		"tags":                    ownedTags(controlPlane, cluster.Name, controlPlane.Name),
		"nodeResourceGroup":       controlPlane.Spec.NodeResourceGroupName,
		"enableRBAC":              true,
		"kubernetesVersion":       controlPlaneVersion(controlPlane, existing),
		"servicePrincipalProfile": map[string]any{"clientId": "msi"},
	}
	setPointer(spec, "dnsPrefix", controlPlane.Spec.DNSPrefix)
	for _, set := range []func(asoObject, *infrav1.AzureManagedControlPlane) error{
		setIdentity, setLinuxProfile, setAccess, setAddOns, setProfiles,
	} {
		if err := set(spec, controlPlane); err != nil {
			return nil, err
		}
	}
	if err := setNetworkProfile(spec, controlPlane, cluster); err != nil {
		return nil, err
	}
	patched, err := patch(spec, controlPlane.Spec.ASOManagedClusterPatches)
	if err != nil {
		return nil, fmt.Errorf("patch managed cluster %s: %w", controlPlane.Name, err)
	}
	properties, err := patched.arm()
	if err != nil {
		return nil, fmt.Errorf("describe managed cluster %s: %w", controlPlane.Name, err)
	}
	if !hasPools(existing) {
		profiles, err := AgentPoolProfiles(controlPlane, pools)
		if err != nil {
			return nil, fmt.Errorf("failed to get agent pool specs for managed cluster %s: %w", controlPlane.Name, err)
		}
		slices.SortFunc(profiles, func(a, b map[string]any) int {
			return strings.Compare(fmt.Sprint(a["name"]), fmt.Sprint(b["name"]))
		})
		properties["agentPoolProfiles"] = profiles
	}
	body := armclient.Body{"properties": properties}
	for _, field := range outsideProperties {
		if value, found := properties[field]; found {
			body[field] = value
			delete(properties, field)
		}
	}
	return body, nil
}

func hasPools(existing armclient.Body) bool {
	properties, _ := existing["properties"].(map[string]any)
	profiles, _ := properties["agentPoolProfiles"].([]any)
	return len(profiles) > 0
}

func controlPlaneVersion(controlPlane *infrav1.AzureManagedControlPlane, existing armclient.Body) string {
	version := strings.TrimPrefix(controlPlane.Spec.Version, "v")
	if present := existing.String("properties", "currentKubernetesVersion"); present != "" {
		return higherVersion(version, present)
	}
	return version
}

func setIdentity(spec asoObject, controlPlane *infrav1.AzureManagedControlPlane) error {
	identity := map[string]any{"type": "SystemAssigned"}
	if wanted := controlPlane.Spec.Identity; wanted != nil && wanted.Type != "" {
		identity["type"] = wanted.Type
		if wanted.Type == infrav1.ManagedControlPlaneIdentityTypeUserAssigned {
			if wanted.UserAssignedIdentityResourceID == "" {
				return fmt.Errorf(`Identity is not valid: Identity is set to "UserAssigned" but no UserAssignedIdentityResourceID is present`) //nolint:staticcheck // CAPZ's words.
			}
			identity["userAssignedIdentities"] = map[string]any{wanted.UserAssignedIdentityResourceID: map[string]any{}}
		}
	}
	spec["identity"] = identity
	if kubelet := controlPlane.Spec.KubeletUserAssignedIdentity; kubelet != "" {
		reference := map[string]any{"armId": kubelet}
		spec["identityProfile"] = map[string]any{"kubeletidentity": map[string]any{"resourceReference": reference}}
	}
	return nil
}

func setLinuxProfile(spec asoObject, controlPlane *infrav1.AzureManagedControlPlane) error {
	encoded := ptr.Deref(controlPlane.Spec.SSHPublicKey, "")
	if encoded == "" {
		return nil
	}
	key, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return fmt.Errorf("failed to decode SSHPublicKey: %w", err)
	}
	spec["linuxProfile"] = map[string]any{
		"adminUsername": "azureuser", // azure.DefaultAKSUserName
		"ssh":           map[string]any{"publicKeys": []any{map[string]any{"keyData": string(key)}}},
	}
	return nil
}

func setNetworkProfile(spec asoObject, controlPlane *infrav1.AzureManagedControlPlane, cluster *clusterv1.Cluster) error {
	profile := asoObject{}
	setPointer(profile, "networkPlugin", controlPlane.Spec.NetworkPlugin)
	setPointer(profile, "networkPluginMode", controlPlane.Spec.NetworkPluginMode)
	setPointer(profile, "networkPolicy", controlPlane.Spec.NetworkPolicy)
	setPointer(profile, "networkDataplane", controlPlane.Spec.NetworkDataplane)
	setPointer(profile, "outboundType", controlPlane.Spec.OutboundType)
	if sku := controlPlane.Spec.LoadBalancerSKU; sku != nil {
		profile["loadBalancerSku"] = strings.ToLower(*sku)
	}
	if pods := cluster.Spec.ClusterNetwork.Pods.CIDRBlocks; len(pods) == 1 {
		profile["podCidr"] = pods[0]
	}
	if services := cluster.Spec.ClusterNetwork.Services.CIDRBlocks; len(services) == 1 {
		profile["serviceCidr"] = services[0]
		address, err := dnsServiceIP(services[0], controlPlane.Spec.DNSServiceIP)
		if err != nil {
			return err
		}
		profile["dnsServiceIP"] = address
	}
	if balancer := controlPlane.Spec.LoadBalancerProfile; balancer != nil {
		profile["loadBalancerProfile"] = loadBalancerProfile(balancer)
	}
	spec["networkProfile"] = map[string]any(profile)
	return nil
}

func dnsServiceIP(services string, wanted *string) (string, error) {
	if wanted != nil {
		return *wanted, nil
	}
	address, _, err := net.ParseCIDR(services)
	if err != nil {
		return "", fmt.Errorf("failed to parse service cidr: %w", err)
	}
	address[len(address)-1] = 10
	return address.String(), nil
}

func loadBalancerProfile(wanted *infrav1.LoadBalancerProfile) map[string]any {
	profile := asoObject{}
	setPointer(profile, "allocatedOutboundPorts", wanted.AllocatedOutboundPorts)
	setPointer(profile, "idleTimeoutInMinutes", wanted.IdleTimeoutInMinutes)
	if wanted.ManagedOutboundIPs != nil {
		profile["managedOutboundIPs"] = map[string]any{"count": *wanted.ManagedOutboundIPs}
	}
	if len(wanted.OutboundIPPrefixes) > 0 {
		profile["outboundIPPrefixes"] = map[string]any{"publicIPPrefixes": references(wanted.OutboundIPPrefixes)}
	}
	if len(wanted.OutboundIPs) > 0 {
		profile["outboundIPs"] = map[string]any{"publicIPs": references(wanted.OutboundIPs)}
	}
	return profile
}

func references(ids []string) []any {
	var list []any
	for _, id := range ids {
		list = append(list, map[string]any{"reference": map[string]any{"armId": id}})
	}
	return list
}

// plain returns a value as JSON has it, with fields that end in ID spelled as Azure does in most places, Id.
func plain(value any) (map[string]any, error) {
	content, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	fields := map[string]any{}
	if err := json.Unmarshal([]byte(strings.ReplaceAll(string(content), `ID":`, `Id":`)), &fields); err != nil {
		return nil, err
	}
	return fields, nil
}
