package desired

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/utils/ptr"
	infrav1 "sigs.k8s.io/cluster-api-provider-azure/api/v1beta1"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"

	"github.com/fleetwright/fleetwright/localstack/capz/armclient"
)

// Pool is one node pool as its two Kubernetes objects describe it.
type Pool struct {
	MachinePool *clusterv1.MachinePool
	Infra       *infrav1.AzureManagedMachinePool
}

// ExactPoolProperties are the properties of an agent pool that CAPZ owns wholly.
func ExactPoolProperties() sets.Set[string] { return sets.New("nodeLabels", "nodeTaints", "tags") }

// AgentPool is a pool as a resource of its own. existing is the pool in Azure, nil if there is none.
func AgentPool(controlPlane *infrav1.AzureManagedControlPlane, pool Pool, existing armclient.Body) (armclient.Body, error) {
	properties, err := agentPoolProperties(controlPlane, pool, existing)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"nodeLabels", "tags"} {
		if properties[name] == nil && existing != nil {
			properties[name] = map[string]any{} // Azure reads a missing field as "leave it".
		}
	}
	if properties["nodeTaints"] == nil && existing != nil {
		properties["nodeTaints"] = []any{}
	}
	return armclient.Body{"properties": properties}, nil
}

// agentPoolProperties follows buildAgentPoolSpec in azure/scope/managedmachinepool.go and Parameters in
// azure/services/agentpools/spec.go.
func agentPoolProperties(controlPlane *infrav1.AzureManagedControlPlane, pool Pool, existing armclient.Body) (map[string]any, error) {
	infra := pool.Infra.Spec
	spec := asoObject{
		"availabilityZones": infra.AvailabilityZones,
		"count":             ptr.Deref(pool.MachinePool.Spec.Replicas, 1),
		"enableAutoScaling": infra.Scaling != nil,
		"mode":              infra.Mode,
		"osDiskSizeGB":      ptr.Deref(infra.OSDiskSizeGB, 0),
		"type":              "VirtualMachineScaleSets",
		"vmSize":            infra.SKU,
		"vnetSubnetReference": map[string]any{
			"armId": SubnetID(controlPlane, ptr.Deref(infra.SubnetName, controlPlane.Spec.VirtualNetwork.Subnet.Name)),
		},
	}
	setPointer(spec, "enableUltraSSD", infra.EnableUltraSSD)
	setPointer(spec, "kubeletDiskType", infra.KubeletDiskType)
	setPointer(spec, "maxPods", infra.MaxPods)
	setPointer(spec, "osDiskType", infra.OsDiskType)
	setPointer(spec, "osType", infra.OSType)
	setPointer(spec, "scaleSetPriority", infra.ScaleSetPriority)
	setPointer(spec, "scaleDownMode", infra.ScaleDownMode)
	setPointer(spec, "enableNodePublicIP", infra.EnableNodePublicIP)
	setPointer(spec, "enableFIPS", infra.EnableFIPS)
	setPointer(spec, "enableEncryptionAtHost", infra.EnableEncryptionAtHost)
	if infra.Scaling != nil {
		setPointer(spec, "minCount", infra.Scaling.MinSize)
		setPointer(spec, "maxCount", infra.Scaling.MaxSize)
		// The autoscaler decides how many nodes there are; CAPZ repeats what Azure Service Operator last saw.
		if count, found := existing.Int("properties", "count"); found {
			spec["count"] = count
		}
	}
	if infra.SpotMaxPrice != nil {
		spec["spotMaxPrice"] = infra.SpotMaxPrice.AsApproximateFloat64()
	}
	if prefix := ptr.Deref(infra.NodePublicIPPrefixID, ""); prefix != "" {
		spec["nodePublicIPPrefixReference"] = map[string]any{"armId": prefix}
	}
	if len(infra.NodeLabels) > 0 {
		spec["nodeLabels"] = infra.NodeLabels
	}
	if len(infra.AdditionalTags) > 0 {
		spec["tags"] = infra.AdditionalTags
	}
	if taints := taints(infra.Taints); len(taints) > 0 {
		spec["nodeTaints"] = taints
	}
	if version := poolVersion(controlPlane, pool.MachinePool, existing); version != "" {
		spec["orchestratorVersion"] = version
	}
	if err := setNodeConfig(spec, infra.KubeletConfig, infra.LinuxOSConfig); err != nil {
		return nil, err
	}
	patched, err := patch(spec, infra.ASOManagedClustersAgentPoolPatches)
	if err != nil {
		return nil, fmt.Errorf("patch agent pool %s: %w", poolName(pool.Infra), err)
	}
	return patched.arm()
}

// AgentPoolProfiles are the pools that the first PUT of a managed cluster carries, see GetAllAgentPoolSpecs in
// azure/scope/managedcontrolplane.go, whose errors these are.
func AgentPoolProfiles(controlPlane *infrav1.AzureManagedControlPlane, pools []Pool) ([]map[string]any, error) {
	foundSystem := false
	var profiles []map[string]any
	for _, pool := range pools {
		version := pool.MachinePool.Spec.Template.Spec.Version
		if version != "" && higherVersion(controlPlane.Spec.Version, version) != controlPlane.Spec.Version {
			return nil, errors.New("MachinePool version cannot be greater than the AzureManagedControlPlane version")
		}
		foundSystem = foundSystem || pool.Infra.Spec.Mode == string(infrav1.NodePoolModeSystem)
		profile, err := agentPoolProperties(controlPlane, pool, nil)
		if err != nil {
			return nil, err
		}
		profile["name"] = poolName(pool.Infra)
		profiles = append(profiles, profile)
	}
	if !foundSystem {
		return nil, errors.New("failed to fetch azuremanagedMachine pool with mode:System, require at least 1 system node pool")
	}
	return profiles, nil
}

// poolVersion follows getManagedMachinePoolVersion in azure/scope/managedmachinepool.go and in
// azure/services/agentpools/spec.go.
func poolVersion(controlPlane *infrav1.AzureManagedControlPlane, machinePool *clusterv1.MachinePool, existing armclient.Body) string {
	version := higherVersion(machinePool.Spec.Template.Spec.Version, controlPlane.Status.AutoUpgradeVersion)
	version = strings.TrimPrefix(version, "v")
	if present := existing.String("properties", "orchestratorVersion"); present != "" {
		return higherVersion(version, present)
	}
	return version
}

func taints(list infrav1.Taints) []string {
	var formatted []string
	for _, taint := range list {
		formatted = append(formatted, fmt.Sprintf("%s=%s:%s", taint.Key, taint.Value, taint.Effect))
	}
	return formatted
}

// setNodeConfig sets kubelet and kernel settings. CAPZ's field names differ from Azure's in the case of some letters.
func setNodeConfig(spec asoObject, kubelet *infrav1.KubeletConfig, linux *infrav1.LinuxOSConfig) error {
	if kubelet != nil {
		spec["kubeletConfig"] = kubelet
	}
	if linux == nil {
		return nil
	}
	content, err := json.Marshal(linux)
	if err != nil {
		return fmt.Errorf("encode linuxOSConfig: %w", err)
	}
	content = []byte(strings.NewReplacer("netIpv4TCP", "netIpv4Tcp", "netIpv4IPLocal", "netIpv4IpLocal").Replace(string(content)))
	var renamed map[string]any
	if err := json.Unmarshal(content, &renamed); err != nil {
		return fmt.Errorf("decode linuxOSConfig: %w", err)
	}
	spec["linuxOSConfig"] = renamed
	return nil
}

func setPointer[T any](spec asoObject, field string, value *T) {
	if value != nil {
		spec[field] = *value
	}
}
