package drain

import (
	"errors"
	"net/http"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// classifyError sorts an error of the eviction API. The words of admission come first, because a webhook may answer
// with any status code, 429 and 404 included.
func classifyError(err error) (Outcome, string, time.Duration) {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return OutcomeUnreachable, "the API server did not answer: " + err.Error(), 0
	}
	message := words(status)
	retryAfter := time.Duration(0)
	if seconds, ok := apierrors.SuggestsClientDelay(err); ok {
		retryAfter = time.Duration(seconds) * time.Second
	}
	return outcomeOf(err, status.Status().Code, message), message, retryAfter
}

func outcomeOf(err error, code int32, message string) Outcome {
	switch {
	case deniedByAdmission(message):
		return OutcomeWebhookDenied
	case strings.Contains(message, "more than one PodDisruptionBudget"):
		return OutcomeMisconfigured
	case apierrors.HasStatusCause(err, policyv1.DisruptionBudgetCause), aboutBudget(err):
		return OutcomeRefused
	case apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		return OutcomeNamespaceTerminating
	case code == http.StatusTooManyRequests, apierrors.IsTimeout(err):
		return OutcomeThrottled
	case apierrors.IsNotFound(err):
		return OutcomeGone
	case code == http.StatusConflict:
		return OutcomeConflict
	case code == http.StatusUnauthorized, code == http.StatusForbidden:
		return OutcomeForbidden
	case code >= 400 && code < 500:
		return OutcomeRejected
	default:
		return OutcomeUnreachable
	}
}

// deniedByAdmission knows the three sentences of kube-apiserver: a webhook's no, a policy's no, and a webhook that
// could not be asked while its failurePolicy is Fail.
func deniedByAdmission(message string) bool {
	return strings.Contains(message, `admission webhook "`) && strings.Contains(message, "denied the request") ||
		strings.Contains(message, "AdmissionPolicy '") && strings.Contains(message, "denied request") ||
		strings.Contains(message, `failed calling webhook "`)
}

// aboutBudget recognises the 403 of a budget whose status makes no sense to kube-apiserver.
func aboutBudget(err error) bool {
	var status apierrors.APIStatus
	if !apierrors.IsForbidden(err) || !errors.As(err, &status) || status.Status().Details == nil {
		return false
	}
	return strings.HasPrefix(status.Status().Details.Kind, "poddisruptionbudget")
}

// words joins the message with its causes: the budget's arithmetic is only in the cause.
func words(status apierrors.APIStatus) string {
	s := status.Status()
	parts := []string{strings.TrimRight(s.Message, ". ")}
	if s.Details != nil {
		for _, cause := range s.Details.Causes {
			if cause.Message != "" && !strings.Contains(s.Message, cause.Message) {
				parts = append(parts, strings.TrimRight(cause.Message, ". "))
			}
		}
	}
	return strings.Join(parts, ": ")
}
