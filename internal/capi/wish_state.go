package capi

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// ClusterState is how far a cluster has come, besides what ReadCluster tells.
type ClusterState struct {
	Cluster
	UID  types.UID
	Ours bool // carries the label of the WorkloadCluster of its name
	// Leftover is true when there is no Cluster, but one of CAPZ's objects that are ours: the process ended between two writes. DeleteCluster
	// takes them away, ApplyCluster goes on with them.
	Leftover bool
	// Made is true once Azure has given the API server an address. The Cluster's spec keeps it, also through a restore that brings no status.
	Made           bool
	Created        time.Time
	Infrastructure Stage
	ControlPlane   Stage
	// Reachable is Cluster API's probe; ReachableSince when it turned.
	Reachable      bool
	ReachableSince time.Time
	// NetworkID is the virtual network's id in Azure, empty while it is not known, or the wish has none, or the network is not the cluster's alone.
	NetworkID string
	// VNet is the range of the network that was made with the cluster, empty for none and for one that is shared.
	VNet string
	// Subnets are the subnets' objects that the infrastructure has, nil while it is not there and with AzureManaged, which has no such objects.
	Subnets []string
	// Pods and Services are the ranges that the Cluster tells, empty for none: they are none of VNet's.
	Pods, Services string
	// DeletingWords quotes the Cluster's condition Deleting. Topology is true for one of a ClusterClass.
	DeletingWords string
	Topology      bool
	// Names are what the objects are called that exist.
	Names Names
	// Changes are what ApplyCluster would change that matters to others than us. Unmarked is true when it would write although there are none:
	// something does not say that it is ours, or what was applied last.
	Changes  []Change
	Unmarked bool
	// Fixed are what the wish has otherwise than the cluster was made, and what nobody can change.
	Fixed []Change
}

// parts are the objects of a cluster. What is missing is nil.
type parts struct {
	cluster                               *clusterv1.Cluster
	flavor                                Flavor
	infrastructure, controlPlane, related *unstructured.Unstructured
}

// ReadClusterState reads the Cluster, both of CAPZ's objects and, with live and where they are not ready, those of Azure Service Operator. Without
// live it is not known what stands in the way, nor when the infrastructure of flavour AzureASOManaged was ready. Without a flavour in the wish
// there are no Changes.
func ReadClusterState(ctx context.Context, reader, live client.Reader, w Wish) (ClusterState, error) {
	p, alone, err := readParts(ctx, reader, w)
	out := ClusterState{Cluster: alone}
	if err != nil {
		return out, err
	}
	out.Names = p.names()
	if p.cluster != nil {
		out.readCluster(p.cluster)
	} else {
		out.Leftover = isOurs(p.infrastructure, w.Name) || isOurs(p.controlPlane, w.Name)
	}
	if p.flavor == nil {
		return out, nil
	}
	if p.controlPlane != nil {
		p.flavor.ReadControlPlane(&out.Cluster, p.controlPlane, p.related)
	}
	if err := out.readStages(ctx, live, p); err != nil {
		return out, err
	}
	out.VNet, out.Subnets = p.vnet(), p.subnets()
	if w.VNet != "" {
		out.NetworkID = p.networkID(out.Cluster)
	}
	if w.Flavor == "" {
		return out, nil
	}
	if kind := w.Flavor + "Cluster"; p.cluster != nil && kind != p.flavor.Kinds().Cluster {
		out.Unsupported = fmt.Sprintf("Cluster %s has infrastructure %s: it cannot become one of flavor %s", w.Name, p.flavor.Kinds().Cluster, w.Flavor)
		return out, nil
	}
	err = out.compare(p, w)
	return out, err
}

// readParts reads what there is of a cluster. When there is no Cluster yet it looks where the wish says.
func readParts(ctx context.Context, reader client.Reader, w Wish) (parts, Cluster, error) {
	out, cluster, err := readAlone(ctx, reader, w.key())
	p := parts{}
	if err != nil {
		return p, out, err
	}
	if !out.Found {
		p, err = readLeftovers(ctx, reader, w)
		return p, out, err
	}
	p.cluster = cluster
	plane, infrastructure := cluster.Spec.ControlPlaneRef, cluster.Spec.InfrastructureRef
	out.Unnamed = plane.Kind == ""
	if p.flavor = flavorOfCluster(infrastructure.Kind, plane.Kind); p.flavor == nil {
		out.Unsupported = fmt.Sprintf("Cluster %s has infrastructure %q and control plane %q: WorkloadClusters are %s",
			w.Name, infrastructure.Kind, plane.Kind, flavorNames())
		return p, out, nil
	}
	out.Flavor = p.flavor.Kinds().Pool.Kind
	out.Provisioned = ptr.Deref(cluster.Status.Initialization.ControlPlaneInitialized, false)
	err = p.read(ctx, reader, w.Namespace, infrastructure.Name, plane.Name)
	return p, out, err
}

// readLeftovers finds CAPZ's objects without a Cluster, of the flavour of the wish or, if it does not say, of the first that has some.
func readLeftovers(ctx context.Context, reader client.Reader, w Wish) (parts, error) {
	for _, f := range flavors {
		if w.Flavor != "" && w.Flavor+"Cluster" != f.Kinds().Cluster {
			continue
		}
		p := parts{flavor: f}
		err := p.read(ctx, reader, w.Namespace, w.Name, w.Name)
		if meta.IsNoMatchError(err) && w.Flavor == "" {
			continue
		}
		if err != nil || w.Flavor != "" || p.infrastructure != nil || p.controlPlane != nil {
			return p, err
		}
	}
	return parts{}, nil
}

