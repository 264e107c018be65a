// Package crds holds the CustomResourceDefinitions and webhook configurations of Cluster API and its Azure provider, as
// those projects publish them in their Go modules, and installs them on a management API server.
//
// Nothing of theirs is copied into this repository: `go run ./crds/gen` (part of every make target that builds the local
// stack) reads the modules pinned in go.mod, checked against go.sum, and writes the git-ignored folder generated, which
// is embedded here. The package also builds when that folder is empty; then reading it fails and says what to run.
package crds

//go:generate go run ./gen
