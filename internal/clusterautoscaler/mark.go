package clusterautoscaler

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/autoscalerprofile"
)

// fingerprintOf is the same for the same settings: a format number, a colon and a SHA-256 in hex.
func fingerprintOf(values autoscalerprofile.Values) string {
	hash := sha256.New()
	for _, key := range slices.Sorted(maps.Keys(values)) {
		fmt.Fprintf(hash, "%s=%s\n", key, values[key])
	}
	return "1:" + hex.EncodeToString(hash.Sum(nil))
}

// wasApplied is true when Azure was seen to have the very profile that the spec asks for.
func wasApplied(a *fleetwrightv1.AzureClusterAutoscaler) bool {
	return a.Annotations[fleetwrightv1.AnnotationProfileApplied] == fingerprintOf(autoscalerprofile.Of(a.Spec.Profile.AutoscalerSettings))
}
