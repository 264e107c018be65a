package aso

import (
	"errors"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/fleetwright/fleetwright/localstack/capz/resource"
)

// Severities of a Ready condition that is False, see pkg/genruntime/conditions/conditions.go.
const (
	severityError   = "Error"
	severityWarning = "Warning"
	severityInfo    = "Info"
)

// Reasons of the Ready condition. What Azure refuses has the code of Azure's error for a reason.
const (
	reasonSucceeded         = "Succeeded"
	reasonReconciling       = "Reconciling"
	reasonDeleting          = "Deleting"
	reasonFailed            = "Failed"
	reasonWaitingForOwner   = "WaitingForOwner"
	reasonReferenceNotFound = "ReferenceNotFound"
	reasonSecretNotFound    = "SecretNotFound"
	reasonNotFound          = "AzureResourceNotFound"
	reasonBlocked           = "ReconciliationBlocked"
)

// ready is a Ready condition without its time and generation.
type ready struct{ status, severity, reason, message string }

func succeeded() ready { return ready{status: "True", reason: reasonSucceeded} }

func reconciling() ready {
	return ready{"False", severityInfo, reasonReconciling, "The resource is in the process of being reconciled by the operator"}
}

func deleting() ready {
	return ready{"False", severityInfo, reasonDeleting, "The resource is being deleted"}
}

// impossible is an error with the words of the Ready condition that it causes, as Azure Service Operator's
// ReadyConditionImpactingError.
type impossible struct {
	severity, reason string
	cause            error
}

func (e *impossible) Error() string { return e.cause.Error() }
func (e *impossible) Unwrap() error { return e.cause }

func warning(reason string, cause error) error { return &impossible{severityWarning, reason, cause} }

// verdict says how an attempt went: what to write, and when to come again; zero: when something changes.
func verdict(err error, retry time.Duration) (ready, time.Duration) {
	if err == nil {
		return succeeded(), 0
	}
	if found, ok := errors.AsType[*impossible](err); ok {
		after := retry
		if found.severity == severityError {
			after = 0
		}
		return ready{"False", found.severity, found.reason, found.Error()}, after
	}
	failure := resource.As(err)
	if failure == nil {
		return ready{"False", severityWarning, reasonFailed, err.Error()}, retry
	}
	if failure.Outcome == resource.InProgress {
		return reconciling(), failure.After
	}
	code, message, refused := resource.Refused(err)
	severity, after := severityWarning, failure.After
	if failure.Outcome == resource.Terminal {
		severity, after = severityError, 0
	}
	switch {
	case !refused:
		return ready{"False", severity, reasonFailed, err.Error()}, after
	case code == "":
		return ready{"False", severity, reasonBlocked, message}, after
	default:
		return ready{"False", severity, code, message}, after
	}
}

// readyOf returns the Ready condition of an object and the generation that it is about.
func readyOf(object *unstructured.Unstructured) (found ready, generation int64) {
	conditions, _, _ := unstructured.NestedSlice(object.Object, "status", "conditions")
	for _, each := range conditions {
		condition, ok := each.(map[string]any)
		if !ok || condition["type"] != "Ready" {
			continue
		}
		text := func(field string) string { value, _ := condition[field].(string); return value }
		generation, _, _ = unstructured.NestedInt64(condition, "observedGeneration")
		return ready{text("status"), text("severity"), text("reason"), text("message")}, generation
	}
	return ready{}, 0
}

// lesser are the reasons that give way to Reconciling of the same generation, see conditions.SetConditionReasonAware.
// Other failures stay visible until the attempt has succeeded.
var lesser = map[string]bool{
	reasonReferenceNotFound: true, reasonSecretNotFound: true, reasonNotFound: true, reasonWaitingForOwner: true,
}

// setReady writes the Ready condition of an object, unless the one that is there says the same, or more about the same
// generation. With seen, what an earlier attempt has said does not count.
func setReady(object *unstructured.Unstructured, want ready, seen bool, now time.Time) {
	have, generation := readyOf(object)
	same := generation == object.GetGeneration()
	informs := want.severity == severityInfo && have.severity != severityInfo && have.status != ""
	if same && (have == want || informs && !seen && !lesser[have.reason] && want.reason != reasonDeleting) {
		return
	}
	condition := map[string]any{
		"type": "Ready", "status": want.status, "reason": want.reason,
		"lastTransitionTime": metav1.NewTime(now).UTC().Format(time.RFC3339),
		"observedGeneration": object.GetGeneration(),
	}
	if want.severity != "" {
		condition["severity"] = want.severity
	}
	if want.message != "" {
		condition["message"] = want.message
	}
	setStatus(object, "conditions", []any{condition})
}

func setStatus(object *unstructured.Unstructured, field string, value any) {
	status, ok := object.Object["status"].(map[string]any)
	if !ok {
		status = map[string]any{}
		object.Object["status"] = status
	}
	status[field] = value
}
