package waterfall_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/workloadcluster/waterfall"
)

var now = time.Date(2026, 11, 26, 9, 0, 0, 500_000_000, time.UTC)

// ago is a time that many seconds before now.
func ago(seconds int) time.Time {
	return now.Truncate(time.Second).Add(-time.Duration(seconds) * time.Second)
}

func told(name string, started, finished int, message string) fleetwrightv1.WorkloadClusterStep {
	step := fleetwrightv1.WorkloadClusterStep{Name: fleetwrightv1.WorkloadClusterStepName(name), Message: message}
	if started >= 0 {
		step.StartedTime = metav1.NewTime(ago(started))
	}
	if finished >= 0 {
		step.FinishedTime = metav1.NewTime(ago(finished))
	}
	return step
}

func TestSteps(t *testing.T) {
	type steps = []fleetwrightv1.WorkloadClusterStep
	for name, test := range map[string]struct {
		seen   waterfall.Seen
		before steps
		want   steps
	}{
		"not declared":              {seen: waterfall.Seen{Name: "Addons", Done: true, Started: ago(9), Finished: ago(5)}, before: steps{told("Addons", 9, 5, "")}},
		"not begun":                 {seen: waterfall.Seen{Name: "Addons", Declared: true, Message: "after the control plane"}, want: steps{told("Addons", -1, -1, "after the control plane")}},
		"under way":                 {seen: waterfall.Seen{Name: "Addons", Declared: true, Started: ago(9), Message: "0 of 1"}, want: steps{told("Addons", 9, -1, "0 of 1")}},
		"under way for longer":      {seen: waterfall.Seen{Name: "Addons", Declared: true, Started: ago(9), Message: "0 of 1"}, before: steps{told("Addons", 20, -1, "")}, want: steps{told("Addons", 20, -1, "0 of 1")}},
		"done":                      {seen: waterfall.Seen{Name: "Addons", Declared: true, Done: true, Started: ago(9), Finished: ago(5), Message: "1 of 1"}, want: steps{told("Addons", 9, 5, "")}},
		"done when nobody tells":    {seen: waterfall.Seen{Name: "Addons", Declared: true, Done: true, Started: ago(9)}, want: steps{told("Addons", 9, 0, "")}},
		"done, and nothing is told": {seen: waterfall.Seen{Name: "Addons", Declared: true, Done: true}, want: steps{told("Addons", 0, 0, "")}},
		"done before":               {seen: waterfall.Seen{Name: "Addons", Declared: true, Done: true, Started: ago(3), Finished: ago(2)}, before: steps{told("Other", 1, 1, ""), told("Addons", 9, 5, "")}, want: steps{told("Addons", 9, 5, "")}},
		"undone":                    {seen: waterfall.Seen{Name: "Addons", Declared: true, Started: ago(9), Message: "0 of 1"}, before: steps{told("Addons", 9, 5, "")}, want: steps{told("Addons", 9, 5, "")}},
		"ends before it begins":     {seen: waterfall.Seen{Name: "Addons", Declared: true, Done: true, Started: ago(5), Finished: ago(9)}, want: steps{told("Addons", 5, 5, "")}},
		"in the future":             {seen: waterfall.Seen{Name: "Addons", Declared: true, Done: true, Started: ago(-5), Finished: ago(-9)}, want: steps{told("Addons", 0, 0, "")}},
		"a long message":            {seen: waterfall.Seen{Name: "Addons", Declared: true, Message: strings.Repeat("ü", 1025)}, want: steps{told("Addons", -1, -1, strings.Repeat("ü", 1021)+"...")}},
		"a message of full length":  {seen: waterfall.Seen{Name: "Addons", Declared: true, Message: strings.Repeat("ü", 1024)}, want: steps{told("Addons", -1, -1, strings.Repeat("ü", 1024))}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, waterfall.Steps([]waterfall.Seen{test.seen}, test.before, now)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Whatever objects and status say: no step is negative or in the future, a second look changes nothing, and a status that was wiped comes back the
// same as long as the objects tell their times.
func TestAnySteps(t *testing.T) {
	names := []fleetwrightv1.WorkloadClusterStepName{"Addresses", "Infrastructure", "ControlPlane", "Nodepools", "RoleAssignments", "Autoscaler", "AzureSettings", "Addons"}
	when := func(t *rapid.T, name string) time.Time {
		if rapid.IntRange(0, 3).Draw(t, "no "+name) == 0 {
			return time.Time{}
		}
		return now.Add(time.Duration(rapid.IntRange(-100_000, 5_000).Draw(t, name)) * time.Millisecond)
	}
	rapid.Check(t, func(t *rapid.T) {
		var seen []waterfall.Seen
		var before []fleetwrightv1.WorkloadClusterStep
		for _, name := range names {
			s := waterfall.Seen{Name: name, Declared: rapid.Bool().Draw(t, "declared"), Done: rapid.Bool().Draw(t, "done"), Started: when(t, "started"), Finished: when(t, "finished"), Message: "waits"}
			seen = append(seen, s)
			if rapid.Bool().Draw(t, "told") {
				before = append(before, fleetwrightv1.WorkloadClusterStep{Name: name, StartedTime: metav1.NewTime(when(t, "told start")), FinishedTime: metav1.NewTime(when(t, "told end"))})
			}
		}
		steps := waterfall.Steps(seen, before, now)
		for _, s := range steps {
			if s.FinishedTime.Before(&s.StartedTime) && !s.FinishedTime.IsZero() || s.StartedTime.After(now) || s.FinishedTime.After(now) || !s.FinishedTime.IsZero() && (s.StartedTime.IsZero() || s.Message != "") {
				t.Errorf("%+v", s)
			}
		}
		kept := roundTrip(t, steps)
		if diff := cmp.Diff(kept, waterfall.Steps(seen, kept, now.Add(time.Hour))); diff != "" {
			t.Errorf("a second look:\n%s", diff)
		}

		var past []waterfall.Seen
		for _, s := range seen {
			if s.Started.After(now) || s.Done && (s.Finished.IsZero() || s.Finished.After(now)) {
				continue // its objects do not tell
			}
			past = append(past, s)
		}
		first := roundTrip(t, waterfall.Steps(past, nil, now))
		if diff := cmp.Diff(first, waterfall.Steps(past, nil, now.Add(time.Hour))); diff != "" {
			t.Errorf("after a wipe:\n%s", diff)
		}
	})
}

// roundTrip is what the API server keeps.
func roundTrip(t *rapid.T, steps []fleetwrightv1.WorkloadClusterStep) []fleetwrightv1.WorkloadClusterStep {
	text, err := json.Marshal(steps)
	if err != nil {
		t.Fatal(err)
	}
	var out []fleetwrightv1.WorkloadClusterStep
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	for i := range out {
		out[i].StartedTime.Time, out[i].FinishedTime.Time = utc(out[i].StartedTime.Time), utc(out[i].FinishedTime.Time)
	}
	return out
}

func utc(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC()
}
