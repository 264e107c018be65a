package maintenanceconfiguration

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerservice/armcontainerservice/v8"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/drift"
)

// utc is what AKS takes a window's clock for when nothing is said.
const utc = "+00:00"

// inAzure is a maintenance configuration as Azure has it.
type inAzure struct {
	id     string
	window fleetwrightv1.AzureMaintenanceWindow
	// changedBy and changedAt are empty where Azure does not say.
	changedBy string
	changedAt time.Time
}

// declared is the window in the words in which it is compared: what the spec leaves open is not in it.
func declared(w fleetwrightv1.AzureMaintenanceWindow) (map[string]any, error) {
	if w.UTCOffset == "" {
		w.UTCOffset = utc
	}
	fields, err := plain(w)
	if err == nil && len(w.NotAllowedDates) == 0 {
		fields["notAllowedDates"] = []any{} // there shall be none
	}
	return fields, err
}

// differences are the fields in which Azure is not as declared; found is nil when it has no such configuration.
func differences(wanted fleetwrightv1.AzureMaintenanceWindow, found *inAzure) ([]drift.Field, error) {
	fields, err := declared(wanted)
	if err != nil || found == nil {
		return drift.Compare(fields, nil), err
	}
	has := found.window
	if has.UTCOffset == "" {
		has.UTCOffset = utc
	}
	is, err := plain(has)
	return drift.Compare(fields, is), err
}

// fingerprint tells one declared window from another.
func fingerprint(w fleetwrightv1.AzureMaintenanceWindow) (string, error) {
	fields, err := declared(w)
	if err != nil {
		return "", err
	}
	raw, err := json.Marshal(fields) // in the order of names
	if err != nil {
		return "", fmt.Errorf("write down the window: %w", err)
	}
	sum := sha256.Sum256(raw)
	return "1:" + hex.EncodeToString(sum[:]), nil
}

// marked is true when a window that Azure has is the one of which a mark is the fingerprint.
func marked(has fleetwrightv1.AzureMaintenanceWindow, mark string) (bool, error) {
	whole, err := fingerprint(has)
	if err != nil {
		return false, err
	}
	has.StartDate = "" // Azure fills it in where it was left open
	open, err := fingerprint(has)
	return whole == mark || open == mark, err
}

func plain(w fleetwrightv1.AzureMaintenanceWindow) (map[string]any, error) {
	raw, err := json.Marshal(w)
	if err != nil {
		return nil, fmt.Errorf("write down the window: %w", err)
	}
	fields := map[string]any{}
	if err := json.Unmarshal(raw, &fields); err != nil {
		return nil, fmt.Errorf("read the window: %w", err)
	}
	return fields, nil
}

// forAzure is the whole configuration that is written. found lends what the spec leaves open.
func forAzure(w fleetwrightv1.AzureMaintenanceWindow, found *inAzure) (armcontainerservice.MaintenanceConfiguration, error) {
	out := &armcontainerservice.MaintenanceWindow{
		DurationHours: to.Ptr(w.DurationHours), StartTime: to.Ptr(w.StartTime), UTCOffset: to.Ptr(utc), Schedule: scheduleForAzure(w.Schedule),
	}
	if w.UTCOffset != "" {
		out.UTCOffset = to.Ptr(w.UTCOffset)
	}
	start := w.StartDate
	if start == "" && found != nil {
		start = found.window.StartDate
	}
	var err error
	if start != "" {
		if out.StartDate, err = date("startDate", start); err != nil {
			return armcontainerservice.MaintenanceConfiguration{}, err
		}
	}
	for _, span := range w.NotAllowedDates {
		first, err := date("notAllowedDates", span.Start)
		if err != nil {
			return armcontainerservice.MaintenanceConfiguration{}, err
		}
		last, err := date("notAllowedDates", span.End)
		if err != nil {
			return armcontainerservice.MaintenanceConfiguration{}, err
		}
		out.NotAllowedDates = append(out.NotAllowedDates, &armcontainerservice.DateSpan{Start: first, End: last})
	}
	return armcontainerservice.MaintenanceConfiguration{Properties: &armcontainerservice.MaintenanceConfigurationProperties{MaintenanceWindow: out}}, nil
}

