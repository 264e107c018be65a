package effective

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

// contradicted are the fields of a pool that go when a layer above says what cannot be true together with them. Without it, a default for all
// pools could not be departed from in one of them.
func contradicted(below, above tree) [][]string {
	var out [][]string
	if above["replicas"] != nil {
		out = append(out, []string{"scaling"})
	}
	if above["scaling"] != nil {
		out = append(out, []string{"replicas"})
	}
	if above["type"] == "Regular" {
		out = append(out, []string{"spot"})
	}
	if family := at(above, "os", "type"); family != nil && family != linuxUnless(at(below, "os", "type")) {
		out = append(out, []string{"os", "sku"})
	}
	if above["mode"] == "System" && at(below, "replacement", "soakMode") == "ScaledToZero" {
		out = append(out, []string{"replacement", "soakMode"})
	}
	return out
}

func linuxUnless(family any) any {
	if family == nil {
		return "Linux"
	}
	return family
}

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
