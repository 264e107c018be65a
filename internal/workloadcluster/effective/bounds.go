package effective

import (
	"fmt"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// What the API takes of each list. Class and cluster may each have so many, and together more; what is made of them may not, and neither may the
// status that tells of them.
const (
	mostNodepools       = 24
	mostAddons          = 32
	mostTags            = 40
	mostRegistries      = 32
	mostRoleAssignments = 63 // and the one for the cluster's own network
	mostLabels          = 64
	mostTaints          = 32
)

// bounded are the lists that have grown too long by being put together.
func bounded(spec fleetwrightv1.WorkloadClusterTemplate) []string {
	var out []string
	check := func(path string, has, most int) {
		if has > most {
			out = append(out, fmt.Sprintf("%s has %d entries, those of the class included, and may have %d: take some out", path, has, most))
		}
	}
	check("nodepools", len(spec.Nodepools), mostNodepools)
	check("addons", len(spec.Addons), mostAddons)
	check("azure.tags", len(spec.Azure.Tags), mostTags)
	check("additionalConfig.registries", len(spec.AdditionalConfig.Registries), mostRegistries)
	check("additionalConfig.roleAssignments", len(spec.AdditionalConfig.RoleAssignments), mostRoleAssignments)
	for i := range spec.Nodepools {
		p := &spec.Nodepools[i]
		path, labels, taints := fmt.Sprintf("nodepools[%s].spec.", p.Name), mostLabels, mostTaints
		if spec.Tenancy.Mode == fleetwrightv1.TenancyModeSingle { // the tenant's are added
			labels--
			if p.Spec.Mode != fleetwrightv1.NodepoolModeSystem {
				taints--
			}
		}
		check(path+"labels", len(p.Spec.Labels), labels)
		check(path+"taints", len(p.Spec.Taints), taints)
		check(path+"tags", len(p.Spec.Tags), mostTags)
	}
	return out
}
