package autoscalerprofile

import "time"

// InAzure is what one GET of a cluster tells of its profile.
type InAzure struct {
	Values Values
	// Busy says what operation runs on the cluster, empty for none: Azure takes one at a time.
	Busy string
	// ChangedBy is who changed the cluster last, ChangedAt when; empty where Azure does not say. It need not have been the profile.
	ChangedBy string
	ChangedAt time.Time
}
