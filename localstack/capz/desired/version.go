package desired

import (
	"strings"

	"golang.org/x/mod/semver"
)

// higherVersion returns the higher of two Kubernetes versions, with or without a leading v, as written. CAPZ never asks
// for less than what is there, so that upgrades by AKS itself stay, see GetHigherK8sVersion in util/versions.
func higherVersion(a, b string) string {
	if semver.Compare(vPrefixed(a), vPrefixed(b)) < 0 {
		return b
	}
	return a
}

func vPrefixed(version string) string { return "v" + strings.TrimPrefix(version, "v") }
