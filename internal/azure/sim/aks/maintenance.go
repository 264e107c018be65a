package aks

import (
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/fleetwright/fleetwright/internal/azure/sim/armerr"
	"github.com/fleetwright/fleetwright/internal/azure/sim/armjson"
)

// Names of the maintenance configurations that a cluster may have.
const (
	// MaintenanceDefault is for AKS's own weekly releases.
	MaintenanceDefault = "default"
	// MaintenanceUpgrade is for upgrades of the Kubernetes version by an upgrade channel.
	MaintenanceUpgrade = "aksManagedAutoUpgradeSchedule"
	// MaintenanceNodeOS is for security updates of nodes by a node OS upgrade channel.
	MaintenanceNodeOS = "aksManagedNodeOSUpgradeSchedule"
)

var (
	startTime = regexp.MustCompile(`^([01]\d|2[0-3]):[0-5]\d$`)
	utcOffset = regexp.MustCompile(`^[-+](0\d|1[0-4]):[0-5]\d$`)
)

// maintenance are the properties of a maintenance configuration, as far as rules look at them.
type maintenance struct {
	TimeInWeek []struct {
		Day       string `json:"day"`
		HourSlots []int  `json:"hourSlots"`
	} `json:"timeInWeek"`
	NotAllowedTime []struct {
		Start time.Time `json:"start"`
		End   time.Time `json:"end"`
	} `json:"notAllowedTime"`
	Window *maintenanceWindow `json:"maintenanceWindow"`
}

type maintenanceWindow struct {
	DurationHours   *int     `json:"durationHours"`
	StartDate       string   `json:"startDate"`
	StartTime       string   `json:"startTime"`
	UTCOffset       string   `json:"utcOffset"`
	Schedule        schedule `json:"schedule"`
	NotAllowedDates []struct {
		Start string `json:"start"`
		End   string `json:"end"`
	} `json:"notAllowedDates"`
}

type schedule struct {
	Daily *struct {
		IntervalDays int `json:"intervalDays"`
	} `json:"daily"`
	Weekly *struct {
		IntervalWeeks int    `json:"intervalWeeks"`
		DayOfWeek     string `json:"dayOfWeek"`
	} `json:"weekly"`
	AbsoluteMonthly *struct {
		IntervalMonths int `json:"intervalMonths"`
		DayOfMonth     int `json:"dayOfMonth"`
	} `json:"absoluteMonthly"`
	RelativeMonthly *struct {
		IntervalMonths int    `json:"intervalMonths"`
		WeekIndex      string `json:"weekIndex"`
		DayOfWeek      string `json:"dayOfWeek"`
	} `json:"relativeMonthly"`
}

// CheckMaintenance refuses a maintenance configuration that AKS would not take.
func CheckMaintenance(name string, properties armjson.Object) error {
	if !slices.Contains([]string{MaintenanceDefault, MaintenanceUpgrade, MaintenanceNodeOS}, name) {
		return invalid("configName", "Only 'default', 'aksManagedAutoUpgradeSchedule' and 'aksManagedNodeOSUpgradeSchedule' are allowed configNames for maintenance configuration.")
	}
	var m maintenance
	if err := armjson.Decode(properties, &m); err != nil {
		return armerr.BadRequest("InvalidRequestContent", "The request content was invalid and could not be deserialized: '%v'.", err).OnProperty("properties")
	}
	if m.Window == nil {
		return m.checkWeek(name)
	}
	if len(m.TimeInWeek)+len(m.NotAllowedTime) > 0 {
		return invalid("properties", "timeInWeek and notAllowedTime cannot be used together with maintenanceWindow in maintenance configuration: %s.", name)
	}
	if err := m.Window.check(); err != nil {
		return err
	}
	return m.Window.Schedule.check(name)
}

// checkWeek is about the older form, hours of the week, which only the default configuration has.
func (m maintenance) checkWeek(name string) error {
	if name != MaintenanceDefault {
		return invalid("properties.maintenanceWindow", "maintenanceWindow is required for maintenance configuration: %s.", name)
	}
	if len(m.TimeInWeek)+len(m.NotAllowedTime) == 0 {
		return invalid("properties.timeInWeek", "timeInWeek, notAllowedTime or maintenanceWindow is required for maintenance configuration: default.")
	}
	for i, w := range m.TimeInWeek {
		if err := oneOf(fmt.Sprintf("properties.timeInWeek[%d].day", i), w.Day, weekDays()); err != nil {
			return err
		}
		for _, hour := range w.HourSlots {
			if err := between(fmt.Sprintf("properties.timeInWeek[%d].hourSlots", i), hour, 0, 23); err != nil {
				return err
			}
		}
	}
	for i, span := range m.NotAllowedTime {
		if !span.Start.Before(span.End) {
			return invalid("properties.notAllowedTime", "The value of parameter properties.notAllowedTime[%d] is invalid: it has to end after it starts.", i)
		}
	}
	return nil
}

