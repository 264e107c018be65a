package v1alpha1

// MaintenanceType is what AKS does in a maintenance window. The words are Azure's own names of the three configurations that a cluster
// can have.
// +kubebuilder:validation:Enum=default;aksManagedAutoUpgradeSchedule;aksManagedNodeOSUpgradeSchedule
type MaintenanceType string

const (
	// MaintenanceTypeDefault is about AKS' own weekly releases: control plane components and add-ons.
	MaintenanceTypeDefault MaintenanceType = "default"
	// MaintenanceTypeAutoUpgrade is about upgrades of Kubernetes by the cluster's auto-upgrade channel.
	MaintenanceTypeAutoUpgrade MaintenanceType = "aksManagedAutoUpgradeSchedule"
	// MaintenanceTypeNodeOSUpgrade is about patches of the nodes' operating system by the cluster's node OS upgrade channel.
	MaintenanceTypeNodeOSUpgrade MaintenanceType = "aksManagedNodeOSUpgradeSchedule"
)

// Weekday is a day of the week.
// +kubebuilder:validation:Enum=Monday;Tuesday;Wednesday;Thursday;Friday;Saturday;Sunday
type Weekday string

// WeekIndex is the how manieth of its kind a weekday is in its month.
// +kubebuilder:validation:Enum=First;Second;Third;Fourth;Last
type WeekIndex string

// MaintenanceEveryDays is every so many days.
type MaintenanceEveryDays struct {
	// intervalDays is how many days lie between one window and the next: 1 is every day.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=7
	IntervalDays int32 `json:"intervalDays,omitempty"`
}

// MaintenanceEveryWeeks is a weekday every so many weeks.
type MaintenanceEveryWeeks struct {
	// intervalWeeks is how many weeks lie between one window and the next: 1 is every week.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=4
	IntervalWeeks int32 `json:"intervalWeeks,omitempty"`

	// dayOfWeek is Monday to Sunday.
	// +required
	DayOfWeek Weekday `json:"dayOfWeek,omitempty"`
}

// MaintenanceDayOfMonth is a day of the month every so many months.
type MaintenanceDayOfMonth struct {
	// intervalMonths is how many months lie between one window and the next: 1 is every month.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=6
	IntervalMonths int32 `json:"intervalMonths,omitempty"`

	// dayOfMonth is 1 to 31.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=31
	DayOfMonth int32 `json:"dayOfMonth,omitempty"`
}

// MaintenanceWeekdayOfMonth is for example the last Friday of the month, every so many months.
type MaintenanceWeekdayOfMonth struct {
	// intervalMonths is how many months lie between one window and the next: 1 is every month.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=6
	IntervalMonths int32 `json:"intervalMonths,omitempty"`

	// weekIndex is First, Second, Third, Fourth or Last.
	// +required
	WeekIndex WeekIndex `json:"weekIndex,omitempty"`

	// dayOfWeek is Monday to Sunday.
	// +required
	DayOfWeek Weekday `json:"dayOfWeek,omitempty"`
}

// MaintenanceSchedule is how often a window comes: exactly one of its fields is given.
//
// +kubebuilder:validation:MinProperties=1
// +kubebuilder:validation:XValidation:rule="[has(self.daily), has(self.weekly), has(self.absoluteMonthly), has(self.relativeMonthly)].filter(given, given).size() <= 1",message="give only one of daily, weekly, absoluteMonthly and relativeMonthly"
type MaintenanceSchedule struct {
	// daily is every so many days.
	// +optional
	Daily MaintenanceEveryDays `json:"daily,omitempty,omitzero"`

	// weekly is a weekday every so many weeks.
	// +optional
	Weekly MaintenanceEveryWeeks `json:"weekly,omitempty,omitzero"`

	// absoluteMonthly is a day of the month every so many months.
	// +optional
	AbsoluteMonthly MaintenanceDayOfMonth `json:"absoluteMonthly,omitempty,omitzero"`

	// relativeMonthly is for example the last Friday of the month, every so many months.
	// +optional
	RelativeMonthly MaintenanceWeekdayOfMonth `json:"relativeMonthly,omitempty,omitzero"`
}

// MaintenanceDates is a range of dates.
//
// +kubebuilder:validation:XValidation:rule="self.start <= self.end",message="start must not be after end"
type MaintenanceDates struct {
	// start is the first date, for example 2026-12-20.
	// +required
	// +kubebuilder:validation:MinLength=10
	// +kubebuilder:validation:MaxLength=10
	// +kubebuilder:validation:Pattern=`^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$`
	Start string `json:"start,omitempty"`

	// end is the last date, for example 2027-01-03.
	// +required
	// +kubebuilder:validation:MinLength=10
	// +kubebuilder:validation:MaxLength=10
	// +kubebuilder:validation:Pattern=`^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$`
	End string `json:"end,omitempty"`
}

// AzureMaintenanceWindow is when AKS may do its work.
type AzureMaintenanceWindow struct {
	// schedule is how often the window comes.
	// +required
	Schedule MaintenanceSchedule `json:"schedule,omitempty,omitzero"`

	// startTime is the time of day at which the window opens, at utcOffset: 00:00 to 23:59.
	// +required
	// +kubebuilder:validation:MinLength=5
	// +kubebuilder:validation:MaxLength=5
	// +kubebuilder:validation:Pattern=`^([01][0-9]|2[0-3]):[0-5][0-9]$`
	StartTime string `json:"startTime,omitempty"`

	// durationHours is how many hours the window stays open. AKS takes no fewer than 4.
	// +required
	// +kubebuilder:validation:Minimum=4
	// +kubebuilder:validation:Maximum=24
	DurationHours int32 `json:"durationHours,omitempty"`

	// utcOffset is how far the clock of startTime and of dates is ahead of UTC, for example +02:00 or -07:00. It does not follow daylight saving
	// time. UTC if it is not set.
	// +optional
	// +kubebuilder:validation:MinLength=6
	// +kubebuilder:validation:MaxLength=6
	// +kubebuilder:validation:Pattern=`^[-+](0[0-9]|1[0-4]):[0-5][0-9]$`
	UTCOffset string `json:"utcOffset,omitempty"`

	// startDate is the date from which on the window counts, for example 2026-12-01. If it is not set, AKS takes the day on which the window is
	// first written, and what Azure has is left as it is.
	// +optional
	// +kubebuilder:validation:MinLength=10
	// +kubebuilder:validation:MaxLength=10
	// +kubebuilder:validation:Pattern=`^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$`
	StartDate string `json:"startDate,omitempty"`

	// notAllowedDates are ranges of dates in which no window opens, exactly: a range that is taken out here is taken out of Azure.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	NotAllowedDates []MaintenanceDates `json:"notAllowedDates,omitempty"`
}
