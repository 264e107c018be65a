package aks

import (
	"strings"

	"github.com/blang/semver/v4"

	"github.com/fleetwright/fleetwright/internal/azure/sim/armerr"
	"github.com/fleetwright/fleetwright/internal/azure/sim/catalog"
)

// MaxMinorSkew is how many minor versions a pool may be behind its control plane.
const MaxMinorSkew = 2

// ResolveVersion gives the full version for what a client asked (x.y.z, x.y or nothing), or K8sVersionNotSupported.
func ResolveVersion(c catalog.Catalog, location, name, asked string) (semver.Version, error) {
	v, ok := c.Resolve(strings.TrimPrefix(asked, "v"))
	if !ok || strings.HasPrefix(asked, "v") {
		return semver.Version{}, armerr.BadRequest("K8sVersionNotSupported",
			"Managed cluster %s is on version %s, which is not supported in this region (%s). Supported versions are %s. "+
				"Please use [az aks get-versions] command to get the supported version list in this region. For more information, please check https://aka.ms/supported-version-list",
			name, asked, location, strings.Join(c.KubernetesVersions, ", "))
	}
	return v, nil
}

// OnVersion tells that asking for a version is no change for what runs: it is that version, or any patch of that minor.
func OnVersion(running, asked string) bool {
	return asked == running || strings.Count(asked, ".") == 1 && strings.HasPrefix(running, asked+".")
}

// CheckControlPlaneUpgrade refuses downgrades, a jump over a minor version, and a control plane too far ahead of pools.
func CheckControlPlaneUpgrade(c catalog.Catalog, from, to semver.Version, pools []semver.Version) error {
	if to.LT(from) {
		return notUpgradable("Downgrading", from, to, c.Upgrades(from))
	}
	if to.Major != from.Major || to.Minor > from.Minor+1 {
		return notUpgradable("Upgrading", from, to, c.Upgrades(from))
	}
	for _, p := range pools {
		if err := CheckSkew(p, to); err != nil {
			return err
		}
	}
	return nil
}

// CheckPoolUpgrade refuses downgrades of a pool and versions that do not go with the control plane.
func CheckPoolUpgrade(c catalog.Catalog, from, to, controlPlane semver.Version) error {
	if to.LT(from) {
		return notUpgradable("Downgrading", from, to, c.Upgrades(from))
	}
	return CheckSkew(to, controlPlane)
}

func notUpgradable(verb string, from, to semver.Version, available []string) error {
	return armerr.BadRequest("OperationNotAllowed", "%s Kubernetes version %s to %s is not allowed. Available upgrades: [%s]. "+
		"Please see https://aka.ms/aks-supported-k8s-ver for version details.", verb, from, to, strings.Join(available, " "))
}

// CheckSkew refuses a pool version newer than the control plane, or more than MaxMinorSkew minors behind it.
func CheckSkew(pool, controlPlane semver.Version) error {
	refuse := func(format string, args ...any) error {
		err := armerr.BadRequest("NodePoolMcVersionIncompatible", format, args...)
		err.Message = "Node pool version " + pool.String() + " and control plane version " + controlPlane.String() + " are incompatible. " +
			err.Message + " For more information, please check https://aka.ms/version-skew-policy"
		return err
	}
	switch {
	case pool.Major != controlPlane.Major:
		return refuse("Major version of node pool version %d is not that of the control plane version %d.", pool.Major, controlPlane.Major)
	case pool.Minor > controlPlane.Minor:
		return refuse("Minor version of node pool version %d is bigger than control plane version %d.", pool.Minor, controlPlane.Minor)
	case pool.GT(controlPlane):
		return refuse("Patch version of node pool version %d is bigger than control plane version %d.", pool.Patch, controlPlane.Patch)
	case pool.Minor+MaxMinorSkew < controlPlane.Minor:
		return refuse("Minor version of node pool cannot be more than %d versions less than control plane's version. Minor version of node pool is %d and control plane is %d.",
			MaxMinorSkew, pool.Minor, controlPlane.Minor)
	}
	return nil
}
