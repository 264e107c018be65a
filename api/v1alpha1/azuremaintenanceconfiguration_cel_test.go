package v1alpha1_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

func maintenanceConfiguration(t *testing.T, name, spec string) *unstructured.Unstructured {
	t.Helper()
	object := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "fleetwright.io/v1alpha1", "kind": "AzureMaintenanceConfiguration", "metadata": map[string]any{"name": name, "namespace": "default"},
	}}
	var fields map[string]any
	if err := yaml.Unmarshal([]byte(spec), &fields); err != nil {
		t.Fatal(err)
	}
	object.Object["spec"] = fields
	return object
}

func TestAzureMaintenanceConfigurationAdmission(t *testing.T) {
	const (
		nodeOS = "clusterName: c1\ntype: aksManagedNodeOSUpgradeSchedule\n"
		weekly = "schedule: {weekly: {intervalWeeks: 1, dayOfWeek: Sunday}}, "
		rest   = `startTime: "01:00", durationHours: 4`
		field  = "spec.window."
	)
	schedule := func(s string) string { return nodeOS + "window: {schedule: {" + s + "}, " + rest + "}" }
	for name, test := range map[string]struct {
		name, spec string
		want       []string // field: sentence; empty: accepted
	}{
		"everything": {spec: nodeOS + "window: {" + weekly + rest + `, utcOffset: "-07:00", startDate: "2026-12-01", notAllowedDates: [{start: "2026-12-20", end: "2027-01-03"}, {start: "2027-02-01", end: "2027-02-01"}]}
driftPolicy: Adopt
reconcile: Paused
deletionPolicy: Retain`},
		"every third day":        {spec: schedule("daily: {intervalDays: 3}")},
		"the 15th":               {spec: schedule("absoluteMonthly: {intervalMonths: 1, dayOfMonth: 15}")},
		"the last Friday":        {spec: schedule("relativeMonthly: {intervalMonths: 6, weekIndex: Last, dayOfWeek: Friday}")},
		"default, every week":    {name: "c1-default", spec: "clusterName: c1\ntype: default\nwindow: {" + weekly + rest + "}"},
		"auto-upgrade, each day": {name: "c1-aksmanagedautoupgradeschedule", spec: "clusterName: c1\ntype: aksManagedAutoUpgradeSchedule\nwindow: {schedule: {daily: {intervalDays: 1}}, " + rest + "}"},

		"default, every day": {
			name: "c1-default", spec: "clusterName: c1\ntype: default\nwindow: {schedule: {daily: {intervalDays: 1}}, " + rest + "}",
			want: []string{"spec: type default takes a weekly schedule only: AKS' own releases come every week"},
		},
		"another name": {
			name: "c1-windows", spec: nodeOS + "window: {" + weekly + rest + "}",
			want: []string{"<nil>: name must be spec.clusterName, a dash and spec.type in lower case: one AzureMaintenanceConfiguration per cluster and type"},
		},
		"another type": {
			spec: "clusterName: c1\ntype: weekly\nwindow: {" + weekly + rest + "}",
			want: []string{`spec.type: Unsupported value: "weekly": supported values: "default", "aksManagedAutoUpgradeSchedule", "aksManagedNodeOSUpgradeSchedule"`},
		},
		"nothing":         {spec: "{}", want: []string{"spec.clusterName: Required value", "spec.type: Required value", "spec.window: Required value"}},
		"an empty window": {spec: nodeOS + "window: {}", want: []string{field + "durationHours: Required value", field + "schedule: Required value", field + "startTime: Required value"}},
		"no schedule":     {spec: schedule(""), want: []string{field + "schedule: " + field + "schedule in body should have at least 1 properties"}},
		"two schedules": {
			spec: schedule("daily: {intervalDays: 1}, weekly: {intervalWeeks: 1, dayOfWeek: Sunday}"),
			want: []string{field + "schedule: give only one of daily, weekly, absoluteMonthly and relativeMonthly"},
		},
		"half a schedule": {spec: schedule("weekly: {intervalWeeks: 1}"), want: []string{field + "schedule.weekly.dayOfWeek: Required value"}},
		"never":           {spec: schedule("daily: {intervalDays: 0}"), want: []string{field + "schedule.daily.intervalDays: " + field + "schedule.daily.intervalDays in body should be greater than or equal to 1"}},
		"every 8 days":    {spec: schedule("daily: {intervalDays: 8}"), want: []string{field + "schedule.daily.intervalDays: " + field + "schedule.daily.intervalDays in body should be less than or equal to 7"}},
		"every 5 weeks": {
			spec: schedule("weekly: {intervalWeeks: 5, dayOfWeek: Sunday}"),
			want: []string{field + "schedule.weekly.intervalWeeks: " + field + "schedule.weekly.intervalWeeks in body should be less than or equal to 4"},
		},
		"every 7 months": {
			spec: schedule("absoluteMonthly: {intervalMonths: 7, dayOfMonth: 1}"),
			want: []string{field + "schedule.absoluteMonthly.intervalMonths: " + field + "schedule.absoluteMonthly.intervalMonths in body should be less than or equal to 6"},
		},
		"three hours": {
			spec: nodeOS + "window: {" + weekly + `startTime: "01:00", durationHours: 3}`,
			want: []string{field + "durationHours: " + field + "durationHours in body should be greater than or equal to 4"},
		},
		"no time": {
			spec: nodeOS + "window: {" + weekly + `startTime: "24:00", durationHours: 4}`,
			want: []string{field + "startTime: " + field + `startTime in body should match '^([01][0-9]|2[0-3]):[0-5][0-9]$'`},
		},
		"no offset": {
			spec: nodeOS + "window: {" + weekly + rest + `, utcOffset: "+15:00"}`,
			want: []string{field + "utcOffset: " + field + `utcOffset in body should match '^[-+](0[0-9]|1[0-4]):[0-5][0-9]$'`},
		},
		"the wrong order": {
			spec: nodeOS + "window: {" + weekly + rest + `, notAllowedDates: [{start: "2027-01-03", end: "2026-12-20"}]}`,
			want: []string{field + "notAllowedDates[0]: start must not be after end"},
		},
		"no date": {
			spec: nodeOS + "window: {" + weekly + rest + `, startDate: "2026-13-01"}`,
			want: []string{field + "startDate: " + field + `startDate in body should match '^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$'`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if test.name == "" {
				test.name = "c1-aksmanagednodeosupgradeschedule"
			}
			err := server.Create(t.Context(), maintenanceConfiguration(t, test.name, test.spec), client.DryRunAll)
			if diff := cmp.Diff(test.want, refusals(t, err)); diff != "" {
				t.Errorf("refused differently (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAzureMaintenanceConfigurationStaysWhatItIs(t *testing.T) {
	object := maintenanceConfiguration(t, "c1-default", `{clusterName: c1, type: default, window: {schedule: {weekly: {intervalWeeks: 1, dayOfWeek: Sunday}}, startTime: "01:00", durationHours: 4}}`)
	if err := server.Create(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	set(t, object, "02:00", "spec", "window", "startTime")
	if err := server.Update(t.Context(), object); err != nil {
		t.Fatalf("another time was refused: %v", err)
	}
	set(t, object, "aksManagedAutoUpgradeSchedule", "spec", "type")
	got := strings.Join(refusals(t, server.Update(t.Context(), object)), "\n")
	if want := "spec: type and clusterName are immutable: create another AzureMaintenanceConfiguration"; !strings.Contains(got, want) {
		t.Errorf("refused with %q", got)
	}
}
