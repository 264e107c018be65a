// Package autoscalerprofile translates the 20 settings of an AKS autoscaler profile between the typed ones of Fleetwright's API and
// Azure's, which are strings with units of their own and three booleans.
package autoscalerprofile

import (
	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// Form is how Azure writes a setting.
type Form int

// The forms.
const (
	// Word is a word, as it is.
	Word Form = iota
	// Switch is "true" or "false", in quotes.
	Switch
	// Boolean is true or false, a JSON boolean.
	Boolean
	// Number is a whole number, in quotes.
	Number
	// Seconds is a duration written in seconds: "20s".
	Seconds
	// Minutes is a duration of whole minutes: "10m".
	Minutes
	// Fraction is a decimal number from 0 to 1: "0.65".
	Fraction
)

// Field is one setting.
type Field struct {
	// Name is the setting's in the API, Key its name in Azure and in Azure Service Operator.
	Name, Key string
	// Typed is the field of CAPZ's AzureManagedControlPlane.spec.autoscalerProfile, empty for the three that it lacks.
	Typed string
	Form  Form
	// Min and Max bound numbers, in the API's unit.
	Min, Max int32
	// in is where the API's structure has it.
	in func(*fleetwrightv1.AutoscalerSettings) any
}

// Bounds of the API's schema; a test compares them with the definition.
const (
	month   = 30 * 24 * 60 * 60
	hour    = 60 * 60
	perCent = 100
)

var fields = []Field{
	{Name: "balanceSimilarNodeGroups", Key: "balance-similar-node-groups", Typed: "balanceSimilarNodeGroups", Form: Switch,
		in: func(s *fleetwrightv1.AutoscalerSettings) any { return &s.BalanceSimilarNodeGroups }},
	{Name: "expander", Key: "expander", Typed: "expander", Form: Word,
		in: func(s *fleetwrightv1.AutoscalerSettings) any { return &s.Expander }},
	{Name: "maxEmptyBulkDelete", Key: "max-empty-bulk-delete", Typed: "maxEmptyBulkDelete", Form: Number, Min: 1, Max: 1000,
		in: func(s *fleetwrightv1.AutoscalerSettings) any { return &s.MaxEmptyBulkDelete }},
	{Name: "maxGracefulTerminationSeconds", Key: "max-graceful-termination-sec", Typed: "maxGracefulTerminationSec", Form: Number, Max: month,
		in: func(s *fleetwrightv1.AutoscalerSettings) any { return &s.MaxGracefulTerminationSeconds }},
	{Name: "maxNodeProvisionSeconds", Key: "max-node-provision-time", Typed: "maxNodeProvisionTime", Form: Minutes, Min: 60, Max: month,
		in: func(s *fleetwrightv1.AutoscalerSettings) any { return &s.MaxNodeProvisionSeconds }},
	{Name: "maxTotalUnreadyPercent", Key: "max-total-unready-percentage", Typed: "maxTotalUnreadyPercentage", Form: Number, Max: perCent,
		in: func(s *fleetwrightv1.AutoscalerSettings) any { return &s.MaxTotalUnreadyPercent }},
	{Name: "newPodScaleUpDelaySeconds", Key: "new-pod-scale-up-delay", Typed: "newPodScaleUpDelay", Form: Seconds, Max: month,
		in: func(s *fleetwrightv1.AutoscalerSettings) any { return &s.NewPodScaleUpDelaySeconds }},
	{Name: "okTotalUnreadyCount", Key: "ok-total-unready-count", Typed: "okTotalUnreadyCount", Form: Number, Max: 5000,
		in: func(s *fleetwrightv1.AutoscalerSettings) any { return &s.OKTotalUnreadyCount }},
	{Name: "scanIntervalSeconds", Key: "scan-interval", Typed: "scanInterval", Form: Seconds, Min: 1, Max: hour,
		in: func(s *fleetwrightv1.AutoscalerSettings) any { return &s.ScanIntervalSeconds }},
	{Name: "scaleDownDelayAfterAddSeconds", Key: "scale-down-delay-after-add", Typed: "scaleDownDelayAfterAdd", Form: Minutes, Max: month,
		in: func(s *fleetwrightv1.AutoscalerSettings) any { return &s.ScaleDownDelayAfterAddSeconds }},
	{Name: "scaleDownDelayAfterDeleteSeconds", Key: "scale-down-delay-after-delete", Typed: "scaleDownDelayAfterDelete", Form: Seconds, Max: month,
		in: func(s *fleetwrightv1.AutoscalerSettings) any { return &s.ScaleDownDelayAfterDeleteSeconds }},
	{Name: "scaleDownDelayAfterFailureSeconds", Key: "scale-down-delay-after-failure", Typed: "scaleDownDelayAfterFailure", Form: Minutes, Max: month,
		in: func(s *fleetwrightv1.AutoscalerSettings) any { return &s.ScaleDownDelayAfterFailureSeconds }},
	{Name: "scaleDownUnneededSeconds", Key: "scale-down-unneeded-time", Typed: "scaleDownUnneededTime", Form: Minutes, Max: month,
		in: func(s *fleetwrightv1.AutoscalerSettings) any { return &s.ScaleDownUnneededSeconds }},
	{Name: "scaleDownUnreadySeconds", Key: "scale-down-unready-time", Typed: "scaleDownUnreadyTime", Form: Minutes, Max: month,
		in: func(s *fleetwrightv1.AutoscalerSettings) any { return &s.ScaleDownUnreadySeconds }},
	{Name: "scaleDownUtilizationThresholdPercent", Key: "scale-down-utilization-threshold", Typed: "scaleDownUtilizationThreshold", Form: Fraction, Max: perCent,
		in: func(s *fleetwrightv1.AutoscalerSettings) any { return &s.ScaleDownUtilizationThresholdPercent }},
	{Name: "skipNodesWithLocalStorage", Key: "skip-nodes-with-local-storage", Typed: "skipNodesWithLocalStorage", Form: Switch,
		in: func(s *fleetwrightv1.AutoscalerSettings) any { return &s.SkipNodesWithLocalStorage }},
	{Name: "skipNodesWithSystemPods", Key: "skip-nodes-with-system-pods", Typed: "skipNodesWithSystemPods", Form: Switch,
		in: func(s *fleetwrightv1.AutoscalerSettings) any { return &s.SkipNodesWithSystemPods }},
	{Name: "ignoreDaemonsetsUtilization", Key: "ignore-daemonsets-utilization", Form: Boolean,
		in: func(s *fleetwrightv1.AutoscalerSettings) any { return &s.IgnoreDaemonsetsUtilization }},
	{Name: "daemonsetEvictionForEmptyNodes", Key: "daemonset-eviction-for-empty-nodes", Form: Boolean,
		in: func(s *fleetwrightv1.AutoscalerSettings) any { return &s.DaemonsetEvictionForEmptyNodes }},
	{Name: "daemonsetEvictionForOccupiedNodes", Key: "daemonset-eviction-for-occupied-nodes", Form: Boolean,
		in: func(s *fleetwrightv1.AutoscalerSettings) any { return &s.DaemonsetEvictionForOccupiedNodes }},
}

// Fields are the 20 settings, in the API's order.
func Fields() []Field { return fields }

// FieldOf is the setting of that name in Azure.
func FieldOf(key string) (Field, bool) {
	for _, f := range fields {
		if f.Key == key {
			return f, true
		}
	}
	return Field{}, false
}

// NameOf is the API's name of a setting of that name in Azure; a name that no setting has is returned as it is.
func NameOf(key string) string {
	if f, known := FieldOf(key); known {
		return f.Name
	}
	return key
}
