package capi

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// WorkloadClusterFieldOwner is who writes whole clusters.
const WorkloadClusterFieldOwner = "fleetwright-workloadcluster"

// Wish is a whole cluster without its pools, in the words of neither flavour.
type Wish struct {
	Namespace, Name string
	// Flavor is AzureASOManaged or AzureManaged; Version has a v.
	Flavor, Version string
	Labels          map[string]string // of the Cluster
	// NodeCap is the highest number of nodes, 0 where the wish does not say.
	NodeCap int32

	SubscriptionID, Location, ResourceGroup, Tier string
	DeleteResourceGroup                           bool
	// NodeResourceGroup is that of the machines, empty where AKS names it. Written at creation only, as are Pods, Services and DNSServiceIP: Azure
	// changes none of them, and a cluster that is adopted has its own.
	NodeResourceGroup string
	Tags              map[string]string
	// ClusterIdentity is for AzureManaged, CredentialSecret for AzureASOManaged.
	ClusterIdentity  types.NamespacedName
	CredentialSecret string

	// NetworkPluginMode is overlay or empty; Dataplane azure, cilium or empty; OutboundType as AKS has it, or empty. Written at creation only as well.
	NetworkPluginMode, Dataplane, OutboundType string
	// VNet, Nodes and PodSubnet are ranges of the cluster's own network, empty for none; Pods and Services those that only the cluster knows.
	VNet, Nodes, PodSubnet, Pods, Services, DNSServiceIP string
	// Overrides are merged into the managed cluster's spec; null takes a field out. With fqdnSubdomain there is no dnsPrefix.
	Overrides map[string]any
	// Names are those of objects that exist already under others; empty ones are Name. Whoever reads the objects finds them there.
	Names Names
}

// Names are what the objects of a cluster are called.
type Names struct{ Infrastructure, ControlPlane, ManagedCluster, ResourceGroup string }

func (w Wish) key() types.NamespacedName {
	return types.NamespacedName{Namespace: w.Namespace, Name: w.Name}
}

// WishedObject is one of Cluster API's or CAPZ's objects as it is wished for: what is not in here belongs to others.
type WishedObject struct {
	APIVersion, Kind, Namespace, Name string
	Labels, Annotations               map[string]string
	Spec                              map[string]any
	// AtCreation is what the spec has besides when the object, or the resource in its list, is made: Azure would not change it later, and a
	// cluster that is adopted has its own.
	AtCreation map[string]any
	// said are paths of AtCreation that overrides name: a cluster that was made otherwise is told of.
	said []string
}

func (o WishedObject) text() string { return fmt.Sprintf("%s %s/%s", o.Kind, o.Namespace, o.Name) }

// GroupVersionKind is of the object.
func (o WishedObject) GroupVersionKind() schema.GroupVersionKind {
	return schema.FromAPIVersionAndKind(o.APIVersion, o.Kind)
}

// Object is the whole object, as it is made.
func (o WishedObject) Object() (*unstructured.Unstructured, error) {
	tree, _, err := o.Merged(nil)
	return &unstructured.Unstructured{Object: tree}, err
}

// WishedObjects are those of a wish, in the order in which they are made: infrastructure, control plane, Cluster. Pure.
func WishedObjects(w Wish) ([]WishedObject, error) {
	if err := refuseOwned(w.Overrides); err != nil {
		return nil, fmt.Errorf("render Cluster %s: %w", w.key(), err)
	}
	w.Overrides = oneName(w.Overrides)
	var infrastructure, plane WishedObject
	switch w.Flavor {
	case string(fleetwrightv1.WorkloadClusterFlavorASO):
		infrastructure, plane = w.asoInfrastructure(), w.asoControlPlane()
	case string(fleetwrightv1.WorkloadClusterFlavorManaged):
		infrastructure, plane = w.managedInfrastructure(), w.managedControlPlane()
	default:
		return nil, fmt.Errorf("render Cluster %s: flavour %q is not known", w.key(), w.Flavor)
	}
	out := []WishedObject{infrastructure, plane, w.cluster(infrastructure, plane)}
	for i := range out {
		o := &out[i]
		o.Namespace = w.Namespace
		o.Labels = withMark(o.Labels, w.Name)
		var err error
		if o.Spec, err = plain(o.Spec); err == nil {
			o.AtCreation, err = plain(o.AtCreation)
		}
		if err != nil {
			return nil, fmt.Errorf("render %s: %w", o.text(), err)
		}
	}
	return out, nil
}

// withMark adds what makes an object a WorkloadCluster's.
func withMark(labels map[string]string, name string) map[string]string {
	out := map[string]string{}
	for key, value := range labels {
		if !strings.HasPrefix(key, ourPrefix) || key == fleetwrightv1.LabelTenant {
			out[key] = value
		}
	}
	out[fleetwrightv1.LabelWorkloadCluster], out[fleetwrightv1.LabelCluster] = name, name
	return out
}

// cluster is the Cluster itself. Its ranges are no concern of the flavours: CAPZ takes them from here and refuses another word on them.
func (w Wish) cluster(infrastructure, plane WishedObject) WishedObject {
	ref := func(o WishedObject) map[string]any {
		return map[string]any{"apiGroup": infraGroup, "kind": o.Kind, "name": o.Name}
	}
	first := map[string]any{"infrastructureRef": ref(infrastructure), "controlPlaneRef": ref(plane)}
	network := map[string]any{}
	for key, cidr := range map[string]string{"pods": w.Pods, "services": w.Services} {
		if cidr != "" {
			network[key] = map[string]any{"cidrBlocks": []any{cidr}}
		}
	}
	if len(network) > 0 {
		first["clusterNetwork"] = network
	}
	out := WishedObject{
		APIVersion: clusterv1.GroupVersion.String(), Kind: "Cluster", Name: w.Name,
		Labels: w.Labels, Spec: map[string]any{}, AtCreation: first,
	}
	if w.NodeCap > 0 {
		out.Annotations = map[string]string{fleetwrightv1.AnnotationNodeCap: fmt.Sprint(w.NodeCap)}
	}
	return out
}

// SubnetObject is what a Nodepool of the wished cluster names for its range nodes or pods: the name of an object with AzureASOManaged
// (<cluster>-nodes), of a subnet with AzureManaged (nodes).
func (w Wish) SubnetObject(rangeName string) string {
	if w.Flavor == string(fleetwrightv1.WorkloadClusterFlavorManaged) {
		return rangeName
	}
	return w.Name + "-" + rangeName
}
