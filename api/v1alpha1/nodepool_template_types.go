package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// NodepoolTemplateSpec is the spec of a Nodepool that a WorkloadCluster makes, or a part of it: every field of a Nodepool but those that the
// cluster itself decides (clusterName, adoption, reconcile, deletionPolicy). What an entry leaves open is looked for in the defaults of the
// cluster and of its class. What is wrong only when all are put together is refused when the Nodepool is made, and the WorkloadCluster is then
// Stalled with InvalidSpec.
//
// +kubebuilder:validation:MinProperties=1
// +kubebuilder:validation:XValidation:rule="!(has(self.replicas) && has(self.scaling))",message="set either replicas or scaling, not both"
// +kubebuilder:validation:XValidation:rule="!(has(self.mode) && self.mode == 'System' && has(self.type) && self.type == 'Spot')",message="a System pool cannot be Spot: AKS runs system pods on Regular nodes only"
// +kubebuilder:validation:XValidation:rule="!(has(self.mode) && self.mode == 'System' && has(self.os) && has(self.os.type) && self.os.type == 'Windows')",message="a System pool must run Linux"
// +kubebuilder:validation:XValidation:rule="!(has(self.mode) && self.mode == 'System') || ((!has(self.replicas) || self.replicas >= 1) && (!has(self.scaling) || self.scaling.min >= 1))",message="a System pool needs at least 1 node"
type NodepoolTemplateSpec struct {
	// version is the Kubernetes version of the nodes, for a pool that is to stay behind the cluster's. If it is not set, the pool has the
	// cluster's, when its turn has come.
	// +optional
	// +kubebuilder:validation:MinLength=5
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:Pattern=`^v?(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)$`
	Version string `json:"version,omitempty"`

	// mode is System or User, as of a Nodepool.
	// +optional
	Mode NodepoolMode `json:"mode,omitempty"`

	// type is Regular or Spot, as of a Nodepool.
	// +optional
	Type NodepoolType `json:"type,omitempty"`

	// spot says how Spot machines are bought, as of a Nodepool.
	// +optional
	Spot NodepoolSpot `json:"spot,omitempty,omitzero"`

	// machineType is the Azure VM size, for example Standard_D8ds_v5. It is needed, here or in the defaults.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9_-]+$`
	MachineType string `json:"machineType,omitempty"`

	// disk is the operating system's disk, as of a Nodepool.
	// +optional
	Disk NodepoolDisk `json:"disk,omitempty,omitzero"`

	// maxPods is the highest number of pods per node, as of a Nodepool.
	// +optional
	// +kubebuilder:validation:Minimum=10
	// +kubebuilder:validation:Maximum=250
	MaxPods int32 `json:"maxPods,omitempty"`

	// os is the operating system, as of a Nodepool.
	// +optional
	OS NodepoolOS `json:"os,omitempty,omitzero"`

	// zones are the availability zones the nodes are spread over, as of a Nodepool.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=3
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=1
	// +kubebuilder:validation:items:Pattern=`^[1-3]$`
	Zones []string `json:"zones,omitempty"`

	// subnet is where the nodes get their addresses, as of a Nodepool. The cluster's range nodes if it is not set and there is one.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:Pattern=`^([A-Za-z0-9]([A-Za-z0-9_.-]{0,78}[A-Za-z0-9_])?|/subscriptions/[^/]+/resource[gG]roups/[^/]+/providers/Microsoft[.]Network/virtualNetworks/[^/]+/subnets/[^/]+)$`
	Subnet string `json:"subnet,omitempty"`

	// podSubnet is where the pods get their addresses, as of a Nodepool. The cluster's range pods if it is not set and network.mode is
	// CNIPodSubnet.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:Pattern=`^([A-Za-z0-9]([A-Za-z0-9_.-]{0,78}[A-Za-z0-9_])?|/subscriptions/[^/]+/resource[gG]roups/[^/]+/providers/Microsoft[.]Network/virtualNetworks/[^/]+/subnets/[^/]+)$`
	PodSubnet string `json:"podSubnet,omitempty"`

	// labels are the nodes' labels, as of a Nodepool. Those of the defaults are added to them.
	// +optional
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=64
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.startsWith('kubernetes.azure.com/') && !k.startsWith('fleetwright.io/'))",message="labels under kubernetes.azure.com/ and fleetwright.io/ are reserved"
	Labels map[string]LabelValue `json:"labels,omitempty"`

	// taints are the nodes' taints, as of a Nodepool. They take the place of those of the defaults.
	// +optional
	// +listType=map
	// +listMapKey=key
	// +listMapKey=effect
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	Taints []NodepoolTaint `json:"taints,omitempty"`

	// tags are the Azure tags of the pool, as of a Nodepool. Those of the defaults are added to them.
	// +optional
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=40
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.startsWith('fleetwright-'))",message="tags under fleetwright- are reserved"
	Tags map[string]string `json:"tags,omitempty"`

	// replicas is a fixed number of nodes, as of a Nodepool. It takes the place of scaling in the defaults.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000
	Replicas *int32 `json:"replicas,omitempty"`

	// scaling lets AKS' cluster autoscaler choose the number of nodes, as of a Nodepool. It takes the place of replicas in the defaults.
	// +optional
	Scaling NodepoolScaling `json:"scaling,omitempty,omitzero"`

	// providerOverrides are merged into the spec of the agent pool, as of a Nodepool. Those of the defaults are merged first.
	// +optional
	// +kubebuilder:validation:Type=object
	// +kubebuilder:pruning:PreserveUnknownFields
	ProviderOverrides *runtime.RawExtension `json:"providerOverrides,omitempty"`

	// replacement says how the pool is replaced.
	// +optional
	Replacement ReplacementPolicy `json:"replacement,omitempty,omitzero"`

	// drain says how the nodes of an old pool are emptied. Its rules, ladder and deadline each take the place of those of the defaults as a whole.
	// +optional
	Drain DrainPolicy `json:"drain,omitempty,omitzero"`

	// maintenance says when a replacement may begin. The cluster's maintenance if it is not set.
	// +optional
	Maintenance MaintenancePolicy `json:"maintenance,omitempty,omitzero"`

	// rolloutAfter replaces pools that were made before that time once it has come, as of a Nodepool.
	// +optional
	RolloutAfter *metav1.Time `json:"rolloutAfter,omitempty"`
}
