package capi

import (
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// NewCluster is an empty Cluster, for the watches of those who only wait for one.
func NewCluster() client.Object { return &clusterv1.Cluster{} }
