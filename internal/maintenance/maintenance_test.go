package maintenance_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/maintenance"
)

func nights(name, schedule string, hours float64, zone string) fleetwrightv1.MaintenanceWindow {
	return fleetwrightv1.MaintenanceWindow{Name: name, Schedule: schedule, DurationSeconds: int32(hours * 3600), TimeZone: zone}
}

func at(t *testing.T, text string) time.Time {
	t.Helper()
	parsed, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// say is a State on one line, in UTC.
func say(s maintenance.State) string {
	switch {
	case s.Open && s.Window == "":
		return "open, always"
	case s.Open:
		return "open, " + s.Window + " until " + s.Until.UTC().Format(time.RFC3339)
	}
	return "closed until " + s.Next.UTC().Format(time.RFC3339)
}

func TestWhenAWindowIsOpen(t *testing.T) {
	// 2026-11-23 is a Monday.
	weekNights := nights("nights", "0 22 * * 1-4", 8, "")
	for name, tc := range map[string]struct {
		windows []fleetwrightv1.MaintenanceWindow
		now     string
		want    string
	}{
		"no windows":                       {nil, "2026-11-23T12:00:00Z", "open, always"},
		"before it opens":                  {[]fleetwrightv1.MaintenanceWindow{weekNights}, "2026-11-23T21:59:59Z", "closed until 2026-11-23T22:00:00Z"},
		"as it opens":                      {[]fleetwrightv1.MaintenanceWindow{weekNights}, "2026-11-23T22:00:00Z", "open, nights until 2026-11-24T06:00:00Z"},
		"after midnight":                   {[]fleetwrightv1.MaintenanceWindow{weekNights}, "2026-11-24T05:59:59.9Z", "open, nights until 2026-11-24T06:00:00Z"},
		"as it closes":                     {[]fleetwrightv1.MaintenanceWindow{weekNights}, "2026-11-24T06:00:00Z", "closed until 2026-11-24T22:00:00Z"},
		"over a weekend":                   {[]fleetwrightv1.MaintenanceWindow{weekNights}, "2026-11-27T12:00:00Z", "closed until 2026-11-30T22:00:00Z"},
		"now in another zone":              {[]fleetwrightv1.MaintenanceWindow{weekNights}, "2026-11-24T07:30:00+09:00", "open, nights until 2026-11-24T06:00:00Z"},
		"its own zone, winter":             {[]fleetwrightv1.MaintenanceWindow{nights("n", "0 22 * * *", 1, "Europe/Berlin")}, "2026-01-05T12:00:00Z", "closed until 2026-01-05T21:00:00Z"},
		"its own zone, summer":             {[]fleetwrightv1.MaintenanceWindow{nights("n", "0 22 * * *", 1, "Europe/Berlin")}, "2026-07-05T12:00:00Z", "closed until 2026-07-05T20:00:00Z"},
		"the day is the zone's":            {[]fleetwrightv1.MaintenanceWindow{nights("n", "30 5 * * MON", 1, "Asia/Kolkata")}, "2026-11-22T12:00:00Z", "closed until 2026-11-23T00:00:00Z"},
		"as one closes it opens again":     {[]fleetwrightv1.MaintenanceWindow{nights("n", "0 */2 * * *", 2, "")}, "2026-11-23T04:00:00Z", "open, n until 2026-11-23T06:00:00Z"},
		"longer than its period":           {[]fleetwrightv1.MaintenanceWindow{nights("n", "0 22 * * *", 48, "")}, "2026-11-23T21:00:00Z", "open, n until 2026-11-24T22:00:00Z"},
		"every minute for a week":          {[]fleetwrightv1.MaintenanceWindow{nights("n", "* * * * *", 168, "")}, "2026-11-23T21:00:30Z", "open, n until 2026-11-30T21:00:00Z"},
		"the next of several":              {[]fleetwrightv1.MaintenanceWindow{nights("late", "0 23 * * *", 1, ""), nights("early", "0 20 * * *", 1, "")}, "2026-11-23T12:00:00Z", "closed until 2026-11-23T20:00:00Z"},
		"of two open the one that lasts":   {[]fleetwrightv1.MaintenanceWindow{nights("short", "0 20 * * *", 3, ""), nights("long", "0 21 * * *", 3, "")}, "2026-11-23T21:30:00Z", "open, long until 2026-11-24T00:00:00Z"},
		"the one that lasts is not first":  {[]fleetwrightv1.MaintenanceWindow{nights("long", "0 20 * * *", 5, ""), nights("short", "0 21 * * *", 1, "")}, "2026-11-23T21:30:00Z", "open, long until 2026-11-24T01:00:00Z"},
		"of two that end together":         {[]fleetwrightv1.MaintenanceWindow{nights("first", "0 20 * * *", 3, ""), nights("second", "0 21 * * *", 2, "")}, "2026-11-23T21:30:00Z", "open, first until 2026-11-23T23:00:00Z"},
		"one open, another closed":         {[]fleetwrightv1.MaintenanceWindow{nights("closed", "0 3 * * *", 1, ""), nights("open", "0 21 * * *", 1, "")}, "2026-11-23T21:30:00Z", "open, open until 2026-11-23T22:00:00Z"},
		"the last day of the month":        {[]fleetwrightv1.MaintenanceWindow{nights("n", "0 2 L * *", 1, "")}, "2028-02-10T00:00:00Z", "closed until 2028-02-29T02:00:00Z"},
		"the first Monday of the month":    {[]fleetwrightv1.MaintenanceWindow{nights("n", "0 2 * * MON#1", 1, "")}, "2026-11-10T00:00:00Z", "closed until 2026-12-07T02:00:00Z"},
		"the last Sunday, as 7":            {[]fleetwrightv1.MaintenanceWindow{nights("n", "0 2 * * 7#L", 1, "")}, "2026-11-10T00:00:00Z", "closed until 2026-11-29T02:00:00Z"},
		"29 February":                      {[]fleetwrightv1.MaintenanceWindow{nights("n", "0 2 29 2 *", 1, "Europe/Berlin")}, "2026-11-10T00:00:00Z", "closed until 2028-02-29T01:00:00Z"},
		"a fifth Monday in February":       {[]fleetwrightv1.MaintenanceWindow{nights("n", "0 2 * 2 MON#5", 1, "Europe/Berlin")}, "2026-11-10T00:00:00Z", "closed until 2044-02-29T01:00:00Z"},
		"spring: skipped, so an hour late": {[]fleetwrightv1.MaintenanceWindow{nights("n", "30 2 * * *", 1, "Europe/Berlin")}, "2026-03-29T01:29:59Z", "closed until 2026-03-29T01:30:00Z"},
		"spring: open an hour late":        {[]fleetwrightv1.MaintenanceWindow{nights("n", "30 2 * * *", 1, "Europe/Berlin")}, "2026-03-29T01:30:00Z", "open, n until 2026-03-29T02:30:00Z"},
		"spring: the day after as ever":    {[]fleetwrightv1.MaintenanceWindow{nights("n", "30 2 * * *", 1, "Europe/Berlin")}, "2026-03-29T02:30:00Z", "closed until 2026-03-30T00:30:00Z"},
		"spring: the hours are elapsed":    {[]fleetwrightv1.MaintenanceWindow{nights("n", "0 22 * * *", 8, "Europe/Berlin")}, "2026-03-29T04:59:59Z", "open, n until 2026-03-29T05:00:00Z"},
		"autumn: the first time":           {[]fleetwrightv1.MaintenanceWindow{nights("n", "30 2 * * *", 0.5, "Europe/Berlin")}, "2026-10-25T00:30:00Z", "open, n until 2026-10-25T01:00:00Z"},
		"autumn: not the second time":      {[]fleetwrightv1.MaintenanceWindow{nights("n", "30 2 * * *", 0.5, "Europe/Berlin")}, "2026-10-25T01:30:00Z", "closed until 2026-10-26T01:30:00Z"},
		"autumn: the hours are elapsed":    {[]fleetwrightv1.MaintenanceWindow{nights("n", "0 22 * * *", 8, "Europe/Berlin")}, "2026-10-25T03:59:59Z", "open, n until 2026-10-25T04:00:00Z"},
		"half an hour is put back":         {[]fleetwrightv1.MaintenanceWindow{nights("n", "45 1 * * *", 0.25, "Australia/Lord_Howe")}, "2026-04-04T15:05:00Z", "closed until 2026-04-05T15:15:00Z"},
		"midnight is skipped":              {[]fleetwrightv1.MaintenanceWindow{nights("n", "0 0 * * *", 1, "Africa/Cairo")}, "2026-04-23T21:59:59Z", "closed until 2026-04-23T22:00:00Z"},
		"the day that Samoa skipped":       {[]fleetwrightv1.MaintenanceWindow{nights("n", "0 2 30 12 *", 1, "Pacific/Apia")}, "2011-12-30T09:00:00Z", "closed until 2011-12-30T12:00:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := maintenance.At(fleetwrightv1.MaintenancePolicy{Windows: tc.windows}, at(t, tc.now))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, say(got)); diff != "" {
				t.Errorf("At(%s) (-want +got):\n%s", tc.now, diff)
			}
			if got.Open != got.Next.IsZero() || got.Open && got.Window != "" && got.Until.IsZero() {
				t.Errorf("At(%s) contradicts itself: %+v", tc.now, got)
			}
		})
	}
}

