package v1alpha1

// NetworkDataplane is what carries packets between pods.
// +kubebuilder:validation:Enum=Azure;Cilium
type NetworkDataplane string

const (
	// NetworkDataplaneAzure is Azure's own.
	NetworkDataplaneAzure NetworkDataplane = "Azure"
	// NetworkDataplaneCilium is Cilium, as AKS runs it.
	NetworkDataplaneCilium NetworkDataplane = "Cilium"
)

// NetworkOutbound is the way out of a cluster.
// +kubebuilder:validation:Enum=LoadBalancer;NATGateway;UserDefinedRouting
type NetworkOutbound string

const (
	// NetworkOutboundLoadBalancer is a load balancer that AKS makes.
	NetworkOutboundLoadBalancer NetworkOutbound = "LoadBalancer"
	// NetworkOutboundNATGateway is a NAT gateway that AKS makes.
	NetworkOutboundNATGateway NetworkOutbound = "NATGateway"
	// NetworkOutboundUserDefinedRouting is whatever the routes of the subnet say.
	NetworkOutboundUserDefinedRouting NetworkOutbound = "UserDefinedRouting"
)

// ClusterRangeName says what a range of addresses is for.
// +kubebuilder:validation:Enum=vnet;nodes;pods;services
type ClusterRangeName string

const (
	// ClusterRangeVNet is the cluster's virtual network. Without one AKS, or CAPZ, makes a network of its own choice.
	ClusterRangeVNet ClusterRangeName = "vnet"
	// ClusterRangeNodes is the subnet of the nodes, within vnet.
	ClusterRangeNodes ClusterRangeName = "nodes"
	// ClusterRangePods is the range of the pods: a subnet within vnet with mode CNIPodSubnet, the overlay's range with mode Overlay.
	ClusterRangePods ClusterRangeName = "pods"
	// ClusterRangeServices is the range of the Services.
	ClusterRangeServices ClusterRangeName = "services"
)

// WorkloadClusterNetwork is how nodes and pods are connected.
// +kubebuilder:validation:MinProperties=1
type WorkloadClusterNetwork struct {
	// mode is Overlay, CNI or CNIPodSubnet. Overlay if it is not set. CNIPodSubnet needs flavour AzureASOManaged.
	// +optional
	Mode NetworkMode `json:"mode,omitempty"`

	// dataplane is Azure or Cilium. AKS decides if it is not set. It cannot be changed: AKS would reimage all nodes at once.
	// +optional
	Dataplane NetworkDataplane `json:"dataplane,omitempty"`

	// outbound is LoadBalancer, NATGateway or UserDefinedRouting. AKS decides if it is not set.
	// +optional
	Outbound NetworkOutbound `json:"outbound,omitempty"`

	// addresses are the ranges of the cluster. They become an AddressClaim, and the cluster is not made before that is bound. A range vnet brings
	// a range nodes within it (and pods with mode CNIPodSubnet), sized for limits.maxNodes, if they are not told.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=4
	Addresses []WorkloadClusterRange `json:"addresses,omitempty"`
}

// WorkloadClusterRange is one range of addresses.
//
// +kubebuilder:validation:XValidation:rule="has(self.poolRef) || has(self.cidr) || self.name == 'nodes' || self.name == 'pods'",message="give poolRef or cidr"
// +kubebuilder:validation:XValidation:rule="!(has(self.cidr) && has(self.prefixLength))",message="give cidr or prefixLength, not both"
// +kubebuilder:validation:XValidation:rule="!has(self.poolRef) || self.name != 'nodes'",message="nodes lie within vnet and come from no pool of their own"
// +kubebuilder:validation:XValidation:rule="self.name != 'services' || has(self.cidr) || has(self.prefixLength)",message="services need prefixLength or cidr: nothing else says how many there will be"
type WorkloadClusterRange struct {
	// name says what the range is for: vnet, nodes, pods or services.
	// +required
	Name ClusterRangeName `json:"name,omitempty"`

	// poolRef is the AddressPool that the range is carved from.
	// +optional
	PoolRef NamespacedReference `json:"poolRef,omitempty,omitzero"`

	// cidr is the range itself. With poolRef it is taken out of that pool, so that nobody else gets it; without, nobody looks who else has it,
	// as is usual for pods and services of an overlay.
	// +optional
	// +kubebuilder:validation:MinLength=4
	// +kubebuilder:validation:MaxLength=43
	// +kubebuilder:validation:XValidation:rule="isCIDR(self) && cidr(self) == cidr(self).masked()",message="cidr must be a range without host bits, such as 10.64.0.0/20"
	CIDR string `json:"cidr,omitempty"`

	// prefixLength is the length of the range to carve. As large as limits.maxNodes and network.mode need if neither it nor cidr is set.
	// +optional
	// +kubebuilder:validation:Minimum=8
	// +kubebuilder:validation:Maximum=120
	PrefixLength int32 `json:"prefixLength,omitempty"`
}
