package capi

import (
	"context"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/fleetwright/fleetwright/internal/agentpool"
)

// Flavor is one provider's way to hold clusters and node pools in Cluster API.
// What all have in common (the Cluster, the MachinePool, its version and number
// of replicas, Fleetwright's marks on both objects) is not its business.
type Flavor interface {
	Kinds() Kinds
	// Related is an empty object of the name and kind that tells more of a control
	// plane or a pool, or nil. It may be missing.
	Related(o *unstructured.Unstructured) *unstructured.Unstructured
	// ReadControlPlane fills in what a control plane, and the object related to it
	// or nil, tell of a cluster.
	ReadControlPlane(c *Cluster, plane, related *unstructured.Unstructured)
	// Read is what a pool, and the object related to it or nil, tell.
	Read(infra, related *unstructured.Unstructured) Reading
	// Build fills in the spec of a pool to be made, all of it but what SetInPlace,
	// SetOwned and SetScaling write afterwards.
	Build(infra *unstructured.Unstructured, c Cluster, p NewPool)
	// SetInPlace writes the fields that are changed without touching a node, except
	// the autoscaler's bounds. Fleetwright's own label and tags are added afterwards.
	SetInPlace(infra *unstructured.Unstructured, s agentpool.Spec)
	// SetOwned adds Fleetwright's own label and tags to those that are there.
	SetOwned(infra *unstructured.Unstructured, o Owned)
	// SetScaling writes the autoscaler's bounds, nil for no autoscaler.
	SetScaling(infra *unstructured.Unstructured, s *agentpool.Scaling)
	// Pin has Azure asked for that number of nodes or for none, whatever the
	// MachinePool says; nil leaves the word to the MachinePool again.
	Pin(infra *unstructured.Unstructured, count *int32)
	// LeaveCount has Azure asked for no number of nodes at all, for a pool that has
	// some and whose autoscaler chooses it; Pin takes that back.
	LeaveCount(infra *unstructured.Unstructured)
}

// Kinds are what a flavour calls its objects; Related are the kinds that its
// method of that name speaks of.
type Kinds struct {
	Cluster            string
	ControlPlane, Pool schema.GroupVersionKind
	Related            []schema.GroupVersionKind
}

// Owned is what Fleetwright itself adds to a pool's labels and tags.
type Owned struct{ BaseName, Fingerprint, Owner string }

// Reading is what a flavour's objects tell of a pool.
type Reading struct {
	// Name is the provider's name of the pool, PoolID its id in the cloud; empty
	// what is not said.
	Name, PoolID string
	// SubnetID and PodSubnetID are the ids of its subnets, where the cloud says them.
	SubnetID, PodSubnetID string
	ProviderIDs           []string
	// Ready is the contract's field, Made stands in for it when it is taken back
	// from a pool that exists.
	Ready, Made bool
	Spec        agentpool.Spec
	// PublicName is the value of label fleetwright.io/nodepool on its nodes, empty for none.
	PublicName string
	Progress   Progress
	// Pinned is the number of nodes of Pin; CountLeft is true after LeaveCount where
	// that shows.
	Pinned    *int32
	CountLeft bool
}

// exists is true when Azure has the pool, see Pool.Made.
func (r Reading) exists() bool { return r.Ready || r.Made || len(r.ProviderIDs) > 0 }

// flavors are those that the operator supports.
var flavors = []Flavor{AzureManaged{}, AzureASOManaged{}}

// Flavors are those that the operator supports.
func Flavors() []Flavor { return slices.Clone(flavors) }

// flavorOfCluster is the flavour of these kinds of infrastructure and control
// plane, nil when it is not supported.
func flavorOfCluster(infrastructure, controlPlane string) Flavor {
	for _, f := range flavors {
		if k := f.Kinds(); k.Cluster == infrastructure && k.ControlPlane.Kind == controlPlane {
			return f
		}
	}
	return nil
}

// flavorOfPool is the flavour of this kind of pool, nil when it is not supported.
func flavorOfPool(kind string) Flavor {
	for _, f := range flavors {
		if f.Kinds().Pool.Kind == kind {
			return f
		}
	}
	return nil
}

// Served are empty objects of every kind in which a cluster's pools change, for
// watches: of Cluster API itself, and of those flavours whose definitions the
// API server has. When it has none, those of the first are among them, so that
// who watches them says what is missing. A flavour installed later needs a
// restart.
func Served(mapper meta.RESTMapper) ([]client.Object, error) {
	out := clusterAPIObjects()
	var found bool
	for _, f := range flavors {
		var of []client.Object
		k := f.Kinds()
		for _, kind := range append([]schema.GroupVersionKind{k.ControlPlane, k.Pool}, k.Related...) {
			_, err := mapper.RESTMapping(kind.GroupKind(), kind.Version)
			switch {
			case err == nil:
				of = append(of, empty(kind))
			case !meta.IsNoMatchError(err):
				return nil, fmt.Errorf("ask whether the API server has %s: %w", kind.Kind, err)
			}
		}
		out = append(out, of...)
		found = found || len(of) > 0
	}
	if !found {
		k := flavors[0].Kinds()
		out = append(out, empty(k.ControlPlane), empty(k.Pool))
	}
	return out, nil
}

// readRelated reads the object that tells more of o; nil when there is none.
func readRelated(ctx context.Context, reader client.Reader, f Flavor, o *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	if o == nil {
		return nil, nil
	}
	related := f.Related(o)
	if related == nil {
		return nil, nil
	}
	key := client.ObjectKeyFromObject(related)
	key.Namespace = o.GetNamespace()
	if err := reader.Get(ctx, key, related); err != nil {
		if apierrors.IsNotFound(err) || meta.IsNoMatchError(err) {
			return nil, nil
		}
		return nil, fmt.Errorf("read %s %s: %w", related.GetKind(), key, err)
	}
	return related, nil
}

// listPools lists the infrastructure pools of a namespace, of the cluster's
// flavour or, when that is not known, of every one that is installed.
func (c Cluster) listPools(ctx context.Context, reader client.Reader) (map[poolKey]*unstructured.Unstructured, error) {
	out := map[poolKey]*unstructured.Unstructured{}
	for _, f := range flavors {
		kind := f.Kinds().Pool
		if c.Flavor != "" && kind.Kind != c.Flavor {
			continue
		}
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(kind.GroupVersion().WithKind(kind.Kind + "List"))
		if err := reader.List(ctx, list, client.InNamespace(c.Namespace)); err != nil {
			if c.Flavor == "" && meta.IsNoMatchError(err) {
				continue
			}
			return nil, fmt.Errorf("list %ss of %s/%s: %w", kind.Kind, c.Namespace, c.Name, err)
		}
		for i := range list.Items {
			out[poolKey{kind.Kind, list.Items[i].GetName()}] = &list.Items[i]
		}
	}
	return out, nil
}

type poolKey struct{ kind, name string }

// flavorNames says which pairs of kinds are supported.
func flavorNames() string {
	names := make([]string, 0, len(flavors))
	for _, f := range flavors {
		names = append(names, f.Kinds().Cluster+" and "+f.Kinds().ControlPlane.Kind)
	}
	return strings.Join(names, ", or ")
}