// date reads a date, which the schema lets be 31 February.
func date(field, text string) (*time.Time, error) {
	at, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return nil, fmt.Errorf("spec.window.%s: there is no date %q", field, text)
	}
	return &at, nil
}

func scheduleForAzure(s fleetwrightv1.MaintenanceSchedule) *armcontainerservice.Schedule {
	switch {
	case s.Daily.IntervalDays != 0:
		return &armcontainerservice.Schedule{Daily: &armcontainerservice.DailySchedule{IntervalDays: to.Ptr(s.Daily.IntervalDays)}}
	case s.Weekly.IntervalWeeks != 0:
		return &armcontainerservice.Schedule{Weekly: &armcontainerservice.WeeklySchedule{
			IntervalWeeks: to.Ptr(s.Weekly.IntervalWeeks), DayOfWeek: to.Ptr(armcontainerservice.WeekDay(s.Weekly.DayOfWeek)),
		}}
	case s.AbsoluteMonthly.IntervalMonths != 0:
		return &armcontainerservice.Schedule{AbsoluteMonthly: &armcontainerservice.AbsoluteMonthlySchedule{
			IntervalMonths: to.Ptr(s.AbsoluteMonthly.IntervalMonths), DayOfMonth: to.Ptr(s.AbsoluteMonthly.DayOfMonth),
		}}
	}
	return &armcontainerservice.Schedule{RelativeMonthly: &armcontainerservice.RelativeMonthlySchedule{
		IntervalMonths: to.Ptr(s.RelativeMonthly.IntervalMonths), WeekIndex: to.Ptr(armcontainerservice.Type(s.RelativeMonthly.WeekIndex)),
		DayOfWeek: to.Ptr(armcontainerservice.WeekDay(s.RelativeMonthly.DayOfWeek)),
	}}
}

// fromAzure reads what Azure has. A configuration of the older form (hours of the week), which a spec cannot say, has an empty window.
func fromAzure(c armcontainerservice.MaintenanceConfiguration) inAzure {
	out := inAzure{id: value(c.ID)}
	if s := c.SystemData; s != nil {
		out.changedBy, out.changedAt = value(s.LastModifiedBy), value(s.LastModifiedAt)
	}
	if c.Properties == nil || c.Properties.MaintenanceWindow == nil {
		return out
	}
	w := c.Properties.MaintenanceWindow
	out.window = fleetwrightv1.AzureMaintenanceWindow{
		StartTime: value(w.StartTime), DurationHours: value(w.DurationHours), UTCOffset: value(w.UTCOffset), StartDate: dateText(w.StartDate),
	}
	if w.Schedule != nil {
		out.window.Schedule = scheduleFromAzure(*w.Schedule)
	}
	for _, span := range w.NotAllowedDates {
		if span != nil {
			out.window.NotAllowedDates = append(out.window.NotAllowedDates, fleetwrightv1.MaintenanceDates{Start: dateText(span.Start), End: dateText(span.End)})
		}
	}
	return out
}

func scheduleFromAzure(s armcontainerservice.Schedule) (out fleetwrightv1.MaintenanceSchedule) {
	if d := s.Daily; d != nil {
		out.Daily = fleetwrightv1.MaintenanceEveryDays{IntervalDays: value(d.IntervalDays)}
	}
	if w := s.Weekly; w != nil {
		out.Weekly = fleetwrightv1.MaintenanceEveryWeeks{IntervalWeeks: value(w.IntervalWeeks), DayOfWeek: fleetwrightv1.Weekday(value(w.DayOfWeek))}
	}
	if m := s.AbsoluteMonthly; m != nil {
		out.AbsoluteMonthly = fleetwrightv1.MaintenanceDayOfMonth{IntervalMonths: value(m.IntervalMonths), DayOfMonth: value(m.DayOfMonth)}
	}
	if m := s.RelativeMonthly; m != nil {
		out.RelativeMonthly = fleetwrightv1.MaintenanceWeekdayOfMonth{
			IntervalMonths: value(m.IntervalMonths), WeekIndex: fleetwrightv1.WeekIndex(value(m.WeekIndex)), DayOfWeek: fleetwrightv1.Weekday(value(m.DayOfWeek)),
		}
	}
	return out
}

func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

func dateText(at *time.Time) string {
	if at == nil || at.IsZero() {
		return ""
	}
	return at.Format(time.DateOnly)
}
