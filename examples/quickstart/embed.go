// Package quickstart holds the example that the demo runs.
package quickstart

import "embed"

// Manifests has the management cluster's objects at the top and those of the workload cluster in the folder workload.
//
//go:embed *.yaml workload/*.yaml
var Manifests embed.FS
