package drift

import (
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// Bounds of a DriftRecord.
const (
	maxFields = 24
	maxName   = 256
)

// Record is the entry for status of a verdict that a drift led to; false for one that is none. It is written when Heal was done.
func (v Verdict) Record(now time.Time) (fleetwrightv1.DriftRecord, bool) {
	outcome := map[Action]fleetwrightv1.DriftOutcome{
		Heal: fleetwrightv1.DriftOutcomeHealed, Adopt: fleetwrightv1.DriftOutcomeAdopted,
		Report: fleetwrightv1.DriftOutcomeReported, Stop: fleetwrightv1.DriftOutcomeReported,
	}[v.Action]
	if outcome == "" {
		return fleetwrightv1.DriftRecord{}, false
	}
	paths := Paths(v.Fields)
	for i := range paths {
		paths[i] = bounded(paths[i])
	}
	return fleetwrightv1.DriftRecord{
		Time: metav1.NewTime(now), Fields: paths[:min(len(paths), maxFields)], ChangedBy: bounded(v.ChangedBy), Outcome: outcome,
	}, true
}

func bounded(text string) string {
	if len(text) <= maxName {
		return text
	}
	return strings.ToValidUTF8(text[:maxName], "")
}
