package aks

import (
	"regexp"
	"slices"
	"strings"

	"github.com/fleetwright/fleetwright/internal/azure/sim/armerr"
)

var (
	poolName   = regexp.MustCompile(`^[a-z][a-z0-9]{0,11}$`)
	labelKey   = regexp.MustCompile(`^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$`)
	labelValue = regexp.MustCompile(`^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$`)
)

// CheckPoolName refuses names AKS refuses: lower-case letters and digits, a letter first, 12 at most, 6 on Windows.
func CheckPoolName(name, osType string) error {
	if !poolName.MatchString(name) {
		return invalid("agentPoolProfile.name", "The value of parameter agentPoolProfile.name is invalid. Error details: Agent pool name %q must match %s. "+
			"Please see https://aka.ms/aks-naming-rules for more details.", name, poolName)
	}
	if strings.EqualFold(osType, OSWindows) && len(name) > 6 {
		return armerr.BadRequest("WindowsAgentPoolNameTooLong", "Windows agent pool name %q is too long: it can not be longer than 6 characters.", name).
			OnProperty("agentPoolProfile.name")
	}
	return nil
}

// CheckPool refuses a pool that is wrong in itself, whatever cluster it belongs to.
func CheckPool(p Pool) error {
	for _, check := range []func(Pool) error{
		checkEnums, checkOSSKU, checkMode, checkCount, checkAutoscaling, checkSizes, checkLabels, checkTaints,
	} {
		if err := check(p); err != nil {
			return err
		}
	}
	return CheckPoolName(p.Name, p.OSType)
}

func checkEnums(p Pool) error {
	for _, e := range []struct {
		property, value string
		allowed         []string
	}{
		{"type", p.Type, []string{"VirtualMachineScaleSets"}},
		{"mode", p.Mode, []string{ModeSystem, ModeUser}},
		{"osType", p.OSType, []string{OSLinux, OSWindows}},
		{"osDiskType", p.OSDiskType, []string{"Managed", "Ephemeral"}},
		{"scaleSetPriority", p.ScaleSetPriority, []string{"", PriorityRegular, PrioritySpot}},
	} {
		if !slices.Contains(e.allowed, e.value) {
			return invalid("properties."+e.property, "The value of parameter agentPoolProfile.%s is invalid: %q is not one of %s (the simulator knows no others).",
				e.property, e.value, strings.Join(e.allowed, ", "))
		}
	}
	return nil
}

// checkOSSKU refuses the system of one osType on the other, in the words AKS uses for any osSKU it does not expect there.
func checkOSSKU(p Pool) error {
	if strings.HasPrefix(p.OSSKU, "Windows") != (p.OSType == OSWindows) {
		return armerr.BadRequest("InvalidOSSKU", "OSSKU='%s' is invalid, details: Unrecognized OSSKU", p.OSSKU).OnProperty("properties.osSKU")
	}
	return nil
}

func checkMode(p Pool) error {
	if p.Mode != ModeSystem {
		return nil
	}
	if p.OSType != OSLinux {
		return armerr.BadRequest("SystemPoolMustBeLinux", "System node pool %q must have osType Linux.", p.Name).OnProperty("properties.osType")
	}
	if p.ScaleSetPriority == PrioritySpot {
		return armerr.BadRequest("SystemPoolMustBeRegular", "System node pool %q must have scaleSetPriority Regular: spot virtual machines can be evicted at any time.", p.Name).
			OnProperty("properties.scaleSetPriority")
	}
	if p.Nodes() < 1 || p.EnableAutoScaling && p.MinCount != nil && *p.MinCount < 1 {
		return armerr.BadRequest("SystemPoolNotEnoughNodes", "System node pool %q must have at least 1 node.", p.Name).OnProperty("properties.count")
	}
	return nil
}

func checkCount(p Pool) error {
	if p.Nodes() < 0 || p.Nodes() > MaxPoolNodes {
		return invalid("agentPoolProfile.count", "The value of parameter agentPoolProfile.count is invalid: %d is not between 0 and %d.", p.Nodes(), MaxPoolNodes)
	}
	return nil
}

