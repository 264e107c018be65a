package refusal

import (
	"net/http"
	"slices"
	"strings"
)

// row says what a code of Azure means. Some codes mean several things: a row with says is for messages that have one of
// these words in them, in lower case.
type row struct {
	kind  Kind
	codes []string
	says  []string
}

// table is the one table of Azure's codes. The first row that fits counts; a code that is in none is sorted by its HTTP
// status. Codes are compared without regard to case.
var table = []row{
	// A cluster has one operation at a time. AKS has the first of these codes for "not now" and for "never".
	{kind: Busy, codes: []string{"OperationNotAllowed", "Conflict", "ConcurrentOperation"}, says: []string{"in progress"}},
	{kind: Busy, codes: []string{
		"AnotherOperationInProgress", "ReferencedResourceNotProvisioned", "OperationPreempted", "CanceledAndSupersededDueToAnotherOperation",
		// AKS answers 409 EtagMismatch for an operation that began meanwhile as well (terraform-azurerm-aks#604).
		"EtagMismatch", "PreconditionFailed",
	}},

	{kind: Passing, codes: []string{
		"Throttled", "TooManyRequests", "SubscriptionRequestsThrottled", "TenantRequestsThrottled", "ServerBusy", "ServerTimeout", "ServiceUnavailable",
		"InternalServerError", "InternalError", "GatewayTimeout", "RequestTimeout", "RetryableError", "ExpiredAuthenticationToken",
	}},

	// Entra ID takes minutes until all of Azure knows a new identity; the resource provider of a reference may be slow too.
	{kind: Early, codes: []string{"PrincipalNotFound", "FailedIdentityOperation", "InvalidResourceReference"}},
	{kind: Exists, codes: []string{"RoleAssignmentExists"}},

	// Before Denied: their status is 403, and no right that could be granted helps.
	{kind: Final, codes: []string{"RequestDisallowedByPolicy", "DenyAssignmentAuthorizationFailed", "ReadOnlyDisabledSubscription", "ScopeLocked"}},
	{kind: Denied, codes: []string{
		"AuthorizationFailed", "LinkedAuthorizationFailed", "Forbidden", "CredentialUnavailable",
		// Resource Graph, when the identity may read none of the subscriptions that it is asked about.
		"NoValidSubscriptionsInQueryRequest",
	}},

	// Before Gone: their status is 404 at times, and whoever takes them for "it is not there" takes a wrong id or a missing
	// registration for a deletion.
	{kind: Final, codes: []string{
		"SubscriptionNotFound", "InvalidSubscriptionId", "NoRegisteredProviderFound", "MissingSubscriptionRegistration", "SubscriptionNotRegistered",
		"InvalidResourceNamespace", "InvalidResourceType", "RoleDefinitionDoesNotExist", "RoleAssignmentUpdateNotPermitted", "RoleAssignmentLimitExceeded",
		"UnmatchedPrincipalType", "InvalidPrincipalId",
	}},
	// The deletion of machines that have gone, and of what else has.
	{kind: Gone, codes: []string{"InvalidParameter"}, says: []string{"cannot find any valid machines"}},
	{kind: Gone, codes: []string{"ResourceNotFound", "ResourceGroupNotFound", "ParentResourceNotFound", "RoleAssignmentNotFound", "NotFound"}},

	// What AKS refuses however often it is asked. They would be Final without a row; in a text, they have to be known.
	{kind: Final, codes: []string{
		"QuotaExceeded", "ResourceQuotaExceeded", "SkuNotAvailable", "AllocationFailed", "ZonalAllocationFailed", "OverconstrainedAllocationRequest",
		"InsufficientSubnetSize", "PropertyChangeNotAllowed", "K8sVersionNotSupported", "InvalidRequestContent", "OperationNotAllowed", "InvalidParameter",
	}},
}

// inPassing are the words of CAPZ and Azure Service Operator for a refusal of AKS, where they leave its code out.
var inPassing = []string{"operation is not allowed: another", "anotheroperationinprogress", "is in progress, please wait", "operation is in progress"}

// find looks a code up.
func find(code, message string) (Kind, bool) {
	message = strings.ToLower(message)
	for _, r := range table {
		named := slices.ContainsFunc(r.codes, func(c string) bool { return strings.EqualFold(c, code) })
		if named && (len(r.says) == 0 || saysOne(message, r.says)) {
			return r.kind, true
		}
	}
	return "", false
}

func saysOne(message string, words []string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(message, w) })
}

// kindOf sorts an answer. Who got none, or is throttled, is told nothing else by the code.
func kindOf(a Answer) Kind {
	switch {
	case a.Status == 0, a.Status == http.StatusTooManyRequests, a.Status == http.StatusRequestTimeout, a.Status >= http.StatusInternalServerError:
		return Passing
	}
	if kind, found := find(a.Code, a.Message); found {
		return kind
	}
	switch a.Status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return Denied
	case http.StatusNotFound, http.StatusGone:
		return Gone
	case http.StatusPreconditionFailed:
		return Busy // somebody else wrote first
	}
	return Final
}
