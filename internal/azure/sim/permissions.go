package sim

import (
	"net/http"
	"slices"
	"strings"

	"github.com/fleetwright/fleetwright/internal/azure/sim/armerr"
	"github.com/fleetwright/fleetwright/internal/azure/sim/rbac"
)

// Permissions take rights away from principals, which otherwise have all. A principal is named by its object id or by the id
// of its application.
type Permissions struct {
	// Denied are actions that are refused.
	Denied []Denial `json:"denied,omitempty"`
	// Enforced are principals that may do only what roles that are assigned to them allow.
	Enforced []string `json:"enforced,omitempty"`
}

// Denial is a right that is missing.
type Denial struct {
	// Principal is who lacks it; empty means everybody.
	Principal string `json:"principal,omitempty"`
	// Action is what is refused, with * for any characters: Microsoft.Authorization/roleAssignments/write.
	Action string `json:"action"`
	// Scope is the ARM id at and below which it is refused; empty means everywhere.
	Scope string `json:"scope,omitempty"`
}

// is tells whether a principal is named: by its object id or its application's.
func (r *call) is(principal string) bool {
	return strings.EqualFold(principal, r.caller) || strings.EqualFold(principal, r.app)
}

// may tells whether the caller may do something to a resource.
func (c *cloud) may(r *call, action, id string) bool {
	for _, d := range c.settings.Permissions.Denied {
		if (d.Principal == "" || r.is(d.Principal)) && rbac.Matches(d.Action, action) && rbac.Covers(d.Scope, id) {
			return false
		}
	}
	return !slices.ContainsFunc(c.settings.Permissions.Enforced, r.is) || alwaysAllowed(action) || c.granted(r.caller, action, id)
}

// alwaysAllowed are reads that need no role: queries, which answer only what the caller may read, and how an operation goes
// that somebody who may has started.
func alwaysAllowed(action string) bool {
	return strings.EqualFold(action, typeGraph+"/read") || rbac.Matches("*/locations/operation*/read", action)
}

// authorize refuses a call that the caller has no right to, whether what it is about exists or not.
func (c *cloud) authorize(r *call) error {
	if c.may(r, r.action(), r.scope()) {
		return nil
	}
	return armerr.New(http.StatusForbidden, "AuthorizationFailed", "The client '%s' with object id '%s' does not have authorization to perform action '%s' over scope '%s' or the scope is invalid. "+
		"If access was recently granted, please refresh your credentials.", r.app, r.caller, r.action(), r.scope())
}
