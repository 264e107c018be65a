package maintenance_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fleetwright/fleetwright/internal/additionalconfig/maintenance"
	"github.com/fleetwright/fleetwright/internal/additionalconfig/section/sectiontest"
)

func TestWhatMaintenanceConfigurationsBecome(t *testing.T) {
	sectiontest.Becomes(t, maintenance.Section, map[string][]string{
		"two": {
			`maintenanceConfigurations:
- {type: default, window: {schedule: {weekly: {intervalWeeks: 1, dayOfWeek: Sunday}}, startTime: "01:00", durationHours: 4}}
- type: aksManagedNodeOSUpgradeSchedule
  window: {schedule: {daily: {intervalDays: 1}}, startTime: "02:00", durationHours: 6, utcOffset: "+01:00", notAllowedDates: [{start: "2026-12-20", end: "2027-01-03"}]}`,
			`c-default {"type":"default","window":{"schedule":{"weekly":{"intervalWeeks":1,"dayOfWeek":"Sunday"}},"startTime":"01:00","durationHours":4}}`,
			`c-aksmanagednodeosupgradeschedule {"type":"aksManagedNodeOSUpgradeSchedule","window":{"schedule":{"daily":{"intervalDays":1}},"startTime":"02:00","durationHours":6,` +
				`"utcOffset":"+01:00","notAllowedDates":[{"start":"2026-12-20","end":"2027-01-03"}]}}`,
		},
		"other sections": {"autoscaler: {expander: random}"},
	})
}

// The proof that a section is added without touching any code but its own: besides this package, the feature knows of it in the one list
// of sections, by an import and a line.
func TestAddingASectionTakesOneLine(t *testing.T) {
	var known []string
	err := filepath.WalkDir("..", func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			if entry != nil && entry.Name() == "maintenance" {
				return filepath.SkipDir
			}
			return err
		}
		content, err := os.ReadFile(path)
		for line := range strings.Lines(string(content)) {
			if strings.Contains(strings.ToLower(line), "maintenance") {
				known = append(known, filepath.Base(path)+": "+strings.TrimSpace(line))
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		`sections.go: "github.com/fleetwright/fleetwright/internal/additionalconfig/maintenance"`,
		`sections.go: maintenance.Section,`,
	}
	if strings.Join(known, "\n") != strings.Join(want, "\n") {
		t.Errorf("the feature knows of the section here:\n%s", strings.Join(known, "\n"))
	}
}