func (w maintenanceWindow) check() error {
	if w.DurationHours == nil {
		return invalid("properties.maintenanceWindow.durationHours", "Required parameter properties.maintenanceWindow.durationHours is missing (null).")
	}
	if err := between("properties.maintenanceWindow.durationHours", *w.DurationHours, 4, 24); err != nil {
		return err
	}
	if !startTime.MatchString(w.StartTime) {
		return invalid("properties.maintenanceWindow.startTime", "The value of parameter properties.maintenanceWindow.startTime is invalid: '%s' is not a time from 00:00 to 23:59.", w.StartTime)
	}
	if w.UTCOffset != "" && !utcOffset.MatchString(w.UTCOffset) {
		return invalid("properties.maintenanceWindow.utcOffset", "The value of parameter properties.maintenanceWindow.utcOffset is invalid: '%s' is not of the form +/-HH:mm.", w.UTCOffset)
	}
	if w.StartDate != "" && !isDate(w.StartDate) {
		return invalid("properties.maintenanceWindow.startDate", "The value of parameter properties.maintenanceWindow.startDate is invalid: '%s' is not a date.", w.StartDate)
	}
	for i, span := range w.NotAllowedDates {
		if !isDate(span.Start) || !isDate(span.End) || span.End < span.Start {
			return invalid("properties.maintenanceWindow.notAllowedDates", "The value of parameter properties.maintenanceWindow.notAllowedDates[%d] is invalid: "+
				"'%s' to '%s' are not two dates in order.", i, span.Start, span.End)
		}
	}
	return nil
}

func isDate(s string) bool {
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}

// check refuses a schedule that is not exactly one of the four, or not one that the configuration may have.
func (s schedule) check(name string) error {
	const at = "properties.maintenanceWindow.schedule."
	given := 0
	var err error
	if d := s.Daily; d != nil {
		given++
		err = between(at+"daily.intervalDays", d.IntervalDays, 1, 7)
		if name != MaintenanceNodeOS {
			err = invalid(at+"daily", "Daily schedule is only supported for node OS upgrade maintenance configuration: %s.", MaintenanceNodeOS)
		}
	}
	if w := s.Weekly; w != nil {
		given++
		err = firstError(between(at+"weekly.intervalWeeks", w.IntervalWeeks, 1, 4), oneOf(at+"weekly.dayOfWeek", w.DayOfWeek, weekDays()))
	}
	if m := s.AbsoluteMonthly; m != nil {
		given++
		err = firstError(between(at+"absoluteMonthly.intervalMonths", m.IntervalMonths, 1, 6), between(at+"absoluteMonthly.dayOfMonth", m.DayOfMonth, 1, 31))
	}
	if m := s.RelativeMonthly; m != nil {
		given++
		err = firstError(between(at+"relativeMonthly.intervalMonths", m.IntervalMonths, 1, 6), oneOf(at+"relativeMonthly.dayOfWeek", m.DayOfWeek, weekDays()),
			oneOf(at+"relativeMonthly.weekIndex", m.WeekIndex, []string{"First", "Second", "Third", "Fourth", "Last"}))
	}
	switch {
	case given != 1:
		return invalid("properties.maintenanceWindow.schedule", "One and only one of the schedule types should be specified. "+
			"Choose either 'daily', 'weekly', 'absoluteMonthly' or 'relativeMonthly' for your maintenance schedule.")
	case name == MaintenanceDefault && (s.Weekly == nil || s.Weekly.IntervalWeeks != 1):
		return invalid("properties.maintenanceWindow.schedule", "Only weekly schedule is supported for control plane upgrade maintenance configuration: default.")
	default:
		return err
	}
}

func weekDays() []string {
	return []string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func between(parameter string, value, least, most int) error {
	if value < least || value > most {
		return invalid(parameter, "The value of parameter %s is invalid: %d is not from %d to %d.", parameter, value, least, most)
	}
	return nil
}

func oneOf(parameter, value string, known []string) error {
	if !slices.Contains(known, value) {
		return invalid(parameter, "The value of parameter %s is invalid: '%s' is none of %v.", parameter, value, known)
	}
	return nil
}
