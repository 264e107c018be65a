// Package config holds the operator's generated definitions and rights, for programs that install them.
package config

import "embed"

// Manifests has the folders crd (CustomResourceDefinitions) and rbac (the ClusterRole "fleetwright").
//
//go:embed crd/*.yaml rbac/*.yaml
var Manifests embed.FS
