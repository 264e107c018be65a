package capi

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/types"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// ReadClusterLabels reads the labels of all Clusters that the options select.
func ReadClusterLabels(ctx context.Context, reader client.Reader, options ...client.ListOption) (map[types.NamespacedName]map[string]string, error) {
	var list clusterv1.ClusterList
	if err := reader.List(ctx, &list, options...); err != nil {
		return nil, fmt.Errorf("list Clusters: %w", err)
	}
	out := make(map[types.NamespacedName]map[string]string, len(list.Items))
	for i := range list.Items {
		out[client.ObjectKeyFromObject(&list.Items[i])] = list.Items[i].Labels
	}
	return out, nil
}
