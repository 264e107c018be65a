package capi

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// ClusterObject is an empty Cluster, for a watch.
func ClusterObject() client.Object { return &clusterv1.Cluster{} }

// ServedControlPlanes are empty objects of the kinds in which a cluster's control plane tells of itself, of those flavours whose
// definitions the API server has, for watches. A flavour installed later needs a restart.
func ServedControlPlanes(mapper meta.RESTMapper) ([]client.Object, error) {
	var out []client.Object
	for _, f := range flavors {
		k := f.Kinds()
		kinds := []schema.GroupVersionKind{k.ControlPlane}
		for _, related := range k.Related {
			if related.Kind == asoManagedCluster.Kind {
				kinds = append(kinds, related)
			}
		}
		for _, kind := range kinds {
			_, err := mapper.RESTMapping(kind.GroupKind(), kind.Version)
			switch {
			case err == nil:
				out = append(out, empty(kind))
			case !meta.IsNoMatchError(err):
				return nil, fmt.Errorf("ask whether the API server has %s: %w", kind.Kind, err)
			}
		}
	}
	return out, nil
}