func checkAutoscaling(p Pool) error {
	if !p.EnableAutoScaling {
		if p.MinCount != nil || p.MaxCount != nil {
			return armerr.BadRequest("InvalidParameter", "Auto scaling is not enabled on agent pool %q: minCount and maxCount must be null.", p.Name).
				OnProperty("properties.enableAutoScaling")
		}
		return nil
	}
	if p.MinCount == nil || p.MaxCount == nil {
		return armerr.BadRequest("InvalidParameter", "Auto scaling is enabled on agent pool %q: minCount and maxCount must be given.", p.Name).
			OnProperty("properties.minCount")
	}
	if *p.MinCount < 0 || *p.MinCount > *p.MaxCount || *p.MaxCount > MaxPoolNodes {
		return invalid("agentPoolProfile.minCount", "minCount %d and maxCount %d of agent pool %q must satisfy 0 <= minCount <= maxCount <= %d.",
			*p.MinCount, *p.MaxCount, p.Name, MaxPoolNodes)
	}
	if p.Nodes() < *p.MinCount || p.Nodes() > *p.MaxCount {
		return invalid("agentPoolProfile.count", "Node count %d of agent pool %q is not between minCount %d and maxCount %d.",
			p.Nodes(), p.Name, *p.MinCount, *p.MaxCount)
	}
	return nil
}

func checkSizes(p Pool) error {
	if p.VMSize == "" {
		return invalid("agentPoolProfile.vmSize", "The value of parameter agentPoolProfile.vmSize is invalid: it must be given.")
	}
	if p.OSDiskSizeGB != 0 && (p.OSDiskSizeGB < 30 || p.OSDiskSizeGB > 2048) {
		return invalid("agentPoolProfile.osDiskSizeGB", "The value of parameter agentPoolProfile.osDiskSizeGB is invalid: %d is not between 30 and 2048.", p.OSDiskSizeGB)
	}
	if p.MaxPods < 10 || p.MaxPods > 250 {
		return invalid("agentPoolProfile.kubernetesConfig.maxPods", "The value of parameter agentPoolProfile.maxPods is invalid: %d is not between 10 and 250.", p.MaxPods)
	}
	if p.SpotMaxPrice != 0 && p.ScaleSetPriority != PrioritySpot {
		return invalid("agentPoolProfile.spotMaxPrice", "spotMaxPrice can only be set on a pool with scaleSetPriority Spot.")
	}
	return nil
}

func checkLabels(p Pool) error {
	for k, v := range p.NodeLabels {
		if !labelKey.MatchString(k) || !labelValue.MatchString(v) {
			return invalid("agentPoolProfile.nodeLabels", "Node label %q of agent pool %q is invalid.", k+"="+v, p.Name)
		}
		spot := k == "kubernetes.azure.com/scalesetpriority" && p.ScaleSetPriority == PrioritySpot
		if strings.HasPrefix(k, "kubernetes.azure.com/") && !spot {
			return armerr.BadRequest("InvalidParameter", "Label %q is reserved: the prefix kubernetes.azure.com/ can not be used.", k).
				OnProperty("agentPoolProfile.nodeLabels")
		}
	}
	return nil
}

func checkTaints(p Pool) error {
	for _, raw := range p.NodeTaints {
		if _, err := ParseTaint(raw); err != nil {
			return err
		}
	}
	return nil
}

// Taint is a parsed node taint.
type Taint struct{ Key, Value, Effect string }

// ParseTaint reads key=value:Effect or key:Effect.
func ParseTaint(raw string) (Taint, error) {
	body, effect, ok := strings.Cut(raw, ":")
	key, value, _ := strings.Cut(body, "=")
	known := slices.Contains([]string{"NoSchedule", "PreferNoSchedule", "NoExecute"}, effect)
	if !ok || !known || !labelKey.MatchString(key) || !labelValue.MatchString(value) {
		return Taint{}, armerr.BadRequest("InvalidTaint", "Taint %q is invalid: it must have the form key=value:effect with the effect NoSchedule, PreferNoSchedule or NoExecute.", raw).
			OnProperty("agentPoolProfile.nodeTaints")
	}
	return Taint{Key: key, Value: value, Effect: effect}, nil
}
