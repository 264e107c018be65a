package effective

import (
	"slices"
	"strings"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// Defaults that the code puts in where neither class nor cluster says anything. What has none here is left to Azure.
const (
	defaultFlavor      = fleetwrightv1.WorkloadClusterFlavorASO
	defaultNetworkMode = fleetwrightv1.NetworkModeOverlay
	defaultTenancyMode = fleetwrightv1.TenancyModeShared
	defaultGroupPolicy = fleetwrightv1.ResourceGroupPolicyKeep
	defaultMaxNodes    = 950
)

// defaults puts in what nobody said. They are the lowest layer, and come last because one of them depends on what was said.
func (m merging) defaults(merged tree, name string) {
	m.fill(merged, string(defaultFlavor), "flavor")
	m.fill(merged, name, "azure", "resourceGroup")
	m.fill(merged, string(defaultNetworkMode), "network", "mode")
	m.fill(merged, string(defaultTenancyMode), "tenancy", "mode")
	m.fill(merged, defaultMaxNodes, "limits", "maxNodes")
	// With the other flavour CAPZ deletes a group that it made, and nobody is asked.
	if merged["flavor"] == string(fleetwrightv1.WorkloadClusterFlavorASO) {
		m.fill(merged, string(defaultGroupPolicy), "azure", "resourceGroupPolicy")
	}
}

func (m merging) fill(merged tree, value any, path ...string) {
	parent := merged
	for i, field := range path[:len(path)-1] {
		child, ok := parent[field].(tree)
		if !ok {
			child = tree{}
			parent[field] = child
		}
		delete(m.sources, strings.Join(path[:i+1], "."))
		parent = child
	}
	last := path[len(path)-1]
	if parent[last] == nil {
		parent[last] = value
		m.sources[strings.Join(path, ".")] = Default
	}
}

// pools are those of the class and of the cluster, each with the defaults of both in it.
func (m merging) pools(class, cluster tree) entries {
	shared, _ := class["nodepools"].(entries)
	own, _ := cluster["nodepools"].(entries)
	out := entries{}
	for _, side := range []entries{shared, own} {
		for name := range side {
			out[name] = m.pool(name, class, cluster)
		}
	}
	return out
}

func (m merging) pool(name string, class, cluster tree) tree {
	path := "nodepools[" + name + "]"
	out, spec := tree{"name": name}, tree{}
	m.sources[path+".name"] = Cluster
	if entry(class, name) != nil {
		m.sources[path+".name"] = ClassPool
	}
	for _, side := range []struct {
		layer Layer
		from  any
	}{
		{ClassPoolDefaults, class["nodepoolDefaults"]},
		{ClusterPoolDefaults, cluster["nodepoolDefaults"]},
		{ClassPool, at(entry(class, name), "spec")},
		{Cluster, at(entry(cluster, name), "spec")},
	} {
		if from, ok := side.from.(tree); ok {
			m.merge(spec, from, path+".spec", "pool", side.layer)
		}
	}
	m.settle(spec, path+".spec")
	if len(spec) > 0 {
		out["spec"] = spec
	}
	m.merge(out, without(entry(class, name), "spec", "name"), path, "nodepools", ClassPool)
	m.merge(out, without(entry(cluster, name), "spec", "name"), path, "nodepools", Cluster)
	return out
}

// entry is a pool of one side, nil without one.
func entry(side tree, name string) tree {
	pools, _ := side["nodepools"].(entries)
	out, _ := pools[name].(tree)
	return out
}

// settle takes out of a pool what a layer above contradicts.
func (m merging) settle(pool tree, path string) {
	for _, c := range contradictions {
		field, other := at(pool, c.field...), at(pool, c.other...)
		if field == nil || other == nil || !c.holds(field, other) {
			continue
		}
		if m.highest(path, c.field) > m.highest(path, c.other) {
			m.takeOut(pool, path, c.other...)
		}
	}
}

// highest is the place of the layer that said the last word about a field.
func (m merging) highest(path string, field []string) int {
	for _, name := range field {
		path = join(path, name)
	}
	out := -1
	for p, layer := range m.sources {
		if p == path || strings.HasPrefix(p, path+".") {
			out = max(out, slices.Index(layers, layer))
		}
	}
	return out
}

func (m merging) takeOut(from tree, path string, fields ...string) {
	for ; len(fields) > 1; fields = fields[1:] {
		path = join(path, fields[0])
		from, _ = from[fields[0]].(tree)
	}
	m.drop(from, join(path, fields[0]), fields[0])
}

// withV lets all versions begin with v, as Cluster API has them: v1.34.2 and 1.34.2 are the same.
func withV(merged tree) {
	prefix := func(t tree) {
		if version, ok := t["version"].(string); ok && !strings.HasPrefix(version, "v") {
			t["version"] = "v" + version
		}
	}
	prefix(merged)
	pools, _ := merged["nodepools"].(entries)
	for _, pool := range pools {
		if spec, ok := at(pool.(tree), "spec").(tree); ok {
			prefix(spec)
		}
	}
}
