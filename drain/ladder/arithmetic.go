package ladder

import (
	"fmt"

	"k8s.io/apimachinery/pkg/util/intstr"
)

// many stands for "however many pods there are".
const many = 1_000_000

// oneMore says whether the budget would allow a disruption if one more pod were there and healthy, or in a sentence
// why it would not. name is the budget's namespace/name.
func (b Budget) oneMore(name string) (helps bool, why string) {
	spec := b.limit() + " of " + name
	expected := int(b.Expected) + 1
	needed, ok := b.needed(expected)
	if !ok {
		return false, spec + " is no number and no percentage"
	}
	if most, _ := b.needed(many); most >= many {
		return false, spec + " never allows one, however many pods there are"
	}
	if needed >= expected {
		return false, fmt.Sprintf("%s needs %d ready, and there would be %d pods", spec, needed, expected)
	}
	if healthy := int(b.Healthy) + 1; needed >= healthy {
		return false, fmt.Sprintf("%s needs %d of %d ready, and %d would be", spec, needed, expected, healthy)
	}
	return true, ""
}

// needed is what the disruption controller computes as desiredHealthy for that many expected pods: percentages are of
// these and rounded up, and a budget that sets nothing has nothing to give.
func (b Budget) needed(expected int) (needed int, ok bool) {
	var err error
	switch {
	case b.MaxUnavailable != nil:
		var away int
		away, err = intstr.GetScaledValueFromIntOrPercent(b.MaxUnavailable, expected, true)
		needed = max(0, expected-away)
	case b.MinAvailable != nil:
		needed, err = intstr.GetScaledValueFromIntOrPercent(b.MinAvailable, expected, true)
	default:
		needed = expected
	}
	return needed, err == nil
}

func (b Budget) limit() string {
	switch {
	case b.MaxUnavailable != nil:
		return "maxUnavailable " + b.MaxUnavailable.String()
	case b.MinAvailable != nil:
		return "minAvailable " + b.MinAvailable.String()
	default:
		return "the empty spec"
	}
}

// fenceposts are how many pods a rolling update may add and how many may be missing meanwhile, computed as the
// deployment controller does: it rounds the first up and the second down, and lets one be missing where both are zero.
func fenceposts(surge, unavailable *intstr.IntOrString, replicas int) (int, int) {
	s, errSurge := intstr.GetScaledValueFromIntOrPercent(intstr.ValueOrDefault(surge, intstr.FromInt32(0)), replicas, true)
	u, errUnavailable := intstr.GetScaledValueFromIntOrPercent(intstr.ValueOrDefault(unavailable, intstr.FromInt32(0)), replicas, false)
	if errSurge != nil || errUnavailable != nil {
		return 0, replicas // what cannot be read promises nothing
	}
	if s == 0 && u == 0 {
		u = 1
	}
	return s, u
}
