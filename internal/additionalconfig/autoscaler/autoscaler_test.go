package autoscaler_test

import (
	"testing"

	"github.com/fleetwright/fleetwright/internal/additionalconfig/autoscaler"
	"github.com/fleetwright/fleetwright/internal/additionalconfig/section/sectiontest"
)

func TestWhatAnAutoscalerBecomes(t *testing.T) {
	sectiontest.Becomes(t, autoscaler.Section, map[string][]string{
		"a profile": {
			"autoscaler: {expander: least-waste, newPodScaleUpDelaySeconds: 0}",
			`c {"profile":{"expander":"least-waste","newPodScaleUpDelaySeconds":0}}`,
		},
		"nothing but a zero": {"autoscaler: {newPodScaleUpDelaySeconds: 0}", `c {"profile":{"newPodScaleUpDelaySeconds":0}}`},
		"other sections":     {"driftPolicy: Report"},
	})
}
