// Package v1alpha1 holds the kinds of fleetwright.io/v1alpha1 and nothing else: no clients, no defaults, no logic.
//
// Rules that hold for every kind:
//
//   - Unset means "no opinion". Defaults live in code and apply only when something must be created, so neither a new
//     release nor a line taken out of Git can start a replacement.
//   - Labels, taints and tags are exact: an entry taken out is taken off the pool.
//   - Status is a report. Deleting it changes no action.
//   - Durations are integers named ...Seconds, sizes carry their unit, choices are enums.
//
// +kubebuilder:object:generate=true
// +groupName=fleetwright.io
package v1alpha1
