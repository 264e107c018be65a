package roleassignment

import (
	"fmt"
	"strings"
	"time"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/azure/refusal"
)

// codeRoleNotFound is Azure's word for a role definition that is not there. It is final like others, and has a reason of its own.
const codeRoleNotFound = "RoleDefinitionDoesNotExist"

const (
	// replication is how long Entra ID may take until all of it knows a fresh identity; beyond, a person should look at the id.
	replication = 30 * time.Minute
	// Looks at a fresh identity: often while it is expected, then ever more rarely.
	freshFor, freshPause, latePause = 5 * time.Minute, 15 * time.Second, time.Minute
)

// obstacleOf says what a refusal of Azure means; false for an error that is simply tried again.
func obstacleOf(err error, by waited) (obstacle, bool) {
	refused, ok := refusal.Of(err)
	if !ok {
		return obstacle{}, false
	}
	switch {
	case refused.Kind == refusal.Early:
		return principalNotFound(refused, by(fleetwrightv1.ReasonPrincipalNotFound)), true
	case refused.Code == codeRoleNotFound:
		return obstacle{stuck, fleetwrightv1.ReasonRoleNotFound, refused.Error(), personPause}, true
	case refused.Kind == refusal.Exists:
		// Somebody was faster; the next list shows it.
		return obstacle{waiting, fleetwrightv1.ReasonNotAssigned, "somebody else has just made the same assignment: " + refused.Message, freshPause}, true
	case refused.Kind == refusal.Denied:
		return obstacle{stuck, fleetwrightv1.ReasonPermissionDenied, denied(refused), personPause}, true
	case refused.Kind == refusal.Gone && by(fleetwrightv1.ReasonAzureRefused) <= replication:
		// Whoever makes the scope may be at it just now.
		return obstacle{stuck, fleetwrightv1.ReasonAzureRefused, refused.Error(), latePause}, true
	case refused.Kind == refusal.Final, refused.Kind == refusal.Gone:
		return obstacle{stuck, fleetwrightv1.ReasonAzureRefused, refused.Error(), personPause}, true
	case refused.Kind == refusal.Busy, refused.RetryAfter > 0:
		return obstacle{waiting, fleetwrightv1.ReasonAzureRefused, refused.Error(), max(refused.RetryAfter, freshPause)}, true
	}
	return obstacle{}, false
}

// pauseAfter is how long Azure, or who keeps to its limits, asks not to be asked again; 0 when it does not.
func pauseAfter(err error) time.Duration {
	if refused, sorted := refusal.Of(err); sorted && passing(err) {
		return refused.RetryAfter
	}
	return 0
}

// assignmentsOf follows the scope in the ids of role assignments, in lower case.
const assignmentsOf = "/providers/microsoft.authorization/roleassignments/"

// denied names the least of Azure's own roles besides the action, for who is to grant it. Azure's words name the assignment itself, at which
// nobody can grant anything, so that the scope it is at is named instead.
func denied(refused *refusal.Error) string {
	r := *refused
	if end := strings.Index(strings.ToLower(r.Scope), assignmentsOf); end > 0 {
		r.Scope = r.Scope[:end]
	}
	switch r.Action {
	case "Microsoft.Authorization/roleAssignments/write", "Microsoft.Authorization/roleAssignments/delete":
		return r.Error() + "; the role Role Based Access Control Administrator there has it"
	case "":
		return r.Error()
	}
	return r.Error() + "; the role Reader there has it"
}

// principalNotFound waits for Entra ID: a fresh identity is not known everywhere at once.
func principalNotFound(refused *refusal.Error, elapsed time.Duration) obstacle {
	o := obstacle{waiting, fleetwrightv1.ReasonPrincipalNotFound, "", freshPause}
	said := fmt.Sprintf("Entra ID does not know the principal (tried for %s)", elapsed)
	switch {
	case elapsed > replication:
		o.verdict, o.again = stuck, personPause
		said += ": is principal.objectID the id of another kind of object, or of another tenant?"
	case elapsed > freshFor:
		o.again = latePause
		said += ", which a fresh identity can take some minutes for"
	default:
		said += ", which a fresh identity can take some minutes for"
	}
	o.message = said + ": " + refused.Message
	return o
}
