package capacity

// Networking is how a cluster gives addresses to pods, as far as it decides how many addresses of the virtual network
// one more node takes.
type Networking string

// The ways of AKS. See https://learn.microsoft.com/azure/aks/concepts-network-ip-address-planning and the page of each
// way for the numbers.
const (
	// Overlay is Azure CNI Overlay: pods have addresses of a range outside the virtual network.
	Overlay Networking = "Overlay"
	// Kubenet gives pods addresses outside the virtual network as well.
	Kubenet Networking = "Kubenet"
	// Flat is Azure CNI without a pod subnet: a node reserves an address for each of its possible pods when it is made,
	// from the subnet it is in itself.
	Flat Networking = "Flat"
	// PodSubnet is Azure CNI with a subnet for pods, the default way of which is to hand out addresses as they are
	// needed, in batches of 16. A node counts with what it takes when it is full.
	PodSubnet Networking = "PodSubnet"
	// PodSubnetBlocks is Azure CNI with a subnet for pods of which each node gets whole blocks of 16 when it is made.
	PodSubnetBlocks Networking = "PodSubnetBlocks"
)

// A node asks for another batch of pod addresses when fewer than half a batch are unused. A block is as large.
const (
	batch     = 16
	halfBatch = batch / 2
)

// Addresses are what one node takes from the virtual network.
type Addresses struct {
	// FromNodeSubnet and FromPodSubnet are numbers of addresses in those subnets.
	FromNodeSubnet, FromPodSubnet int64
}

// PerNode is what a node with room for maxPods pods takes. An unknown way counts like Flat, the most that is possible.
func (n Networking) PerNode(maxPods int32) Addresses {
	pods := int64(max(maxPods, 0))
	switch n {
	case Overlay, Kubenet:
		return Addresses{FromNodeSubnet: 1}
	case PodSubnet:
		return Addresses{FromNodeSubnet: 1, FromPodSubnet: batches(pods + halfBatch)}
	case PodSubnetBlocks:
		return Addresses{FromNodeSubnet: 1, FromPodSubnet: batches(pods)}
	default:
		return Addresses{FromNodeSubnet: 1 + pods}
	}
}

func batches(addresses int64) int64 { return (addresses + batch - 1) / batch * batch }
