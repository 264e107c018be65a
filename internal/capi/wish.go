package capi

import (
	"context"
	"errors"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Wish is a whole cluster without its pools, in the words of neither flavour.
type Wish struct {
	Namespace, Name string
	// Flavor is AzureASOManaged or AzureManaged; Version has a v.
	Flavor, Version string
	Labels          map[string]string // of the Cluster
	NodeCap         int32

	SubscriptionID, Location, ResourceGroup, Tier string
	DeleteResourceGroup                           bool
	// NodeResourceGroup is that of the machines, empty where AKS names it. Written at creation only, as are Pods, Services and DNSServiceIP: Azure
	// changes none of them, and a cluster that is adopted has its own.
	NodeResourceGroup string
	Tags              map[string]string
	// ClusterIdentity is for AzureManaged, CredentialSecret for AzureASOManaged.
	ClusterIdentity  types.NamespacedName
	CredentialSecret string

	// NetworkPluginMode is overlay or empty; Dataplane azure, cilium or empty; OutboundType as AKS has it, or empty.
	NetworkPluginMode, Dataplane, OutboundType string
	// VNet, Nodes and PodSubnet are ranges of the cluster's own network, empty for none; Pods and Services those that only the cluster knows.
	VNet, Nodes, PodSubnet, Pods, Services, DNSServiceIP string
	// Overrides are merged into the managed cluster's spec.
	Overrides map[string]any
	// Names are those of objects that exist already under others; empty ones are Name.
	Names Names
}

// Names are what the objects of a cluster are called.
type Names struct{ Infrastructure, ControlPlane, ManagedCluster, ResourceGroup string }

// WishedObject is one of Cluster API's or CAPZ's objects as it is wished for: what is not in here belongs to others.
type WishedObject struct {
	APIVersion, Kind, Name string
	Labels, Annotations    map[string]string
	Spec                   map[string]any
}

// WishedObjects are those of a wish, in the order in which they are made: infrastructure, control plane, Cluster. Pure.
func WishedObjects(w Wish) ([]WishedObject, error) { return nil, errors.ErrUnsupported }

// SubnetObject is what a Nodepool of the wished cluster names for its range nodes or pods: the name of an object with AzureASOManaged
// (<cluster>-nodes), of a subnet with AzureManaged (nodes).
func (w Wish) SubnetObject(rangeName string) string {
	if w.Flavor == "AzureManaged" {
		return rangeName
	}
	return w.Name + "-" + rangeName
}

// OwnedOverrides are the keys of a managed cluster's spec that providerOverrides may not have, as paths.
func OwnedOverrides() []string { return nil }

// Change is one field that differs from the wish, for people.
type Change struct{ Object, Field, From, To string }

// Merged is an object with the wish in it, from what was applied last (its annotation), what is wished and what is there. Lists of resources are
// merged by kind (subnets by kind and name), patches as a set, everything else as a JSON merge patch of three ways. Pure.
func Merged(last, wish, there map[string]any) (merged map[string]any, changes []Change, err error) {
	return nil, nil, errors.ErrUnsupported
}

// ClusterState is how far a cluster has come, besides what ReadCluster tells.
type ClusterState struct {
	Cluster
	UID            types.UID
	Ours           bool // carries the label of the WorkloadCluster of its name
	Created        time.Time
	Infrastructure Stage
	ControlPlane   Stage
	// Reachable is Cluster API's probe; ReachableSince when it turned.
	Reachable      bool
	ReachableSince time.Time
	// NetworkID is the virtual network's id in Azure, empty while it is not known or not ours.
	NetworkID string
	// Deleting quotes the Cluster's condition Deleting. Topology is true for one of a ClusterClass.
	DeletingWords string
	Topology      bool
	// Names are what the objects are called that exist.
	Names Names
	// Changes are what ApplyCluster would change.
	Changes []Change
}

// Stage is one part that Azure makes. Problem quotes what stands in the way, with Kind Passing or Fatal for a person.
type Stage struct {
	Exists, Done      bool
	Started, Finished time.Time
	Problem           string
	Fatal             bool
}

// ReadClusterState reads the Cluster, both of CAPZ's objects and, where they are not ready, those of Azure Service Operator.
func ReadClusterState(ctx context.Context, reader client.Reader, w Wish) (ClusterState, error) {
	return ClusterState{}, errors.ErrUnsupported
}

// ApplyCluster brings the objects to the API server. Without adopt, one that is there and not ours is ErrNotOurs. It writes nothing when nothing
// differs, never forces, and fails with a conflict when somebody else wrote since it read.
func ApplyCluster(ctx context.Context, c client.Client, live client.Reader, w Wish, adopt bool) error {
	return errors.ErrUnsupported
}

// DeleteCluster deletes the Cluster if it is ours and has this UID; ReleaseCluster takes everything of ours off all three objects.
func DeleteCluster(ctx context.Context, c client.Client, live client.Reader, key types.NamespacedName, uid types.UID) error {
	return errors.ErrUnsupported
}

// ReleaseCluster is the reverse of adoption.
func ReleaseCluster(ctx context.Context, c client.Client, live client.Reader, key types.NamespacedName) error {
	return errors.ErrUnsupported
}

// CredentialSubscription is the subscription of the Secret by which Azure Service Operator would look after the wish; empty when it is its own.
func CredentialSubscription(ctx context.Context, live client.Reader, w Wish) (string, error) {
	return "", errors.ErrUnsupported
}

// Described is a cluster that exists, as a wish that changes nothing in it.
type Described struct {
	Wish
	// Pools are its MachinePools with the names of their agent pools and what a Nodepool would say of them.
	Pools []Pool
	// Odd is what a wish cannot say, and which therefore stays as it is.
	Odd []string
}

// Describe reads a cluster of either flavour for adoption.
func Describe(ctx context.Context, reader client.Reader, key types.NamespacedName) (Described, error) {
	return Described{}, errors.ErrUnsupported
}

// ServedClusters are empty objects of the kinds of whole clusters (infrastructure and control plane) of those flavours whose definitions the API
// server has, for watches.
func ServedClusters(mapper meta.RESTMapper) ([]client.Object, error) {
	return nil, errors.ErrUnsupported
}
