package webhooks

import (
	"fmt"
	"net"
	"reflect"
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/ptr"

	infrav1 "sigs.k8s.io/cluster-api-provider-azure/api/v1beta1"
	"sigs.k8s.io/cluster-api-provider-azure/util/versions"
	webhookutils "sigs.k8s.io/cluster-api-provider-azure/util/webhook"
)

// The rules follow internal/webhooks/azuremanagedcontrolplane_validation.go.

var (
	versionPattern   = regexp.MustCompile(`^v(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)([-0-9a-zA-Z_\.+]*)?$`)
	dnsPrefixPattern = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9-]{0,52}[a-zA-Z0-9]$`)
)

// validateControlPlane are the rules that hold at any time.
func validateControlPlane(plane *infrav1.AzureManagedControlPlane) field.ErrorList {
	spec := field.NewPath("spec")
	var refused field.ErrorList
	if !versionPattern.MatchString(plane.Spec.Version) {
		refused = append(refused, field.Invalid(spec.Child("version"), plane.Spec.Version, "must be a valid semantic version"))
	}
	if prefix := plane.Spec.DNSPrefix; prefix != nil && !dnsPrefixPattern.MatchString(*prefix) {
		refused = append(refused, field.Invalid(spec.Child("dnsPrefix"), *prefix,
			"DNSPrefix is invalid, does not match regex: "+dnsPrefixPattern.String()))
	}
	if plane.Spec.DisableLocalAccounts != nil && plane.Spec.AADProfile == nil {
		refused = append(refused, field.Invalid(spec.Child("disableLocalAccounts"), *plane.Spec.DisableLocalAccounts,
			"DisableLocalAccounts should be set only for AAD enabled clusters"))
	}
	name := strings.ToLower(plane.Name)
	if strings.Contains(name, "microsoft") || strings.Contains(name, "windows") {
		refused = append(refused, field.Invalid(field.NewPath("name").Child("Name"), plane.Name,
			"cluster name is invalid because 'MICROSOFT' and 'WINDOWS' can't be used as either a whole word or a substring in the name"))
	}
	return append(refused, validateNetwork(plane.Spec.VirtualNetwork, spec.Child("virtualNetwork"))...)
}

func validateNetwork(network infrav1.ManagedControlPlaneVirtualNetwork, path *field.Path) field.ErrorList {
	var refused field.ErrorList
	_, outer, outerErr := net.ParseCIDR(network.CIDRBlock)
	if outerErr != nil {
		refused = append(refused, field.Invalid(path.Child("CIDRBlock"), network.CIDRBlock, "pre-existing virtual networks CIDR block is invalid"))
	}
	inner, _, innerErr := net.ParseCIDR(network.Subnet.CIDRBlock)
	if innerErr != nil {
		refused = append(refused, field.Invalid(path.Child("Subnet", "CIDRBlock"), network.CIDRBlock, "pre-existing subnets CIDR block is invalid"))
	}
	if outerErr == nil && innerErr == nil && !outer.Contains(inner) {
		refused = append(refused, field.Invalid(path.Child("CIDRBlock"), network.CIDRBlock, "pre-existing virtual networks CIDR block should contain the subnet CIDR block"))
	}
	return refused
}

func validateNetworkUpdate(old, plane *infrav1.AzureManagedControlPlane, path *field.Path) field.ErrorList {
	was, is := old.Spec.VirtualNetwork, plane.Spec.VirtualNetwork
	var refused field.ErrorList
	for _, each := range []struct {
		path    *field.Path
		was, is string
		what    string
	}{
		{path.Child("name"), was.Name, is.Name, "Virtual Network Name"},
		{path.Child("cidrBlock"), was.CIDRBlock, is.CIDRBlock, "Virtual Network CIDRBlock"},
		{path.Child("subnet", "name"), was.Subnet.Name, is.Subnet.Name, "Subnet Name"},
		{path.Child("subnet", "cidrBlock"), was.Subnet.CIDRBlock, is.Subnet.CIDRBlock, "Subnet CIDRBlock"},
		{path.Child("resourceGroup"), was.ResourceGroup, is.ResourceGroup, "Virtual Network Resource Group"},
	} {
		if each.was != each.is {
			refused = append(refused, field.Invalid(each.path, each.is, each.what+" is immutable"))
		}
	}
	return refused
}

func validateVersionUpdate(old, plane *infrav1.AzureManagedControlPlane, path *field.Path) field.ErrorList {
	version := plane.Spec.Version
	var refused field.ErrorList
	if versions.GetHigherK8sVersion(version, old.Spec.Version) != version {
		refused = append(refused, field.Invalid(path, version, "field version cannot be downgraded"))
	}
	automatic := old.Status.AutoUpgradeVersion
	if automatic != "" && version != old.Spec.Version && versions.GetHigherK8sVersion(version, automatic) != version {
		refused = append(refused, field.Invalid(path, version, "version is auto-upgraded to "+automatic+", cannot be downgraded"))
	}
	return refused
}

func validateAADUpdate(old, plane *infrav1.AzureManagedControlPlane, spec *field.Path) field.ErrorList {
	var refused field.ErrorList
	was, is := old.Spec.AADProfile, plane.Spec.AADProfile
	switch {
	case was == nil:
	case is == nil:
		refused = append(refused, field.Invalid(spec.Child("aadProfile"), is, "field cannot be nil, cannot disable AADProfile"))
	default:
		if was.Managed && !is.Managed {
			refused = append(refused, field.Invalid(spec.Child("aadProfile", "managed"), is.Managed, "cannot set AADProfile.Managed to false"))
		}
		if len(is.AdminGroupObjectIDs) == 0 {
			refused = append(refused, field.Invalid(spec.Child("aadProfile", "adminGroupObjectIDs"), is.AdminGroupObjectIDs,
				"length of AADProfile.AdminGroupObjectIDs cannot be zero"))
		}
	}
	if old.Spec.DisableLocalAccounts != nil {
		path := spec.Child("disableLocalAccounts")
		if err := webhookutils.ValidateImmutable(path, plane.Spec.DisableLocalAccounts, old.Spec.DisableLocalAccounts); err != nil {
			refused = append(refused, err)
		}
	}
	return refused
}

func validateProfilesUpdate(old, plane *infrav1.AzureManagedControlPlane, spec *field.Path) field.ErrorList {
	var refused field.ErrorList
	if !reflect.DeepEqual(immutableAccess(old), immutableAccess(plane)) {
		refused = append(refused, field.Invalid(spec.Child("apiServerAccessProfile"), plane.Spec.APIServerAccessProfile,
			"fields (except for AuthorizedIPRanges) are immutable"))
	}
	if was, is := old.Spec.OIDCIssuerProfile, plane.Spec.OIDCIssuerProfile; was != nil && is != nil &&
		ptr.Deref(was.Enabled, false) && !ptr.Deref(is.Enabled, true) {
		refused = append(refused, field.Forbidden(spec.Child("oidcIssuerProfile", "enabled"), "cannot be disabled"))
	}
	kept := map[string]bool{}
	for _, profile := range plane.Spec.AddonProfiles {
		kept[profile.Name] = true
	}
	for i, profile := range old.Spec.AddonProfiles {
		if !kept[profile.Name] {
			refused = append(refused, field.Invalid(spec.Child("addonProfiles"), plane.Spec.AddonProfiles,
				fmt.Sprintf("cannot remove addonProfile %s, To disable this AddonProfile, update Spec.AddonProfiles[%v].Enabled to false", profile.Name, i)))
		}
	}
	return refused
}

func immutableAccess(plane *infrav1.AzureManagedControlPlane) infrav1.APIServerAccessProfileClassSpec {
	if plane.Spec.APIServerAccessProfile == nil {
		return infrav1.APIServerAccessProfileClassSpec{}
	}
	return plane.Spec.APIServerAccessProfile.APIServerAccessProfileClassSpec
}
