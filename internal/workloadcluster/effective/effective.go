// Package effective says what a WorkloadCluster amounts to: its class, its own spec and the defaults, merged, and where each value comes from.
// It is a function of values.
package effective

import (
	"encoding/json"
	"fmt"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// Layer is where a value comes from. Later ones win.
type Layer string

// The layers, in their order. For a pool all but the first count, for the rest the first, second and last.
const (
	Default             Layer = "default"
	Class               Layer = "class"
	ClassPoolDefaults   Layer = "class nodepoolDefaults"
	ClusterPoolDefaults Layer = "cluster nodepoolDefaults"
	ClassPool           Layer = "class nodepool"
	Cluster             Layer = "cluster"
)

var layers = []Layer{Default, Class, ClassPoolDefaults, ClusterPoolDefaults, ClassPool, Cluster}

// Effective is the result.
type Effective struct {
	// Spec has every value that counts. Its nodepools have their defaults in them, and nodepoolDefaults is empty. Lists with a key are sorted by
	// it, and versions begin with v.
	Spec fleetwrightv1.WorkloadClusterTemplate
	// Sources tells of each value where it comes from, by its path: nodepools[general].spec.machineType. What is merged as a whole, such as a list
	// of zones or an add-on, is one value.
	Sources map[string]Layer
	// Hash is 8 hex digits of the SHA-256 of Spec as canonical JSON, without azure.resourceGroup, tenancy.tenant, nodepools[].machinePools and cidrs.
	Hash string
}

// Of merges. class is nil for a cluster without one. A name in the class that is looked for in the referring object's namespace is looked for in
// the class's.
func Of(class *fleetwrightv1.WorkloadClusterClass, cluster *fleetwrightv1.WorkloadCluster) (Effective, error) {
	own, err := treeOf(cluster.Spec.WorkloadClusterTemplate)
	if err != nil {
		return Effective{}, fmt.Errorf("reading the spec: %w", err)
	}
	shared := tree{}
	if class != nil {
		if shared, err = treeOf(class.Spec.Template); err != nil {
			return Effective{}, fmt.Errorf("reading class %s/%s: %w", class.Namespace, class.Name, err)
		}
		anchor(shared, class.Namespace)
	}

	m := merging{sources: map[string]Layer{}}
	merged := tree{}
	m.merge(merged, without(shared, "nodepools", "nodepoolDefaults"), "", "", Class)
	m.merge(merged, without(own, "nodepools", "nodepoolDefaults"), "", "", Cluster)
	m.defaults(merged, cluster.Name)
	if pools := m.pools(shared, own); len(pools) > 0 {
		merged["nodepools"] = pools
	}
	withV(merged)

	out := Effective{Sources: m.sources}
	data, err := json.Marshal(listed(merged))
	if err != nil {
		return Effective{}, fmt.Errorf("writing what class and spec amount to: %w", err)
	}
	if err := json.Unmarshal(data, &out.Spec); err != nil {
		return Effective{}, fmt.Errorf("reading what class and spec amount to: %w", err)
	}
	out.Hash, err = hash(out.Spec)
	return out, err
}

// Problem is what is impossible whatever the world is like.
type Problem struct {
	// Reason is InvalidSpec or OverrideConflict; Message names the field, the value and what to do.
	Reason, Message string
}
