package sim

import (
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/fleetwright/fleetwright/internal/azure/sim/armerr"
	"github.com/fleetwright/fleetwright/internal/azure/sim/armjson"
	"github.com/fleetwright/fleetwright/internal/azure/sim/rbac"
)

// getRoleDefinition answers a role by its GUID, at whatever scope it is asked for.
func getRoleDefinition(c *cloud, r *call) (reply, error) {
	role, known := c.role(r.path.Name())
	if !known {
		return reply{}, armerr.NotFound("RoleDefinitionDoesNotExist", "The specified role definition with ID '%s' does not exist.", strings.ReplaceAll(r.path.Name(), "-", ""))
	}
	return ok(c.showRole(role, r.path.Subscription)), nil
}

var roleFilter = regexp.MustCompile(`^\s*(roleName|type)\s+eq\s+'((?:[^']|'')*)'\s*$`)

// listRoleDefinitions lists Azure's own roles and those custom ones that can be assigned at the scope.
func listRoleDefinitions(c *cloud, r *call) (reply, error) {
	keep := func(rbac.Role) bool { return true }
	if filter := strings.TrimSpace(r.query.Get("$filter")); filter != "" && filter != "atScopeAndBelow()" {
		m := roleFilter.FindStringSubmatch(filter)
		if m == nil {
			return reply{}, armerr.BadRequest("InvalidFilter", "The simulator knows the filters roleName eq '...', type eq '...' and atScopeAndBelow(), not '%s'.", filter)
		}
		value := strings.ReplaceAll(m[2], "''", "'")
		keep = func(role rbac.Role) bool {
			if m[1] == "type" {
				return strings.EqualFold(roleType(role), value)
			}
			return strings.EqualFold(role.Name, value)
		}
	}
	var items []armjson.Object
	for _, role := range slices.Concat(rbac.BuiltIn(), c.customRoles()) {
		if keep(role) && c.assignable(role, scopeOf(r.path)) {
			items = append(items, c.showRole(role, r.path.Subscription))
		}
	}
	return list(items), nil
}

func roleType(role rbac.Role) string {
	if role.Custom {
		return "CustomRole"
	}
	return "BuiltInRole"
}

// role finds a role by its GUID.
func (c *cloud) role(guid string) (rbac.Role, bool) {
	if role, known := rbac.ByGUID(guid); known {
		return role, true
	}
	if custom := c.customRole(guid); custom != nil {
		return readRole(custom), true
	}
	return rbac.Role{}, false
}

func (c *cloud) customRole(guid string) *resource {
	for _, r := range c.state.Resources {
		if r.Type == typeRoleDefinition && strings.EqualFold(r.name(), guid) {
			return r
		}
	}
	return nil
}

func (c *cloud) customRoles() []rbac.Role {
	var out []rbac.Role
	for _, r := range c.state.children("", typeRoleDefinition) {
		out = append(out, readRole(r))
	}
	return out
}

func (c *cloud) assignable(role rbac.Role, scope string) bool {
	return !role.Custom || slices.ContainsFunc(stringsOf(c.customRole(role.GUID).properties()["assignableScopes"]), func(s string) bool {
		return rbac.Covers(s, scope)
	})
}

func readRole(r *resource) rbac.Role {
	p := r.properties()
	role := rbac.Role{GUID: r.name(), Name: armjson.String(p, "roleName"), Description: armjson.String(p, "description"), Custom: true}
	permissions, _ := p["permissions"].([]any)
	for _, item := range permissions {
		permission, _ := item.(armjson.Object)
		role.Actions = append(role.Actions, stringsOf(permission["actions"])...)
		role.NotActions = append(role.NotActions, stringsOf(permission["notActions"])...)
	}
	return role
}

// stringsOf are the strings of a JSON list.
func stringsOf(list any) []string {
	items, _ := list.([]any)
	var out []string
	for _, item := range items {
		if s, isString := item.(string); isString {
			out = append(out, s)
		}
	}
	return out
}

// showRole is a role as it is answered: under the subscription that was asked, as Azure does it.
func (c *cloud) showRole(role rbac.Role, subscription string) armjson.Object {
	id := "/providers/" + typeRoleDefinition + "/" + role.GUID
	if subscription != "" {
		id = "/subscriptions/" + subscription + id
	}
	out := armjson.Object{"id": id, "name": role.GUID, "type": typeRoleDefinition}
	if role.Custom {
		out["properties"] = armjson.Clone(c.customRole(role.GUID).properties())
		return out
	}
	actions := func(list []string) []string { return append([]string{}, list...) }
	out["properties"] = armjson.Object{
		"roleName": role.Name, "type": roleType(role), "description": role.Description, "assignableScopes": []string{"/"},
		"permissions": []any{armjson.Object{
			"actions": actions(role.Actions), "notActions": actions(role.NotActions), "dataActions": []string{}, "notDataActions": []string{},
		}},
	}
	return out
}

// putRoleDefinition makes or changes a custom role.
func putRoleDefinition(c *cloud, r *call) (reply, error) {
	name := r.path.Name()
	if uuid.Validate(name) != nil || len(name) != 36 {
		return reply{}, armerr.BadRequest("InvalidRoleDefinitionId", "The role definition ID '%s' is not valid. The role definition ID must be a GUID.", name)
	}
	if role, builtIn := rbac.ByGUID(name); builtIn {
		return reply{}, armerr.BadRequest("RoleDefinitionUpdateNotPermitted", "The built-in role '%s' cannot be changed.", role.Name)
	}
	armjson.DropNulls(r.body)
	sent := armjson.Sub(r.body, "properties")
	role := armjson.String(sent, "roleName")
	if role == "" || len(stringsOf(sent["assignableScopes"])) == 0 {
		return reply{}, armerr.BadRequest("RoleDefinitionInvalid", "The role definition needs a roleName and at least one assignable scope.")
	}
	for _, other := range slices.Concat(rbac.BuiltIn(), c.customRoles()) {
		if strings.EqualFold(other.Name, role) && !strings.EqualFold(other.GUID, name) {
			return reply{}, armerr.Conflict("RoleDefinitionWithSameNameExists", "A custom role with the same name already exists in this directory. Use a different name.")
		}
	}
	current := c.customRole(name)
	if current == nil {
		current = &resource{ID: r.path.Scope + "/providers/" + typeRoleDefinition + "/" + name, Type: typeRoleDefinition, Created: c.clock.Now()}
	}
	sent["type"] = "CustomRole"
	current.Body = armjson.Object{"properties": sent}
	c.store(current)
	return reply{status: http.StatusCreated, body: c.showRole(readRole(current), r.path.Subscription)}, nil
}

// deleteRoleDefinition takes a custom role away unless somebody has it.
func deleteRoleDefinition(c *cloud, r *call) (reply, error) {
	current := c.customRole(r.path.Name())
	if current == nil {
		return reply{status: http.StatusNoContent}, nil
	}
	for _, a := range c.state.children("", typeRoleAssignment) {
		if sameRole(armjson.String(a.properties(), "roleDefinitionId"), current.ID) {
			return reply{}, armerr.BadRequest("RoleDefinitionHasAssignments", "There are existing role assignments referencing role (code: RoleDefinitionHasAssignments).")
		}
	}
	answer := c.showRole(readRole(current), r.path.Subscription)
	delete(c.state.Resources, current.key())
	c.dirty = true
	return ok(answer), nil
}
