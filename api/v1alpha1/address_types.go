package v1alpha1

// RangePurpose says what a range of addresses has to hold.
// +kubebuilder:validation:Enum=Nodes;Pods
type RangePurpose string

const (
	// RangePurposeNodes is a subnet of nodes, and with mode CNI of their pods.
	RangePurposeNodes RangePurpose = "Nodes"
	// RangePurposePods is a range of pods.
	RangePurposePods RangePurpose = "Pods"
)

// NetworkMode says where pods get their addresses.
// +kubebuilder:validation:Enum=Overlay;CNI;CNIPodSubnet
type NetworkMode string

const (
	// NetworkModeOverlay gives pods addresses of a range that only the cluster knows: one /24 per node of it.
	NetworkModeOverlay NetworkMode = "Overlay"
	// NetworkModeCNI gives pods addresses of the nodes' subnet.
	NetworkModeCNI NetworkMode = "CNI"
	// NetworkModeCNIPodSubnet gives pods addresses of a subnet of their own.
	NetworkModeCNIPodSubnet NetworkMode = "CNIPodSubnet"
)

// RangeSizing says for how much a range has to be large enough. The arithmetic is of IPv4.
//
// +kubebuilder:validation:XValidation:rule="!(self.purpose == 'Pods' && self.mode == 'CNI')",message="with mode CNI pods have addresses of the nodes' range: ask for a range of purpose Nodes"
type RangeSizing struct {
	// purpose is Nodes or Pods.
	// +required
	Purpose RangePurpose `json:"purpose,omitempty"`

	// mode is the cluster's network mode. With CNI the subnet of the nodes holds an address for each pod as well; with Overlay the range of the
	// pods holds one /24 per node.
	// +required
	Mode NetworkMode `json:"mode,omitempty"`

	// maxNodes is how many nodes there may be.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=5000
	MaxNodes int32 `json:"maxNodes,omitempty"`

	// maxPods is how many pods a node may have. 250 if it is not set.
	// +optional
	// +kubebuilder:validation:Minimum=10
	// +kubebuilder:validation:Maximum=250
	MaxPods int32 `json:"maxPods,omitempty"`

	// surgePercent is how many more nodes there are while pools are replaced, as a percentage. 25 if it is not set.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	SurgePercent *int32 `json:"surgePercent,omitempty"`
}

// BoundRange is a range that a claim has got.
type BoundRange struct {
	// name of the range.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name,omitempty"`

	// cidr is the range.
	// +required
	// +kubebuilder:validation:MinLength=4
	// +kubebuilder:validation:MaxLength=43
	CIDR string `json:"cidr,omitempty"`

	// allocation is the AddressAllocation that keeps it, as namespace/name. None for a range within another one, or of no pool.
	// +optional
	// +kubebuilder:validation:MinLength=3
	// +kubebuilder:validation:MaxLength=317
	Allocation string `json:"allocation,omitempty"`
}
