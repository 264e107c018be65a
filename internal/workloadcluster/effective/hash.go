package effective

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// hash is short for what the clusters of one kind have in common, so that whoever looks at a hundred of them sees which one differs: without
// names, addresses and what the clusters were adopted from. Objects of JSON are written sorted by their keys, and what is not set is not
// written, so that a field that is added to the API changes no hash.
func hash(spec fleetwrightv1.WorkloadClusterTemplate) (string, error) {
	same, err := treeOf(spec)
	if err != nil {
		return "", fmt.Errorf("reading what class and spec amount to: %w", err)
	}
	for field, own := range map[string]string{"azure": "resourceGroup", "tenancy": "tenant"} {
		if object, ok := same[field].(tree); ok {
			delete(object, own)
		}
	}
	for list, own := range map[string]string{"nodepools": "machinePools", "network.addresses": "cidr"} {
		all, _ := at(same, strings.Split(list, ".")...).(entries)
		for _, entry := range all {
			delete(entry.(tree), own)
		}
	}
	inOneOrder(same)
	data, err := json.Marshal(listed(same))
	if err != nil {
		return "", fmt.Errorf("writing what class and spec amount to: %w", err)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:4]), nil
}

// inOneOrder sorts the lists in which the order says nothing.
func inOneOrder(spec tree) {
	for list, paths := range map[string][][]string{"nodepools": {{"spec", "zones"}, {"spec", "taints"}}, "addons": {{"after"}}} {
		all, _ := spec[list].(entries)
		for _, entry := range all {
			for _, path := range paths {
				values, _ := at(entry.(tree), path...).([]any)
				slices.SortFunc(values, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
			}
		}
	}
}
