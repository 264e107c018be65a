// Package quickstart holds the example that the demo runs: one resource that yields a cluster.
package quickstart

import "embed"

// Manifests has the cluster at the top, what clusters have in common in the folder platform, and what runs on the cluster in the folder workload.
//
//go:embed *.yaml platform/*.yaml workload/*.yaml
var Manifests embed.FS
