package effective

import "strings"

// Everything is merged field by field, maps of strings key by key and providerOverrides as a JSON merge patch, but for what these tables name.
// Paths are of the template; those of a pool begin with "pool", wherever the pool's spec or its defaults are. The same table is in
// docs/workload-cluster-class.md.

// keyed are the lists that are merged entry by entry, with the field that tells the entries apart. An entry is replaced as a whole, but for
// nodepools, whose specs are merged.
var keyed = map[string]string{
	"addons": "name",
	"additionalConfig.maintenanceConfigurations": "type",
	"additionalConfig.registries":                "name",
	"additionalConfig.roleAssignments":           "name",
	"network.addresses":                          "name",
	"nodepools":                                  "name",
}

// whole are lists and structs that are replaced as a whole: half of one and half of the other would mean what nobody said.
var whole = map[string]bool{
	"azure.clusterIdentity":    true,
	"maintenance.windows":      true,
	"pool.drain.deadline":      true,
	"pool.drain.ladder":        true,
	"pool.drain.rules":         true,
	"pool.maintenance.windows": true,
	"pool.taints":              true,
	"pool.zones":               true,
}

// contradiction is about two fields of a pool that cannot be true together: if, then not other. Of two that stand in one pool, the one goes that
// comes from a lower layer: without it, a default for all pools could not be departed from in one of them. From one layer, both stay and are a
// problem.
type contradiction struct {
	field []string
	other []string
	// holds is whether the two, which are there, contradict each other.
	holds func(field, other any) bool
}

var contradictions = []contradiction{
	{[]string{"replicas"}, []string{"scaling"}, always},
	{[]string{"scaling"}, []string{"replicas"}, always},
	{[]string{"type"}, []string{"spot"}, func(kind, _ any) bool { return kind == "Regular" }},
	{[]string{"os", "type"}, []string{"os", "sku"}, func(family, sku any) bool {
		return strings.HasPrefix(sku.(string), "Windows") != (family == "Windows")
	}},
	{[]string{"mode"}, []string{"replacement", "soakMode"}, func(mode, soak any) bool { return mode == "System" && soak == "ScaledToZero" }},
}

func always(any, any) bool { return true }

// anchor tells the names in a class, that are looked for in the referring object's namespace if they tell none, the class's.
func anchor(class tree, namespace string) {
	for _, reference := range append([]any{at(class, "azure", "clusterIdentity")}, poolRefs(class)...) {
		if r, ok := reference.(tree); ok && r["namespace"] == nil {
			r["namespace"] = namespace
		}
	}
}

func poolRefs(class tree) []any {
	var out []any
	ranges, _ := at(class, "network", "addresses").(entries)
	for _, r := range ranges {
		out = append(out, r.(tree)["poolRef"])
	}
	return out
}
