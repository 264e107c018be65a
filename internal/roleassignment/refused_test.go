package roleassignment

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/fleetwright/fleetwright/internal/azure/refusal"
)

func TestObstacleOf(t *testing.T) {
	const needs, at = "Microsoft.Authorization/roleAssignments/write", "/subscriptions/s"
	sort := func(status int, code, message string) error {
		return refusal.Sort("assign", refusal.Answer{Status: status, Code: code, Message: message}, needs, at)
	}
	busy := &refusal.Error{Kind: refusal.Passing, Doing: "assign", RetryAfter: 40 * time.Second}
	for name, test := range map[string]struct {
		err     error
		missing time.Duration
		verdict verdict
		reason  string
		again   time.Duration
		message string
	}{
		"a fresh identity": {
			sort(400, "PrincipalNotFound", "gone"), 30 * time.Second, waiting, "PrincipalNotFound", 15 * time.Second,
			"Entra ID does not know the principal (tried for 30s), which a fresh identity can take some minutes for: gone",
		},
		"an identity that is not so fresh": {sort(400, "PrincipalNotFound", "gone"), 6 * time.Minute, waiting, "PrincipalNotFound", time.Minute, "(tried for 6m0s)"},
		"an identity that nobody knows": {
			sort(400, "PrincipalNotFound", "gone"), 31 * time.Minute, stuck, "PrincipalNotFound", 10 * time.Minute,
			"(tried for 31m0s): is principal.objectID the id of another kind of object, or of another tenant?: gone",
		},
		"a role that is not there": {sort(400, "RoleDefinitionDoesNotExist", "none"), 0, stuck, "RoleNotFound", 10 * time.Minute, "assign: RoleDefinitionDoesNotExist: none"},
		"another was faster":       {sort(409, "RoleAssignmentExists", "it exists"), 0, waiting, "NotAssigned", 15 * time.Second, "somebody else has just made the same assignment: it exists"},
		"no right": {
			sort(403, "AuthorizationFailed", "no"), 0, stuck, "PermissionDenied", 10 * time.Minute,
			"assign: the operator's identity may not; grant it " + needs + " on " + at + " (AuthorizationFailed); the role Role Based Access Control Administrator there has it",
		},
		"no right, in Azure's words": {
			sort(403, "AuthorizationFailed", "The client 'x' with object id 'y' does not have authorization to perform action '"+needs+"' over scope '"+at+
				"/providers/Microsoft.Authorization/roleAssignments/6f0c' or the scope is invalid."), 0, stuck, "PermissionDenied", 10 * time.Minute,
			"grant it " + needs + " on " + at + " (AuthorizationFailed); the role Role Based Access Control Administrator there has it",
		},
		"no sign-in":           {sort(401, "InvalidAuthenticationToken", "who?"), 0, stuck, "PermissionDenied", 10 * time.Minute, "Azure does not accept the operator's identity"},
		"a final no":           {sort(400, "BadRequestFormat", "bad"), 0, stuck, "AzureRefused", 10 * time.Minute, "assign: BadRequestFormat: bad"},
		"a scope that is gone": {sort(404, "ResourceGroupNotFound", "no registries"), 31 * time.Minute, stuck, "AzureRefused", 10 * time.Minute, "no registries"},
		"a scope to be made":   {sort(404, "ResourceGroupNotFound", "no registries"), 0, stuck, "AzureRefused", time.Minute, "no registries"},
		"a limit":              {sort(400, "RoleAssignmentLimitExceeded", "4000"), 0, stuck, "AzureRefused", 10 * time.Minute, "4000"},
		"leave me alone":       {busy, 0, waiting, "AzureRefused", 40 * time.Second, "try again in 40s"},
		"ailing, tried soon":   {sort(503, "ServerBusy", "later"), 0, "", "", 0, ""},
		"no refusal":           {errors.New("x"), 0, "", "", 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, sorted := obstacleOf(test.err, func(reason string) time.Duration {
				if reason != test.reason {
					return 0
				}
				return test.missing
			})
			if sorted != (test.reason != "") || got.verdict != test.verdict || got.reason != test.reason || got.again != test.again || !strings.Contains(got.message, test.message) {
				t.Errorf("got %t %+v", sorted, got)
			}
		})
	}
}
