package effective

import (
	"fmt"
	"slices"
	"strings"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// nodepools are the problems of the pools, which the API server can only see once they are put together.
func nodepools(spec fleetwrightv1.WorkloadClusterTemplate) []string {
	if len(spec.Nodepools) == 0 {
		return []string{"nodepools are set neither here nor in the class: a cluster needs one with mode System"}
	}
	var out []string
	if !slices.ContainsFunc(spec.Nodepools, func(p fleetwrightv1.WorkloadClusterNodepool) bool {
		return p.Spec.Mode == fleetwrightv1.NodepoolModeSystem
	}) {
		out = append(out, "no pool of nodepools has mode System, and AKS needs one for the cluster's own pods: set it in one of them")
	}
	var first int32
	for _, p := range spec.Nodepools {
		for _, problem := range nodepool(p.Spec) {
			out = append(out, fmt.Sprintf("nodepools[%s].spec.%s", p.Name, problem))
		}
		first += begins(p.Spec)
	}
	if limit := spec.Limits.MaxNodes; first > limit {
		out = append(out, fmt.Sprintf("nodepools begin with %d nodes and limits.maxNodes is %d: raise it, or lower replicas or scaling.min", first, limit))
	}
	return out
}

func nodepool(p fleetwrightv1.NodepoolTemplateSpec) []string {
	var out []string
	if p.MachineType == "" {
		out = append(out, "machineType is set neither in the pool nor in nodepoolDefaults: set it, for example Standard_D8ds_v5")
	}
	if p.Spot != (fleetwrightv1.NodepoolSpot{}) && p.Type != fleetwrightv1.NodepoolTypeSpot {
		out = append(out, "spot needs type Spot: set type, or leave spot out")
	}
	windows := p.OS.Type == fleetwrightv1.OSTypeWindows
	if sku := p.OS.SKU; sku != "" && windows != strings.HasPrefix(sku, "Windows") {
		out = append(out, fmt.Sprintf("os.sku %s does not belong to os.type: set both", sku))
	}
	if p.Mode != fleetwrightv1.NodepoolModeSystem {
		return out
	}
	if p.Type == fleetwrightv1.NodepoolTypeSpot {
		out = append(out, "type Spot does not go with mode System: AKS runs system pods on Regular nodes only")
	}
	if windows {
		out = append(out, "os.type Windows does not go with mode System: AKS runs system pods on Linux")
	}
	if (p.Replicas != nil && *p.Replicas == 0) || (p.Scaling.Min != nil && *p.Scaling.Min == 0) {
		out = append(out, "mode System needs at least 1 node: raise replicas or scaling.min")
	}
	if p.Replacement.SoakMode == fleetwrightv1.SoakModeScaledToZero {
		out = append(out, "replacement.soakMode ScaledToZero does not go with mode System: set Cordoned")
	}
	return out
}

// begins is with how many nodes the pool is made.
func begins(p fleetwrightv1.NodepoolTemplateSpec) int32 {
	switch {
	case p.Replicas != nil:
		return *p.Replicas
	case p.Scaling.Min != nil:
		return *p.Scaling.Min
	default:
		return 1
	}
}
