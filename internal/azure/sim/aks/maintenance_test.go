package aks_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/fleetwright/fleetwright/internal/azure/sim/aks"
	"github.com/fleetwright/fleetwright/internal/azure/sim/armjson"
)

func TestCheckMaintenance(t *testing.T) {
	const (
		upgrade, nodeOS = aks.MaintenanceUpgrade, aks.MaintenanceNodeOS
		weekly          = `"weekly": {"intervalWeeks": 1, "dayOfWeek": "Monday"}`
	)
	window := func(schedule string, more ...string) string {
		return `{"maintenanceWindow": {"durationHours": 4, "startTime": "02:00", "schedule": {` + schedule + `}` + strings.Join(append([]string{""}, more...), ", ") + `}}`
	}
	for name, test := range map[string]struct{ config, body, refused string }{
		"hours of the week":               {"default", `{"timeInWeek": [{"day": "Monday", "hourSlots": [0, 23]}]}`, ""},
		"not allowed time":                {"default", `{"notAllowedTime": [{"start": "2026-12-24T00:00:00Z", "end": "2026-12-27T00:00:00Z"}]}`, ""},
		"default, each week":              {"default", window(weekly), ""},
		"upgrades, each month":            {upgrade, window(`"absoluteMonthly": {"intervalMonths": 6, "dayOfMonth": 31}`), ""},
		"upgrades, last Sunday":           {upgrade, window(`"relativeMonthly": {"intervalMonths": 1, "dayOfWeek": "Sunday", "weekIndex": "Last"}`), ""},
		"nodes, each day":                 {nodeOS, window(`"daily": {"intervalDays": 7}`), ""},
		"everything":                      {upgrade, window(weekly, `"utcOffset": "-07:30"`, `"startDate": "2026-01-01"`, `"notAllowedDates": [{"start": "2026-12-24", "end": "2026-12-24"}]`), ""},
		"another name":                    {"nightly", window(weekly), "Only 'default', 'aksManagedAutoUpgradeSchedule' and"},
		"default, each day":               {"default", window(`"daily": {"intervalDays": 1}`), "Only weekly schedule is supported"},
		"default, each month":             {"default", window(`"absoluteMonthly": {"intervalMonths": 1, "dayOfMonth": 1}`), "Only weekly schedule is supported for control plane upgrade maintenance configuration: default."},
		"default, each second week":       {"default", window(`"weekly": {"intervalWeeks": 2, "dayOfWeek": "Monday"}`), "Only weekly schedule"},
		"upgrades, each day":              {upgrade, window(`"daily": {"intervalDays": 1}`), "Daily schedule is only"},
		"upgrades by hours of the week":   {upgrade, `{"timeInWeek": [{"day": "Monday", "hourSlots": [1]}]}`, "maintenanceWindow is required"},
		"both forms":                      {"default", strings.Replace(window(weekly), `{`, `{"timeInWeek": [{"day": "Monday", "hourSlots": [1]}], `, 1), "together with maintenanceWindow"},
		"nothing":                         {"default", `{}`, "timeInWeek, notAllowedTime or maintenanceWindow is required"},
		"no schedule":                     {upgrade, window(""), "One and only one"},
		"two schedules":                   {nodeOS, window(weekly + `, "daily": {"intervalDays": 1}`), "One and only one"},
		"hour 24":                         {"default", `{"timeInWeek": [{"day": "Monday", "hourSlots": [24]}]}`, "timeInWeek[0].hourSlots is invalid: 24 is not from 0 to 23"},
		"an unknown day":                  {"default", `{"timeInWeek": [{"day": "Mon", "hourSlots": [1]}]}`, "timeInWeek[0].day"},
		"backward span":                   {"default", `{"notAllowedTime": [{"start": "2026-12-27T00:00:00Z", "end": "2026-12-24T00:00:00Z"}]}`, "notAllowedTime[0]"},
		"three hours":                     {upgrade, strings.Replace(window(weekly), "4", "3", 1), "durationHours is invalid: 3 is not from 4 to 24"},
		"no hours":                        {upgrade, strings.Replace(window(weekly), `"durationHours": 4, `, "", 1), "durationHours is missing"},
		"no start":                        {upgrade, strings.Replace(window(weekly), "02:00", "", 1), "startTime is invalid"},
		"start at 24":                     {upgrade, strings.Replace(window(weekly), "02:00", "24:00", 1), "startTime is invalid"},
		"offset without a sign":           {upgrade, window(weekly, `"utcOffset": "02:00"`), "utcOffset is invalid"},
		"no date":                         {upgrade, window(weekly, `"startDate": "2026-02-30"`), "startDate is invalid"},
		"backward dates":                  {upgrade, window(weekly, `"notAllowedDates": [{"start": "2026-12-24", "end": "2026-12-23"}]`), "notAllowedDates[0]"},
		"each fifth week":                 {upgrade, window(`"weekly": {"intervalWeeks": 5, "dayOfWeek": "Monday"}`), "weekly.intervalWeeks is invalid"},
		"each week on no day":             {upgrade, window(`"weekly": {"intervalWeeks": 1}`), "weekly.dayOfWeek is invalid"},
		"day 0":                           {upgrade, window(`"absoluteMonthly": {"intervalMonths": 1}`), "absoluteMonthly.dayOfMonth is invalid"},
		"each seventh month":              {upgrade, window(`"absoluteMonthly": {"intervalMonths": 7, "dayOfMonth": 1}`), "absoluteMonthly.intervalMonths is invalid"},
		"fifth Sunday":                    {upgrade, window(`"relativeMonthly": {"intervalMonths": 1, "dayOfWeek": "Sunday", "weekIndex": "Fifth"}`), "relativeMonthly.weekIndex is invalid"},
		"nodes, each eighth day":          {nodeOS, window(`"daily": {"intervalDays": 8}`), "daily.intervalDays is invalid"},
		"a number that is a string":       {upgrade, strings.Replace(window(weekly), `: 4`, `: "4"`, 1), "could not be deserialized"},
		"a number that is not whole":      {upgrade, strings.Replace(window(weekly), `: 4`, `: 4.5`, 1), "could not be deserialized"},
		"hours of the week, not together": {nodeOS, `{}`, "maintenanceWindow is required"},
	} {
		t.Run(name, func(t *testing.T) {
			var properties armjson.Object
			if err := json.Unmarshal([]byte(test.body), &properties); err != nil {
				t.Fatal(err)
			}
			err := aks.CheckMaintenance(test.config, properties)
			if (test.refused != "") != (err != nil) || err != nil && !strings.Contains(err.Error(), test.refused) {
				t.Errorf("got %v, want %q", err, test.refused)
			}
		})
	}
}