func (p *parts) read(ctx context.Context, reader client.Reader, namespace, infrastructure, plane string) error {
	var err error
	if p.infrastructure, err = readOne(ctx, reader, infrastructureOf(p.flavor), namespace, infrastructure); err != nil {
		return err
	}
	if p.controlPlane, err = readOne(ctx, reader, p.flavor.Kinds().ControlPlane, namespace, plane); err != nil {
		return err
	}
	p.related, err = readRelated(ctx, reader, p.flavor, p.controlPlane)
	return err
}

func infrastructureOf(f Flavor) schema.GroupVersionKind {
	return f.Kinds().ControlPlane.GroupVersion().WithKind(f.Kinds().Cluster)
}

// readOne is nil for an object that does not exist.
func readOne(ctx context.Context, reader client.Reader, kind schema.GroupVersionKind, namespace, name string) (*unstructured.Unstructured, error) {
	o, key := empty(kind), types.NamespacedName{Namespace: namespace, Name: name}
	found, err := get(ctx, reader, key, o)
	switch {
	case err != nil:
		return nil, fmt.Errorf("read %s %s: %w", kind.Kind, key, err)
	case !found:
		return nil, nil
	}
	return o, nil
}

func isOurs(o client.Object, workloadCluster string) bool {
	if u, is := o.(*unstructured.Unstructured); is && u == nil {
		return false
	}
	return o.GetLabels()[fleetwrightv1.LabelWorkloadCluster] == workloadCluster
}

func (s *ClusterState) readCluster(cluster *clusterv1.Cluster) {
	s.UID, s.Created, s.Ours = cluster.UID, cluster.CreationTimestamp.Time, isOurs(cluster, cluster.Name)
	s.Topology, s.Made = cluster.Spec.Topology.IsDefined(), cluster.Spec.ControlPlaneEndpoint.IsValid()
	if blocks := cluster.Spec.ClusterNetwork.Pods.CIDRBlocks; len(blocks) > 0 {
		s.Pods = blocks[0]
	}
	if blocks := cluster.Spec.ClusterNetwork.Services.CIDRBlocks; len(blocks) > 0 {
		s.Services = blocks[0]
	}
	if probe := meta.FindStatusCondition(cluster.Status.Conditions, clusterv1.ClusterRemoteConnectionProbeCondition); probe != nil {
		s.Reachable, s.ReachableSince = probe.Status == metav1.ConditionTrue, probe.LastTransitionTime.Time
	}
	if deleting := meta.FindStatusCondition(cluster.Status.Conditions, clusterv1.ClusterDeletingCondition); deleting != nil && deleting.Status == metav1.ConditionTrue {
		s.DeletingWords = deleting.Message
	}
}

// names are those of the objects that are there.
func (p *parts) names() Names {
	var out Names
	if p.infrastructure != nil {
		out.Infrastructure = p.infrastructure.GetName()
		if group := resourceOf(p.infrastructure, asoGroupKind); group != nil {
			out.ResourceGroup = group.GetName()
		}
	}
	if p.controlPlane != nil {
		out.ControlPlane = p.controlPlane.GetName()
		if managedCluster := resourceOf(p.controlPlane, asoManagedCluster.Kind); managedCluster != nil {
			out.ManagedCluster = managedCluster.GetName()
		}
	}
	if p.cluster != nil { // it names them also while they are not there
		out.Infrastructure, out.ControlPlane = p.cluster.Spec.InfrastructureRef.Name, p.cluster.Spec.ControlPlaneRef.Name
	}
	return out
}

// resourceOf is the resource of that key in spec.resources, nil for none.
func resourceOf(o *unstructured.Unstructured, key string) *unstructured.Unstructured {
	if resource := keyed(treeAt(o, "spec")).resources[key]; resource != nil {
		return &unstructured.Unstructured{Object: resource}
	}
	return nil
}

// compare says what ApplyCluster would change, whether it would write, and what it cannot change.
func (s *ClusterState) compare(p parts, w Wish) error {
	w.Names = p.names()
	objects, err := WishedObjects(w)
	if err != nil {
		return err
	}
	for _, wished := range objects {
		there, err := p.of(wished.Kind)
		if err != nil {
			return err
		}
		merged, changed, err := wished.Merged(there)
		if err != nil {
			return err
		}
		s.Changes, s.Fixed = append(s.Changes, changed...), append(s.Fixed, wished.Fixed(there)...)
		s.Unmarked = s.Unmarked || !equality.Semantic.DeepEqual(there, merged)
	}
	s.Unmarked = s.Unmarked && len(s.Changes) == 0
	return nil
}

// of is the object of that kind as a tree, nil for none.
func (p *parts) of(kind string) (map[string]any, error) {
	switch {
	case kind == "Cluster" && p.cluster != nil:
		cluster := p.cluster.DeepCopy()
		cluster.TypeMeta = metav1.TypeMeta{APIVersion: clusterv1.GroupVersion.String(), Kind: "Cluster"}
		return runtime.DefaultUnstructuredConverter.ToUnstructured(cluster)
	case p.infrastructure != nil && p.infrastructure.GetKind() == kind:
		return p.infrastructure.Object, nil
	case p.controlPlane != nil && p.controlPlane.GetKind() == kind:
		return p.controlPlane.Object, nil
	}
	return nil, nil
}
