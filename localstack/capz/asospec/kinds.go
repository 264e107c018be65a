package asospec

import (
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/sets"
)

// Kind is one kind of Azure Service Operator's objects and the type of Azure resource behind it.
type Kind struct {
	schema.GroupKind

	// Plural is the name of the kind in URLs.
	Plural string
	// Versions are those in which Azure Service Operator v2.18.0 serves the kind, without those that only store it. The first
	// one is the newest that is not a preview.
	Versions []string
	// APIVersion is that of Azure's API behind the first of Versions.
	APIVersion string
	// Owner is the kind that spec.owner names; nil for a kind that is directly in the subscription.
	Owner *Kind
	// Segment is what stands in the id of a resource between its owner's id and its name.
	Segment string
	// Checked says that Azure Service Operator looks at the resource before each attempt, lest it is asked while it is busy.
	Checked bool
	// Exact are the properties that are taken as a whole, so that removing an entry is a change.
	Exact sets.Set[string]

	// top are the fields of a spec that Azure has beside properties rather than in them.
	top sets.Set[string]
	// nested says that the status keeps properties as an object of their own.
	nested bool
}

// The kinds that clusters are made of.
var (
	ResourceGroup = &Kind{
		GroupKind: schema.GroupKind{Group: "resources.azure.com", Kind: "ResourceGroup"}, Plural: "resourcegroups",
		Versions: []string{"v1api20200601"}, APIVersion: "2020-06-01",
		Segment: "/resourceGroups/",
		top:     sets.New("location", "managedBy", "tags"), nested: true,
	}
	VirtualNetwork = &Kind{
		GroupKind: schema.GroupKind{Group: "network.azure.com", Kind: "VirtualNetwork"}, Plural: "virtualnetworks",
		Versions: []string{"v1api20240301", "v1api20201101"}, APIVersion: "2024-03-01",
		Owner: ResourceGroup, Segment: "/providers/Microsoft.Network/virtualNetworks/",
		top: sets.New("extendedLocation", "location", "tags"),
	}
	VirtualNetworksSubnet = &Kind{
		GroupKind: schema.GroupKind{Group: "network.azure.com", Kind: "VirtualNetworksSubnet"}, Plural: "virtualnetworkssubnets",
		Versions: []string{"v1api20240301", "v1api20201101"}, APIVersion: "2024-03-01",
		Owner: VirtualNetwork, Segment: "/subnets/",
	}
	ManagedCluster = &Kind{
		GroupKind: schema.GroupKind{Group: "containerservice.azure.com", Kind: "ManagedCluster"}, Plural: "managedclusters",
		Versions:   []string{"v1api20250801", "v1api20240901", "v1api20240402preview", "v20251002preview"},
		APIVersion: "2025-08-01",
		Owner:      ResourceGroup, Segment: "/providers/Microsoft.ContainerService/managedClusters/",
		Checked: true,
		top:     sets.New("extendedLocation", "identity", "kind", "location", "sku", "tags"),
	}
	ManagedClustersAgentPool = &Kind{
		GroupKind: schema.GroupKind{Group: "containerservice.azure.com", Kind: "ManagedClustersAgentPool"}, Plural: "managedclustersagentpools",
		Versions:   []string{"v1api20250801", "v1api20240901", "v1api20240402preview", "v20251002preview"},
		APIVersion: "2025-08-01",
		Owner:      ManagedCluster, Segment: "/agentPools/",
		Checked: true,
		Exact:   sets.New("nodeLabels", "nodeTaints", "tags"),
	}
)

// Kinds returns all kinds.
func Kinds() []*Kind {
	return []*Kind{ResourceGroup, VirtualNetwork, VirtualNetworksSubnet, ManagedCluster, ManagedClustersAgentPool}
}

// Find returns the kind with this group and name, nil if it is none of Kinds.
func Find(wanted schema.GroupKind) *Kind {
	for _, kind := range Kinds() {
		if kind.GroupKind == wanted {
			return kind
		}
	}
	return nil
}

// GroupVersionKind names the kind in the first of its versions.
func (k *Kind) GroupVersionKind() schema.GroupVersionKind { return k.WithVersion(k.Versions[0]) }

// ID is the id of a resource of this kind below its owner's id, or that of the subscription where there is no owner.
func (k *Kind) ID(owner, azureName string) string { return owner + k.Segment + azureName }
