package capi

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	utiljson "k8s.io/apimachinery/pkg/util/json"
)

// ErrOwned is wrapped when an override is of a field that is not for overrides.
var ErrOwned = errors.New("it is not for overrides")

// ownedOverrides are kept apart by their owners: CAPZ takes agent pools, version, ranges and credentials from other objects and applies nothing
// while the managed cluster names others; AzureClusterAutoscaler has its profile; the rest are fields of a WorkloadCluster, or names.
var ownedOverrides = []string{
	"agentPoolProfiles",
	"autoScalerProfile",
	"azureName",
	"kubernetesVersion",
	"location",
	"networkProfile.dnsServiceIP",
	"networkProfile.networkDataplane",
	"networkProfile.networkPlugin",
	"networkProfile.networkPluginMode",
	"networkProfile.outboundType",
	"networkProfile.podCidr",
	"networkProfile.podCidrs",
	"networkProfile.serviceCidr",
	"networkProfile.serviceCidrs",
	"nodeResourceGroup",
	"operatorSpec",
	"owner",
	"sku.tier",
	"tags",
}

// OwnedOverrides are the keys of a managed cluster's spec that providerOverrides may not have, as paths.
func OwnedOverrides() []string { return slices.Clone(ownedOverrides) }

// owned is the first of the owned paths that a tree has a word on, empty for none. What takes the place of an object with owned fields has one too.
func owned(tree map[string]any) string {
	for _, path := range ownedOverrides {
		at := tree
		parts := strings.Split(path, ".")
		for i, part := range parts {
			value, said := at[part]
			if !said {
				break
			}
			below, isTree := value.(map[string]any)
			if i == len(parts)-1 || !isTree {
				return path
			}
			at = below
		}
	}
	return ""
}

func refuseOwned(overrides map[string]any) error {
	if path := owned(overrides); path != "" {
		return fmt.Errorf("providerOverrides has %s: %w", path, ErrOwned)
	}
	return nil
}

// oneName takes the usual dnsPrefix out where overrides have fqdnSubdomain, as a private cluster may: AKS refuses both.
func oneName(overrides map[string]any) map[string]any {
	_, said := overrides["dnsPrefix"]
	if overrides["fqdnSubdomain"] == nil || said {
		return overrides
	}
	out := maps.Clone(overrides)
	out["dnsPrefix"] = nil
	return out
}

// overridden puts overrides into what is wished for, and into what is there at creation: there null takes a field out.
func overridden(spec, first, overrides map[string]any) {
	for key, value := range overrides {
		tree, isTree := value.(map[string]any)
		switch {
		case value == nil:
			delete(first, key)
			delete(spec, key)
		case isTree:
			below, _ := spec[key].(map[string]any)
			if below == nil {
				below = map[string]any{}
			}
			begun, _ := first[key].(map[string]any)
			if begun == nil {
				begun = map[string]any{}
			}
			overridden(below, begun, tree)
			spec[key] = below
		default:
			spec[key] = value
		}
	}
}

// mergeOver merges so that null stays, for a patch that another one applies.
func mergeOver(into, more map[string]any) {
	for key, value := range more {
		tree, isTree := value.(map[string]any)
		if !isTree {
			into[key] = value
			continue
		}
		below, _ := into[key].(map[string]any)
		if below == nil {
			below = map[string]any{}
		}
		mergeOver(below, tree)
		into[key] = below
	}
}

// plain is the tree with numbers as the API server's objects have them.
func plain(tree map[string]any) (map[string]any, error) {
	text, err := json.Marshal(tree)
	if err != nil {
		return nil, err
	}
	var out map[string]any
	err = utiljson.Unmarshal(text, &out)
	return out, err
}
