// Package waterfall tells where the time of a cluster's creation went, from the times of the objects that it is made of.
package waterfall

import (
	"time"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// Seen is one step as it is now.
type Seen struct {
	Name     fleetwrightv1.WorkloadClusterStepName
	Declared bool
	Done     bool
	// Started and Finished are the objects' own times: creationTimestamp, and the last transition of what made it done. Zero when not told.
	Started, Finished time.Time
	Message           string
}

// Steps are those of status: of each declared step when it began and when it had ended for the first time. What was told before stays; what was
// not, or was wiped, is told from the objects' times, else from now. No step ends before it begins, or in the future.
func Steps(seen []Seen, before []fleetwrightv1.WorkloadClusterStep, now time.Time) []fleetwrightv1.WorkloadClusterStep {
	return nil
}
