package aks

import (
	"reflect"
	"slices"
	"strings"

	"github.com/fleetwright/fleetwright/internal/azure/sim/armjson"
)

// immutablePool are the agent pool properties that AKS refuses to change.
func immutablePool() []string {
	return []string{
		"vmSize", "osType", "osDiskSizeGB", "osDiskType", "kubeletDiskType", "maxPods", "type",
		"scaleSetPriority", "scaleSetEvictionPolicy", "spotMaxPrice",
		"availabilityZones", "vnetSubnetID", "podSubnetID", "podIPAllocationMode",
		"enableNodePublicIP", "nodePublicIPPrefixID", "enableUltraSSD", "enableEncryptionAtHost",
		"kubeletConfig", "linuxOSConfig", "proximityPlacementGroupID", "hostGroupID",
		"gpuInstanceProfile", "gpuProfile", "messageOfTheDay", "windowsProfile", "workloadRuntime",
	}
}

// implied are the values that AKS means where a pool shows none.
func implied() armjson.Object {
	return armjson.Object{"scaleSetPriority": PriorityRegular, "workloadRuntime": "OCIContainer"}
}

// CheckPoolChange refuses a PUT on an existing pool that names an immutable property with another value. Leaving a
// property out is no change; neither is another letter case or another order of zones.
func CheckPoolChange(current, request armjson.Object) error {
	for _, key := range immutablePool() {
		sent, ok := request[key]
		if !ok || sent == nil || same(current[key], sent) || current[key] == nil && same(implied()[key], sent) {
			continue
		}
		return notAllowed(key)
	}
	if armjson.String(current, "osType") == OSWindows && changes(current, request, "osSKU") {
		return notAllowed("osSKU")
	}
	return nil
}

func changes(current, request armjson.Object, key string) bool {
	sent, ok := request[key]
	return ok && sent != nil && !same(current[key], sent)
}

func same(have, sent any) bool {
	switch sent := sent.(type) {
	case string:
		have, _ := have.(string)
		return strings.EqualFold(have, sent)
	case bool:
		have, _ := have.(bool) // absent means false
		return have == sent
	case []any:
		have, _ := have.([]any)
		return reflect.DeepEqual(sorted(have), sorted(sent))
	case armjson.Object:
		have, _ := have.(armjson.Object)
		return sameObject(have, sent)
	default:
		return reflect.DeepEqual(have, sent)
	}
}

// sameObject compares the keys that were sent, so that a default AKS has filled in is no difference.
func sameObject(have, sent armjson.Object) bool {
	for key, value := range sent {
		if value != nil && !same(have[key], value) {
			return false
		}
	}
	return true
}

func sorted(list []any) []any {
	if len(list) == 0 {
		return nil
	}
	out := slices.Clone(list)
	slices.SortFunc(out, func(a, b any) int {
		x, _ := a.(string)
		y, _ := b.(string)
		return strings.Compare(x, y)
	})
	return out
}
