// Package quickstartaso holds the example of package quickstart with the kinds AzureASOManaged*. Its Nodepools are the same
// and its workload is that one.
package quickstartaso

import "embed"

// Manifests has the management cluster's objects.
//
//go:embed *.yaml
var Manifests embed.FS
