package desired

import (
	"fmt"

	"k8s.io/utils/ptr"
	infrav1 "sigs.k8s.io/cluster-api-provider-azure/api/v1beta1"
)

// setAccess sets who reaches the API server and how.
func setAccess(spec asoObject, controlPlane *infrav1.AzureManagedControlPlane) error {
	if aad := controlPlane.Spec.AADProfile; aad != nil {
		spec["aadProfile"] = map[string]any{
			"managed":             aad.Managed,
			"enableAzureRBAC":     aad.Managed,
			"adminGroupObjectIDs": aad.AdminGroupObjectIDs,
		}
		setPointer(spec, "disableLocalAccounts", controlPlane.Spec.DisableLocalAccounts)
	}
	if access := controlPlane.Spec.APIServerAccessProfile; access != nil {
		profile := asoObject{}
		if access.AuthorizedIPRanges != nil {
			profile["authorizedIPRanges"] = access.AuthorizedIPRanges
		}
		setPointer(profile, "enablePrivateCluster", access.EnablePrivateCluster)
		setPointer(profile, "privateDNSZone", access.PrivateDNSZone)
		setPointer(profile, "enablePrivateClusterPublicFQDN", access.EnablePrivateClusterPublicFQDN)
		spec["apiServerAccessProfile"] = map[string]any(profile)
	}
	return nil
}

// setAddOns sets what AKS runs in the cluster.
func setAddOns(spec asoObject, controlPlane *infrav1.AzureManagedControlPlane) error {
	if len(controlPlane.Spec.AddonProfiles) == 0 {
		return nil
	}
	profiles := map[string]any{}
	for _, each := range controlPlane.Spec.AddonProfiles {
		profile := map[string]any{"enabled": each.Enabled}
		if each.Config != nil {
			profile["config"] = each.Config
		}
		profiles[each.Name] = profile
	}
	spec["addonProfiles"] = profiles
	return nil
}

// setProfiles sets the profiles whose fields are spelled as Azure spells them.
func setProfiles(spec asoObject, controlPlane *infrav1.AzureManagedControlPlane) error {
	if sku := controlPlane.Spec.SKU; sku != nil {
		spec["sku"] = map[string]any{"name": "Base", "tier": sku.Tier}
	}
	if issuer := controlPlane.Spec.OIDCIssuerProfile; issuer != nil {
		profile := asoObject{}
		setPointer(profile, "enabled", issuer.Enabled)
		spec["oidcIssuerProfile"] = map[string]any(profile)
	}
	if upgrade := controlPlane.Spec.AutoUpgradeProfile; upgrade != nil {
		spec["autoUpgradeProfile"] = map[string]any{"upgradeChannel": ptr.Deref(upgrade.UpgradeChannel, "")}
	}
	if proxy := controlPlane.Spec.HTTPProxyConfig; proxy != nil {
		if err := setPlain(spec, "httpProxyConfig", proxy); err != nil {
			return err
		}
	}
	if scaler := controlPlane.Spec.AutoScalerProfile; scaler != nil {
		if err := setPlain(spec, "autoScalerProfile", scaler); err != nil {
			return err
		}
	}
	if security := controlPlane.Spec.SecurityProfile; security != nil {
		return setPlain(spec, "securityProfile", security)
	}
	return nil
}

func setPlain(spec asoObject, field string, value any) error {
	profile, err := plain(value)
	if err != nil {
		return fmt.Errorf("encode %s: %w", field, err)
	}
	spec[field] = profile
	return nil
}
