package capi

import (
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/fleetwright/fleetwright/internal/azure/refusal"
)

// asoReading is a Progress of which it is known whether it only waits for Azure
// to finish something else.
type asoReading struct {
	Progress
	waiting bool
	// lasting is true after a refusal that is not tried again.
	lasting bool
}

// asoProgress reads condition Ready of an object of Azure Service Operator. It
// is False with severity Info while something is under way, Warning after a
// refusal that is tried again, and Error after one that is not.
func asoProgress(o *unstructured.Unstructured) asoReading {
	list, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	for _, item := range list {
		c, _ := item.(map[string]any)
		if c["type"] != "Ready" {
			continue
		}
		text := func(key string) string { s, _ := c[key].(string); return s }
		// The reason is Azure's code, if Azure refused.
		busy := refusal.Said("", text("reason")+": "+text("message")).Kind == refusal.Busy
		observed, _ := c["observedGeneration"].(int64)
		out := asoReading{Progress: Progress{State: Working, Since: timeOr(text("lastTransitionTime"), time.Time{})}}
		switch {
		case observed < o.GetGeneration():
		case text("status") == "True":
			out.State = Done
		case text("severity") == "Error" || (text("severity") == "Warning" && !busy && text("reason") != "WaitingForOwner"):
			out.State, out.Message, out.lasting = Failed, text("message"), text("severity") == "Error"
			if !strings.Contains(out.Message, text("reason")) {
				out.Message = text("reason") + ": " + out.Message
			}
		default:
			out.waiting = text("severity") == "Warning"
		}
		return out
	}
	return asoReading{Progress: Progress{State: Working}}
}
