package render

import (
	"cmp"
	"fmt"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/capi"
)

// ModeChange says that an object which is to be taken over would be told to do more or less than today, empty for the same: what somebody holds back
// on purpose must not begin unseen.
func ModeChange(object string, is, told fleetwrightv1.ReconcileMode) string {
	is, told = cmp.Or(is, fleetwrightv1.ReconcileModeActive), cmp.Or(told, fleetwrightv1.ReconcileModeActive)
	if is == told {
		return ""
	}
	return fmt.Sprintf("%s is %s and would be %s", object, is, told)
}

// PublicNameChange says that tenants who select a pool by its public name would not find it any more.
func PublicNameChange(p capi.Pool, name string) string {
	return fmt.Sprintf("pool %s: label %s of its nodes from %s to %s", p.Name, fleetwrightv1.LabelNodepool, p.PublicName, name)
}

// Strictest is the mode in which nothing is done that one of them holds back, empty for none of them.
func Strictest(modes ...fleetwrightv1.ReconcileMode) fleetwrightv1.ReconcileMode {
	strictest := fleetwrightv1.ReconcileMode("")
	for _, mode := range modes {
		switch mode {
		case fleetwrightv1.ReconcileModePaused:
			return mode
		case fleetwrightv1.ReconcileModeNonDisruptive:
			strictest = mode
		case fleetwrightv1.ReconcileModeActive:
		}
	}
	return strictest
}
