package maintenanceconfiguration

import (
	"encoding/json"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerservice/armcontainerservice/v8"
	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/drift"
)

func windowOf(t *testing.T, text string) fleetwrightv1.AzureMaintenanceWindow {
	t.Helper()
	var w fleetwrightv1.AzureMaintenanceWindow
	if err := yaml.UnmarshalStrict([]byte(text), &w); err != nil {
		t.Fatal(err)
	}
	return w
}

const sunday = "{schedule: {weekly: {intervalWeeks: 1, dayOfWeek: Sunday}}, startTime: '01:00', durationHours: 4}"

// What is written, on the wire.
func TestForAzure(t *testing.T) {
	found := inAzure{window: fleetwrightv1.AzureMaintenanceWindow{StartDate: "2026-11-01", UTCOffset: "+05:30"}}
	for name, test := range map[string]struct {
		window string
		found  *inAzure
		want   string
	}{
		"a new one": {
			window: sunday,
			want:   `{"durationHours":4,"schedule":{"weekly":{"dayOfWeek":"Sunday","intervalWeeks":1}},"startTime":"01:00","utcOffset":"+00:00"}`,
		},
		"what the spec leaves open stays": {
			window: sunday, found: &found,
			want: `{"durationHours":4,"schedule":{"weekly":{"dayOfWeek":"Sunday","intervalWeeks":1}},"startDate":"2026-11-01","startTime":"01:00","utcOffset":"+00:00"}`,
		},
		"everything": {
			window: "{schedule: {daily: {intervalDays: 3}}, startTime: '23:30', durationHours: 24, utcOffset: '-07:00', startDate: '2026-12-01', notAllowedDates: [{start: '2026-12-20', end: '2027-01-03'}]}",
			found:  &found,
			want:   `{"durationHours":24,"notAllowedDates":[{"end":"2027-01-03","start":"2026-12-20"}],"schedule":{"daily":{"intervalDays":3}},"startDate":"2026-12-01","startTime":"23:30","utcOffset":"-07:00"}`,
		},
		"a day of the month": {
			window: "{schedule: {absoluteMonthly: {intervalMonths: 2, dayOfMonth: 15}}, startTime: '01:00', durationHours: 4}",
			want:   `{"durationHours":4,"schedule":{"absoluteMonthly":{"dayOfMonth":15,"intervalMonths":2}},"startTime":"01:00","utcOffset":"+00:00"}`,
		},
		"a weekday of the month": {
			window: "{schedule: {relativeMonthly: {intervalMonths: 6, weekIndex: Last, dayOfWeek: Friday}}, startTime: '01:00', durationHours: 4}",
			want:   `{"durationHours":4,"schedule":{"relativeMonthly":{"dayOfWeek":"Friday","intervalMonths":6,"weekIndex":"Last"}},"startTime":"01:00","utcOffset":"+00:00"}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := windowOf(t, test.window)
			sent, err := forAzure(w, test.found)
			if err != nil {
				t.Fatal(err)
			}
			raw, err := json.Marshal(sent)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(`{"properties":{"maintenanceWindow":`+test.want+`}}`, string(raw)); diff != "" {
				t.Errorf("other than that is sent (-want +got):\n%s", diff)
			}
			// What comes back as it was sent is as declared.
			var answer armcontainerservice.MaintenanceConfiguration
			if err := json.Unmarshal(raw, &answer); err != nil {
				t.Fatal(err)
			}
			back := fromAzure(answer)
			if fields, err := differences(w, &back); err != nil || len(fields) > 0 {
				t.Errorf("what was sent differs: %v %v", fields, err)
			}
		})
	}
}

func TestADateThatIsNone(t *testing.T) {
	for name, window := range map[string]string{
		"start": "{schedule: {daily: {intervalDays: 1}}, startTime: '01:00', durationHours: 4, startDate: '2026-02-31'}",
		"dates": "{schedule: {daily: {intervalDays: 1}}, startTime: '01:00', durationHours: 4, notAllowedDates: [{start: '2026-02-01', end: '2026-02-31'}]}",
	} {
		if _, err := forAzure(windowOf(t, window), nil); err == nil {
			t.Errorf("%s: 31 February is taken", name)
		}
	}
}

func TestDifferences(t *testing.T) {
	for name, test := range map[string]struct {
		declared, found string // found: empty for none
		want            []string
	}{
		"none":                             {declared: sunday, want: []string{"missing"}},
		"the same":                         {declared: sunday, found: sunday},
		"UTC need not be said":             {declared: sunday, found: sunday[:len(sunday)-1] + ", utcOffset: '+00:00'}"},
		"a date that the spec leaves open": {declared: sunday, found: sunday[:len(sunday)-1] + ", startDate: '2026-01-01'}"},
		"another date":                     {declared: sunday[:len(sunday)-1] + ", startDate: '2026-02-01'}", found: sunday[:len(sunday)-1] + ", startDate: '2026-01-01'}", want: []string{"startDate"}},
		"another clock":                    {declared: sunday, found: sunday[:len(sunday)-1] + ", utcOffset: '+01:00'}", want: []string{"utcOffset"}},
		"dates that nobody declared": {
			declared: sunday, found: sunday[:len(sunday)-1] + ", notAllowedDates: [{start: '2026-12-20', end: '2027-01-03'}]}", want: []string{"notAllowedDates"},
		},
		"the older form": {declared: sunday, found: "{}", want: []string{"durationHours", "schedule.weekly.dayOfWeek", "schedule.weekly.intervalWeeks", "startTime"}},
		"another schedule": {
			declared: sunday, found: "{schedule: {daily: {intervalDays: 1}}, startTime: '02:00', durationHours: 4}",
			want: []string{"schedule.weekly.dayOfWeek", "schedule.weekly.intervalWeeks", "startTime"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var found *inAzure
			if test.found != "" {
				found = &inAzure{window: windowOf(t, test.found)}
			}
			fields, err := differences(windowOf(t, test.declared), found)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(append([]string{}, test.want...), drift.Paths(fields)); diff != "" {
				t.Errorf("it differs in other fields (-want +got):\n%s", diff)
			}
		})
	}
}

// The fingerprint is kept on objects: another one for the same window would turn every drift into a change of the spec.
func TestFingerprint(t *testing.T) {
	got, err := fingerprint(windowOf(t, sunday))
	if want := "1:e3dc77be"; err != nil || got[:len(want)] != want {
		t.Errorf("the fingerprint is %s %v", got, err)
	}
	same, _ := fingerprint(windowOf(t, sunday[:len(sunday)-1]+", utcOffset: '+00:00'}"))
	other, _ := fingerprint(windowOf(t, sunday[:len(sunday)-1]+", utcOffset: '+01:00'}"))
	if same != got || other == got {
		t.Errorf("%s, the same %s, another %s", got, same, other)
	}
}
