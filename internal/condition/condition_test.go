package condition_test

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fleetwright/fleetwright/internal/condition"
)

func TestStamp(t *testing.T) {
	long := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	now := long.Add(time.Hour)
	before := []metav1.Condition{
		{Type: "Same", Status: "True", Reason: "A", LastTransitionTime: metav1.NewTime(long)},
		{Type: "Other", Status: "True", LastTransitionTime: metav1.NewTime(long)},
		{Type: "Gone", Status: "True", LastTransitionTime: metav1.NewTime(long)},
	}
	got := condition.Stamp([]metav1.Condition{
		condition.New("Same", metav1.ConditionTrue, "B", "%s", strings.Repeat("é", 600)),
		condition.New("Other", metav1.ConditionFalse, "C", "%d of %d", 1, 2),
		condition.New("New", metav1.ConditionTrue, "D", ""),
	}, before, 7, now)
	if len(got) != 3 {
		t.Fatalf("%d conditions", len(got))
	}
	for i, want := range []time.Time{long, now, now} {
		if !got[i].LastTransitionTime.Time.Equal(want) || got[i].ObservedGeneration != 7 {
			t.Errorf("%s: %s, generation %d", got[i].Type, got[i].LastTransitionTime, got[i].ObservedGeneration)
		}
	}
	if m := got[0].Message; len(m) > 1000 || !strings.HasSuffix(m, "é...") {
		t.Errorf("a long message ends in %q after %d bytes", m[len(m)-8:], len(m))
	}
	if got[1].Message != "1 of 2" {
		t.Errorf("message %q", got[1].Message)
	}
	for kind, want := range map[string]bool{"Same": true, "Other": true, "New": true, "Gone": false, "Never": false} {
		if condition.Changed(before, got, kind) != want {
			t.Errorf("Changed(%s) is %t", kind, !want)
		}
	}
	if condition.Changed(got, got, "Same") {
		t.Error("what is the same changed")
	}
}
