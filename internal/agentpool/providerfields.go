package agentpool

import (
	"slices"
	"strings"
)

// Class says what AKS and CAPZ do with a change of a field of an agent pool.
type Class string

const (
	// Accepted by both, and no node is touched.
	Accepted Class = "accepted"
	// NewNodes means: accepted, and the nodes that exist keep the old value.
	NewNodes Class = "new nodes only"
	// Reimages means: AKS accepts it, and drains and reimages every node itself.
	Reimages Class = "reimages every node"
	// Refused by CAPZ or by AKS.
	Refused Class = "refused"
	// Unsupported fields cannot be set through a Nodepool.
	Unsupported Class = "not settable"
)

// Effect is what a change of such a field costs: a drain of our own is the
// promise, so all but what is accepted needs another pool.
func (c Class) Effect() Effect {
	if c == Accepted {
		return InPlace
	}
	return Replace
}

// ProviderField is a field of an agent pool as Azure Service Operator names it.
type ProviderField struct {
	// Path from the agent pool's spec; what is below it is meant as well, unless
	// that has a row of its own.
	Path  string
	Class Class
	// Typed is the field of CAPZ's AzureManagedMachinePool, or of the MachinePool
	// when that has it. Empty: only a patch reaches it.
	Typed string
	// Webhook is true when CAPZ's webhook refuses a change of Typed.
	Webhook bool
	// Nodepool is the field that sets it. Empty: providerOverrides do.
	Nodepool string
	// Preview fields are in AKS' preview API only.
	Preview bool
	// Why says why it is not settable, and what to do instead.
	Why string
}

// Settable is true when providerOverrides may set the field.
func (f ProviderField) Settable() bool { return f.Nodepool == "" && f.Class != Unsupported }

// OnMachinePool stands before a Typed field that the MachinePool has.
const OnMachinePool = "MachinePool "

