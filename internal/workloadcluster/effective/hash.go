package effective

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
)

// hash is short for what the clusters of one kind have in common, so that whoever looks at a hundred of them sees which one differs: without
// names, addresses and what the clusters were adopted from. Objects of JSON are written sorted by their keys, and what is not set is not
// written, so that a field that is added to the API changes no hash.
func hash(merged tree) (string, error) {
	same := maps.Clone(merged)
	for field, own := range map[string]string{"azure": "resourceGroup", "tenancy": "tenant"} {
		if object, ok := same[field].(tree); ok {
			same[field] = without(object, own)
		}
	}
	if pools, ok := same["nodepools"].(entries); ok {
		same["nodepools"] = lacking(pools, "machinePools")
	}
	if network, ok := same["network"].(tree); ok {
		if ranges, ok := network["addresses"].(entries); ok {
			network = maps.Clone(network)
			network["addresses"] = lacking(ranges, "cidr")
			same["network"] = network
		}
	}
	data, err := json.Marshal(listed(same))
	if err != nil {
		return "", fmt.Errorf("writing what class and spec amount to: %w", err)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:4]), nil
}

func lacking(from entries, field string) entries {
	out := entries{}
	for key, entry := range from {
		out[key] = without(entry.(tree), field)
	}
	return out
}
