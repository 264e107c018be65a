// Package rbac is Azure role-based access control as a function of values: role definitions, and which actions they allow
// at which scope.
package rbac

import "strings"

// ActionPull is what a principal has to be allowed to pull an image from a container registry.
const ActionPull = "Microsoft.ContainerRegistry/registries/pull/read"

// Role is a role definition.
type Role struct {
	// GUID names the role.
	GUID string
	// Name is what people call it, for instance AcrPull.
	Name string
	// Description says what it is for.
	Description string
	// Actions are allowed, less NotActions. Both may have wildcards.
	Actions, NotActions []string
	// Custom roles are a tenant's own.
	Custom bool
}

// Allows tells whether the role allows an action. Letter case does not count.
func (r Role) Allows(action string) bool {
	return matchesAny(r.Actions, action) && !matchesAny(r.NotActions, action)
}

func matchesAny(patterns []string, action string) bool {
	for _, p := range patterns {
		if Matches(p, action) {
			return true
		}
	}
	return false
}

// Matches tells whether an action is one that a pattern means: * stands for any number of characters, slashes too.
func Matches(pattern, action string) bool {
	parts := strings.Split(strings.ToLower(pattern), "*")
	rest, found := strings.CutPrefix(strings.ToLower(action), parts[0])
	if !found || len(parts) == 1 {
		return found && rest == ""
	}
	last := len(parts) - 1
	for _, part := range parts[1:last] {
		at := strings.Index(rest, part)
		if at < 0 {
			return false
		}
		rest = rest[at+len(part):]
	}
	return strings.HasSuffix(rest, parts[last])
}

// managementGroups starts the ids of management groups.
const managementGroups = "/providers/microsoft.management/managementgroups/"

// Covers tells whether what is granted at a scope holds for an id: the scope itself and everything below it. The root
// scope "/" covers everything, and a management group every subscription.
func Covers(scope, id string) bool {
	scope, id = strings.ToLower(strings.TrimSuffix(scope, "/")), strings.ToLower(strings.TrimSuffix(id, "/"))
	return scope == id || strings.HasPrefix(id, scope+"/") || strings.HasPrefix(scope, managementGroups) && strings.HasPrefix(id, "/subscriptions/")
}
