//go:build tools

// Package capz pins the real Cluster API Provider Azure, so that its manager
// is built from its Go module.
package capz

import _ "sigs.k8s.io/cluster-api-provider-azure"
