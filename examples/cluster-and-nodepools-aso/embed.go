// Package clusterandnodepoolsaso holds the example of package clusterandnodepools with the kinds AzureASOManaged*. Its Nodepools are the same.
package clusterandnodepoolsaso

import "embed"

// Manifests has the management cluster's objects.
//
//go:embed *.yaml
var Manifests embed.FS
