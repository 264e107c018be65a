package capi

import (
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// asoReading is a Progress of which it is known whether it only waits for Azure
// to finish something else.
type asoReading struct {
	Progress
	waiting bool
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
		ready := condition{status: text("status"), reason: reasonFailed, message: text("message"), since: text("lastTransitionTime")}
		observed, _ := c["observedGeneration"].(int64)
		waiting := text("severity") != "Error" && ready.waitsForSlot()
		switch {
		case observed < o.GetGeneration():
			ready.status, ready.reason = "False", reasonUpdating
		case ready.status == "True":
			ready.reason = ""
		case ready.status != "False" || text("severity") == "Info" || waiting || text("reason") == "WaitingForOwner":
			ready.status, ready.reason = "False", reasonUpdating
		case !strings.Contains(ready.message, text("reason")):
			ready.message = text("reason") + ": " + ready.message
		}
		return asoReading{ready.progress(), waiting}
	}
	return asoReading{Progress: Progress{State: Working}}
}