func TestWindowsThatCannotBeUnderstood(t *testing.T) {
	for name, tc := range map[string]struct {
		window fleetwrightv1.MaintenanceWindow
		want   string
	}{
		"unknown zone": {
			nights("n", "0 22 * * *", 1, "Europe/Berlim"),
			`maintenance window n: timeZone "Europe/Berlim" is no time zone of the IANA database: write a name such as Europe/Berlin, or leave it out for UTC`,
		},
		"the container's zone": {
			nights("n", "0 22 * * *", 1, "Local"),
			`maintenance window n: timeZone "Local" is no time zone of the IANA database: write a name such as Europe/Berlin, or leave it out for UTC`,
		},
		"a zone in the schedule": {
			nights("n", "TZ=Asia/Tokyo 0 22 * * *", 1, ""),
			`maintenance window n: schedule "TZ=Asia/Tokyo 0 22 * * *" names a time zone: write it into timeZone`,
		},
		"hour 25": {
			nights("n", "0 25 * * *", 1, ""),
			`maintenance window n: schedule "0 25 * * *" cannot be read (end of range (25) above maximum (23): "25"): write the five fields of cron, for example "0 22 * * 1-4"`,
		},
		"a descriptor": {
			nights("n", "@every 1h", 1, ""),
			`maintenance window n: schedule "@every 1h" cannot be read (parser does not accept descriptors: "@every 1h"): write the five fields of cron, for example "0 22 * * 1-4"`,
		},
		"four fields": {
			nights("n", "0 22 * *", 1, ""),
			`maintenance window n: schedule "0 22 * *" cannot be read (expected exactly 5 fields, found 4: [0 22 * *]): write the five fields of cron, for example "0 22 * * 1-4"`,
		},
		"a field of commas": {
			nights("n", ", 22 * * *", 1, ""),
			`maintenance window n: schedule ", 22 * * *" leaves a field empty: write the five fields of cron, for example "0 22 * * 1-4"`,
		},
		"30 February": {
			nights("n", "0 22 30 2 *", 1, "Europe/Berlin"),
			`maintenance window n: schedule "0 22 30 2 *" names a time that never comes: choose days that exist`,
		},
		"a day of the month and of the week": {
			nights("n", "0 22 1-7 * MON", 1, ""),
			`maintenance window n: schedule "0 22 1-7 * MON" restricts both day of month and day of week, of which cron needs one and others both: write * for one of them ("0 22 * * MON#1" is the first Monday)`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			policy := fleetwrightv1.MaintenancePolicy{Windows: []fleetwrightv1.MaintenanceWindow{nights("fine", "0 22 * * *", 1, ""), tc.window}}
			got, err := maintenance.At(policy, at(t, "2026-11-23T12:00:00Z"))
			if err == nil {
				t.Fatalf("At() = %s, want an error", say(got))
			}
			if diff := cmp.Diff(tc.want, err.Error()); diff != "" {
				t.Errorf("At() says (-want +got):\n%s", diff)
			}
			if strings.Contains(err.Error(), "\n") || got != (maintenance.State{}) {
				t.Errorf("At() = %+v beside its error", got)
			}
		})
	}
}
