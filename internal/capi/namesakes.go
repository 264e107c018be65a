package capi

import (
	"context"
	"fmt"

	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// ReadNamesakes are the namespaces that have a Cluster of that name. The option makes less of the list, where the reader can.
func ReadNamesakes(ctx context.Context, reader client.Reader, name string, find client.ListOption) ([]string, error) {
	var list clusterv1.ClusterList
	if err := reader.List(ctx, &list, find); err != nil {
		return nil, fmt.Errorf("list Clusters of the name %s: %w", name, err)
	}
	var out []string
	for i := range list.Items {
		if list.Items[i].Name == name {
			out = append(out, list.Items[i].Namespace)
		}
	}
	return out, nil
}
