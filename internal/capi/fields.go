package capi

import (
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Field access that takes a wrong type for an unset field: what another
// controller wrote badly is not ours to fail on.

func stringAt(u *unstructured.Unstructured, path ...string) string {
	s, _, _ := unstructured.NestedString(u.Object, path...)
	return s
}

func boolAt(u *unstructured.Unstructured, path ...string) bool {
	b, _, _ := unstructured.NestedBool(u.Object, path...)
	return b
}

func intAt(u *unstructured.Unstructured, path ...string) (int32, bool) {
	n, found, err := unstructured.NestedInt64(u.Object, path...)
	return int32(min(max(n, -1<<31), 1<<31-1)), found && err == nil
}

func stringsAt(u *unstructured.Unstructured, path ...string) []string {
	s, _, _ := unstructured.NestedStringSlice(u.Object, path...)
	return s
}

func mapAt(u *unstructured.Unstructured, path ...string) map[string]string {
	m, _, _ := unstructured.NestedStringMap(u.Object, path...)
	return m
}

// Reasons CAPZ gives its v1beta1 conditions (api/v1beta1/consts.go).
const (
	reasonCreating       = "Creating"
	reasonUpdating       = "Updating"
	reasonDeleting       = "Deleting"
	reasonFailed         = "Failed"
	reasonDeletionFailed = "DeletionFailed"
)

// condition is one of CAPZ's v1beta1 conditions.
type condition struct {
	status, reason, message, since string
}

func conditionOf(u *unstructured.Unstructured, kind string) condition {
	list, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions")
	for _, item := range list {
		c, ok := item.(map[string]any)
		if !ok || c["type"] != kind {
			continue
		}
		text := func(key string) string { s, _ := c[key].(string); return s }
		return condition{status: text("status"), reason: text("reason"), message: text("message"), since: text("lastTransitionTime")}
	}
	return condition{}
}

func (c condition) inFlight() bool {
	return c.status == "False" && (c.reason == reasonCreating || c.reason == reasonUpdating || c.reason == reasonDeleting || c.waitsForSlot())
}

// waitsForSlot: Azure refused because another operation runs; CAPZ and ASO
// write it down as a failure and try again, so it is none.
func (c condition) waitsForSlot() bool {
	if c.reason != reasonFailed && c.reason != reasonDeletionFailed {
		return false
	}
	message := strings.ToLower(c.message)
	for _, sign := range []string{"operation is not allowed: another", "anotheroperationinprogress", "is in progress, please wait", "operation is in progress"} {
		if strings.Contains(message, sign) {
			return true
		}
	}
	return false
}
