package webhooks

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/ptr"

	infrav1 "sigs.k8s.io/cluster-api-provider-azure/api/v1beta1"
)

// The rules follow internal/webhooks/azuremanagedmachinepool_validation.go.

// azureSystemLabelPrefix starts the label keys that belong to AKS, see util/azure.
const azureSystemLabelPrefix = "kubernetes.azure.com"

var (
	subnetNamePattern     = regexp.MustCompile("^[a-zA-Z0-9][a-zA-Z0-9._-]{0,78}[a-zA-Z0-9]$")
	publicIPPrefixPattern = regexp.MustCompile(`(?i)^/?subscriptions/[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}/resourcegroups/[^/]+/providers/microsoft\.network/publicipprefixes/[^/]+$`)
)

func validateMaxPods(maxPods *int, path *field.Path) *field.Error {
	if maxPods != nil && (*maxPods < 10 || *maxPods > 250) {
		return field.Invalid(path, *maxPods, "MaxPods must be between 10 and 250")
	}
	return nil
}

func validateOSType(mode string, osType *string, path *field.Path) *field.Error {
	if mode == string(infrav1.NodePoolModeSystem) && ptr.Deref(osType, infrav1.LinuxOS) != infrav1.LinuxOS {
		return field.Forbidden(path, "System node pooll must have OSType 'Linux'") // CAPZ's spelling.
	}
	return nil
}

func validatePoolName(pool *infrav1.AzureManagedMachinePool, path *field.Path) *field.Error {
	name, what := ptr.Deref(pool.Spec.Name, ""), "spec.name"
	if name == "" {
		name, what = pool.Name, "when spec.name is empty, metadata.name"
	}
	osType, longest := ptr.Deref(pool.Spec.OSType, infrav1.LinuxOS), 12
	blamed := osType // CAPZ calls the system the invalid value, not the name.
	if osType == infrav1.WindowsOS {
		longest, blamed = 6, name
	}
	if len(name) > longest {
		return field.Invalid(path, blamed, fmt.Sprintf("For OSType %s, %s can not be longer than %d characters.", osType, what, longest))
	}
	if !unicode.IsLower(rune(name[0])) {
		return field.Invalid(path, name, fmt.Sprintf("%s must begin with a lowercase letter.", what))
	}
	for _, char := range name {
		if !unicode.IsLower(char) && !unicode.IsNumber(char) {
			return field.Invalid(path, name, fmt.Sprintf("%s may only contain lowercase alphanumeric characters.", what))
		}
	}
	return nil
}

func validateNodeLabels(labels map[string]string, path *field.Path) *field.Error {
	for key := range labels {
		if strings.HasPrefix(key, azureSystemLabelPrefix) {
			return field.Invalid(path, key, "Node pool label key must not start with "+azureSystemLabelPrefix)
		}
	}
	return nil
}

func validatePublicIP(pool *infrav1.AzureManagedMachinePool, spec *field.Path) *field.Error {
	prefix := pool.Spec.NodePublicIPPrefixID
	switch {
	case prefix == nil:
		return nil
	case !publicIPPrefixPattern.MatchString(*prefix):
		return field.Invalid(spec.Child("nodePublicIPPrefixID"), *prefix, fmt.Sprintf("resource ID must match %q", publicIPPrefixPattern))
	case !ptr.Deref(pool.Spec.EnableNodePublicIP, false):
		return field.Invalid(spec.Child("enableNodePublicIP"), pool.Spec.EnableNodePublicIP, "must be set to true when NodePublicIPPrefixID is set")
	default:
		return nil
	}
}

func validateSubnetName(name *string, path *field.Path) *field.Error {
	if name != nil && !subnetNamePattern.MatchString(*name) {
		return field.Invalid(path, *name, fmt.Sprintf("name of subnet doesn't match regex %s", subnetNamePattern))
	}
	return nil
}
