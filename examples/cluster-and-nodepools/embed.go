// Package clusterandnodepools holds the example of a cluster as Cluster API's users have it, with Nodepools.
package clusterandnodepools

import "embed"

// Manifests has the management cluster's objects at the top. In the folder registry is what makes the cluster's nodes pull from a private registry.
//
//go:embed *.yaml registry/*.yaml
var Manifests embed.FS
