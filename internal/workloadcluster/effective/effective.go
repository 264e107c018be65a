// Package effective says what a WorkloadCluster amounts to: its class, its own spec and the defaults, merged, and where each value comes from.
// It is a function of values.
package effective

import (
	"errors"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// Layer is where a value comes from. Later ones win.
type Layer string

// The layers, in their order. For a pool all six count, for the rest the first, second and last.
const (
	Default             Layer = "default"
	Class               Layer = "class"
	ClassPoolDefaults   Layer = "class nodepoolDefaults"
	ClusterPoolDefaults Layer = "cluster nodepoolDefaults"
	ClassPool           Layer = "class nodepool"
	Cluster             Layer = "cluster"
)

// Effective is the result.
type Effective struct {
	// Spec has every value that counts. Its nodepools have their defaults in them, and nodepoolDefaults is empty.
	Spec fleetwrightv1.WorkloadClusterTemplate
	// Sources tells of each value where it comes from, by its path: nodepools[general].spec.machineType.
	Sources map[string]Layer
	// Hash is 8 hex digits of the SHA-256 of Spec as canonical JSON, without azure.resourceGroup, tenancy.tenant, nodepools[].machinePools and cidrs.
	Hash string
}

// Of merges. class is nil for a cluster without one.
func Of(class *fleetwrightv1.WorkloadClusterTemplate, name string, cluster fleetwrightv1.WorkloadClusterTemplate) (Effective, error) {
	return Effective{}, errors.ErrUnsupported
}

// Problem is what is impossible whatever the world is like.
type Problem struct {
	// Reason is InvalidSpec or OverrideConflict; Message names the field, the value and what to do.
	Reason, Message string
}

// Problems are all of them, in the order in which people should read them.
func Problems(name string, e Effective) []Problem { return nil }