// providerFields is every field of ManagedClustersAgentPool. Authorities: CAPZ's
// webhook for what it refuses, the AKS documentation for the rest; where that is
// silent, the field counts as refused.
var providerFields = []ProviderField{
	{Path: "artifactStreamingProfile", Class: NewNodes, Preview: true},
	{Path: "availabilityZones", Class: Refused, Typed: "availabilityZones", Webhook: true, Nodepool: "zones"},
	{Path: "azureName", Class: Unsupported, Typed: "name", Webhook: true, Why: "it is derived from the Nodepool's name"},
	{Path: "capacityReservationGroupReference", Class: Reimages},
	{Path: "count", Class: Accepted, Typed: OnMachinePool + "replicas", Nodepool: "replicas"},
	{Path: "creationData", Class: Reimages},
	{Path: "enableAutoScaling", Class: Accepted, Typed: "scaling", Nodepool: "scaling"},
	{Path: "enableEncryptionAtHost", Class: Refused, Typed: "enableEncryptionAtHost", Webhook: true},
	{Path: "enableFIPS", Class: Reimages, Typed: "enableFIPS", Webhook: true},
	{Path: "enableNodePublicIP", Class: Refused, Typed: "enableNodePublicIP", Webhook: true},
	{Path: "enableUltraSSD", Class: Refused, Typed: "enableUltraSSD", Webhook: true},
	{Path: "gatewayProfile", Class: Unsupported, Why: "gateway pools are not supported"},
	{Path: "gpuInstanceProfile", Class: Refused},
	{Path: "gpuProfile", Class: Refused},
	{Path: "gpuProfile.driverType", Class: Refused, Preview: true},
	{Path: "hostGroupReference", Class: Refused},
	{Path: "kubeletConfig", Class: Refused, Typed: "kubeletConfig", Webhook: true},
	{Path: "kubeletConfig.seccompDefault", Class: Refused, Preview: true},
	{Path: "kubeletDiskType", Class: Refused, Typed: "kubeletDiskType", Webhook: true},
	{Path: "linuxOSConfig", Class: Refused, Typed: "linuxOSConfig", Webhook: true},
	{Path: "localDNSProfile", Class: Reimages, Preview: true},
	{Path: "maxCount", Class: Accepted, Typed: "scaling", Nodepool: "scaling.max"},
	{Path: "maxPods", Class: Refused, Typed: "maxPods", Webhook: true, Nodepool: "maxPods"},
	{Path: "messageOfTheDay", Class: Refused},
	{Path: "minCount", Class: Accepted, Typed: "scaling", Nodepool: "scaling.min"},
	{Path: "mode", Class: Accepted, Typed: "mode", Nodepool: "mode"},
	{Path: "networkProfile.allowedHostPorts", Class: Accepted},
	{Path: "networkProfile.applicationSecurityGroupsReferences", Class: Accepted},
	{Path: "networkProfile.nodePublicIPTags", Class: Refused},
	{Path: "nodeCustomizationProfile", Class: Reimages, Preview: true},
	{Path: "nodeInitializationTaints", Class: NewNodes, Preview: true},
	{Path: "nodeLabels", Class: Accepted, Typed: "nodeLabels", Nodepool: "labels"},
	{Path: "nodePublicIPPrefixReference", Class: Refused, Typed: "nodePublicIPPrefixID", Webhook: true},
	{Path: "nodeTaints", Class: Accepted, Typed: "taints", Nodepool: "taints"},
	{Path: "operatorSpec", Class: Unsupported, Why: "it configures Azure Service Operator, not the pool"},
	{Path: "orchestratorVersion", Class: Reimages, Typed: OnMachinePool + "version", Nodepool: "version"},
	{Path: "osDiskSizeGB", Class: Refused, Typed: "osDiskSizeGB", Webhook: true, Nodepool: "disk.sizeGiB"},
	{Path: "osDiskType", Class: Refused, Typed: "osDiskType", Webhook: true, Nodepool: "disk.type"},
	{Path: "osSKU", Class: Reimages, Nodepool: "os.sku"},
	{Path: "osType", Class: Refused, Typed: "osType", Webhook: true, Nodepool: "os.type"},
	{Path: "owner", Class: Unsupported, Why: "it is the cluster, see clusterName"},
	{Path: "podIPAllocationMode", Class: Refused},
	{Path: "podSubnetReference", Class: Refused, Nodepool: "podSubnet"},
	{Path: "powerState", Class: Unsupported, Why: "it stops every machine of the pool at once; ask for 0 nodes with replicas"},
	{Path: "proximityPlacementGroupReference", Class: Refused},
	{Path: "scaleDownMode", Class: Accepted, Typed: "scaleDownMode", Nodepool: "scaling.downMode"},
	{Path: "scaleSetEvictionPolicy", Class: Refused, Nodepool: "spot.evictionPolicy"},
	{Path: "scaleSetPriority", Class: Refused, Typed: "scaleSetPriority", Webhook: true, Nodepool: "type"},
	{Path: "securityProfile.enableSecureBoot", Class: Reimages},
	{Path: "securityProfile.enableVTPM", Class: Reimages},
	{Path: "securityProfile.sshAccess", Class: NewNodes},
	{Path: "spotMaxPrice", Class: Refused, Typed: "spotMaxPrice", Nodepool: "spot.maxPrice"},
	{Path: "tags", Class: Accepted, Typed: "additionalTags", Nodepool: "tags"},
	{Path: "type", Class: Unsupported, Why: "a pool is always a virtual machine scale set"},
	{Path: "upgradeSettings.drainTimeoutInMinutes", Class: Accepted},
	{Path: "upgradeSettings.maxBlockedNodes", Class: Accepted, Preview: true},
	{Path: "upgradeSettings.maxSurge", Class: Accepted},
	{Path: "upgradeSettings.maxUnavailable", Class: Accepted},
	{Path: "upgradeSettings.nodeSoakDurationInMinutes", Class: Accepted},
	{Path: "upgradeSettings.undrainableNodeBehavior", Class: Accepted},
	{Path: "upgradeSettingsBlueGreen", Class: Accepted, Preview: true},
	{Path: "upgradeStrategy", Class: Accepted, Preview: true},
	{Path: "virtualMachineNodesStatus", Class: Unsupported, Why: "pools of single virtual machines are not supported"},
	{Path: "virtualMachinesProfile", Class: Unsupported, Why: "pools of single virtual machines are not supported"},
	{Path: "vmSize", Class: Refused, Typed: "sku", Webhook: true, Nodepool: "machineType"},
	{Path: "vnetSubnetReference", Class: Refused, Typed: "subnetName", Webhook: true, Nodepool: "subnet"},
	{Path: "windowsProfile", Class: Refused},
	{Path: "workloadRuntime", Class: Refused},
}

// ProviderFields is the whole table, in the order of paths.
func ProviderFields() []ProviderField { return slices.Clone(providerFields) }

// ProviderFieldOf is the row that covers a path. One that AKS added after this
// release is known to nobody: it may be set, and a change replaces the pool.
func ProviderFieldOf(path string) ProviderField {
	for rest := path; ; {
		for _, f := range providerFields {
			if f.Path == rest {
				return f
			}
		}
		parent := strings.LastIndex(rest, ".")
		if parent < 0 {
			return ProviderField{Path: path, Class: Refused}
		}
		rest = rest[:parent]
	}
}
