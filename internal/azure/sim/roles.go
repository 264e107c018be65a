package sim

import (
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/fleetwright/fleetwright/internal/azure/sim/armerr"
	"github.com/fleetwright/fleetwright/internal/azure/sim/armjson"
	"github.com/fleetwright/fleetwright/internal/azure/sim/armpath"
)

var roleDefinition = regexp.MustCompile(`(?i)/providers/Microsoft\.Authorization/roleDefinitions/[0-9a-f-]{36}$`)

func putRoleAssignment(c *cloud, r *call) (reply, error) {
	name := r.path.Name()
	if uuid.Validate(name) != nil || len(name) != 36 {
		return reply{}, armerr.BadRequest("InvalidRoleAssignmentId", "The role assignment ID '%s' is not valid. The role assignment ID must be a GUID.", name)
	}
	armjson.DropNulls(r.body)
	sent := armjson.Sub(r.body, "properties")
	role, principal := armjson.String(sent, "roleDefinitionId"), armjson.String(sent, "principalId")
	if !roleDefinition.MatchString(role) {
		return reply{}, armerr.BadRequest("RoleDefinitionDoesNotExist", "The specified role definition with ID '%s' does not exist.", role)
	}
	if uuid.Validate(principal) != nil {
		return reply{}, armerr.BadRequest("InvalidPrincipalId", "A valid principal ID must be provided for role assignment, not '%s'.", principal)
	}
	if r.path.Group != "" {
		if _, err := c.mustGroup(r.path); err != nil {
			return reply{}, err
		}
	}
	if err := c.checkPrincipal(r, principal, armjson.String(sent, "principalType")); err != nil {
		return reply{}, err
	}
	current := c.find(r)
	if err := c.checkRoleChange(current, r.path, role, principal); err != nil {
		return reply{}, err
	}
	assignment := current
	if assignment == nil {
		assignment = &resource{ID: r.path.Scope + "/providers/" + typeRoleAssignment + "/" + name, Type: typeRoleAssignment, Created: c.clock.Now()}
	}
	armjson.Default(sent, "principalType", "User")
	sent["scope"] = scopeOf(r.path)
	sent["createdOn"], sent["updatedOn"] = assignment.Created.UTC().Format(time.RFC3339Nano), c.clock.Now().UTC().Format(time.RFC3339Nano)
	assignment.Body = armjson.Object{"properties": sent}
	c.store(assignment)
	// Azure answers 201 to updates as well.
	return reply{status: http.StatusCreated, body: c.show(assignment)}, nil
}

func scopeOf(p armpath.Path) string {
	if p.Scope == "" {
		return "/"
	}
	return p.Scope
}

// checkPrincipal answers PrincipalNotFound for an identity so fresh that Entra has not replicated it. Azure skips the
// look-up when the caller says what kind of principal it is.
func (c *cloud) checkPrincipal(r *call, principal, kind string) error {
	if kind != "" {
		return nil
	}
	for _, cluster := range c.state.Resources {
		if cluster.Type != typeCluster {
			continue
		}
		fresh := c.clock.Since(cluster.Created) < c.settings.Durations.PrincipalReplication.Duration
		own, _ := identityOf(cluster, "controlplane")
		kubelet, _ := identityOf(cluster, "kubelet")
		if fresh && (strings.EqualFold(principal, own) || strings.EqualFold(principal, kubelet)) {
			return armerr.BadRequest("PrincipalNotFound", "Principal %s does not exist in the directory %s. Check that you have the correct principal ID. If you are creating this principal and then "+
				"immediately assigning a role, this error might be related to a replication delay. In this case, set the role assignment principalType property to a value, such as ServicePrincipal, User, or Group. "+
				"See https://aka.ms/docs-principaltype", strings.ReplaceAll(principal, "-", ""), r.tenant)
		}
	}
	return nil
}

// checkRoleChange refuses to change who or what an assignment is about, and a second equal assignment.
func (c *cloud) checkRoleChange(current *resource, p armpath.Path, role, principal string) error {
	if current != nil {
		have := current.properties()
		if !strings.EqualFold(armjson.String(have, "principalId"), principal) || !sameRole(armjson.String(have, "roleDefinitionId"), role) {
			return armerr.BadRequest("RoleAssignmentUpdateNotPermitted", "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.")
		}
		return nil
	}
	for _, r := range c.state.Resources {
		if r.Type != typeRoleAssignment {
			continue
		}
		have := r.properties()
		if strings.EqualFold(armjson.String(have, "scope"), scopeOf(p)) && strings.EqualFold(armjson.String(have, "principalId"), principal) &&
			sameRole(armjson.String(have, "roleDefinitionId"), role) {
			return armerr.Conflict("RoleAssignmentExists", "The role assignment already exists. The ID of the conflicting role assignment is %s.", strings.ReplaceAll(r.name(), "-", ""))
		}
	}
	return nil
}

// sameRole compares the GUIDs: the same role can be written with and without a subscription in front.
func sameRole(a, b string) bool {
	return strings.EqualFold(a[strings.LastIndexByte(a, '/')+1:], b[strings.LastIndexByte(b, '/')+1:])
}

func deleteRoleAssignment(c *cloud, r *call) (reply, error) {
	current := c.find(r)
	if current == nil {
		return reply{status: http.StatusNoContent}, nil
	}
	delete(c.state.Resources, current.key())
	c.dirty = true
	return ok(c.show(current)), nil
}

var principalFilter = regexp.MustCompile(`^(?:principalId eq|assignedTo\() ?'([0-9A-Fa-f-]{36})'\)?$`)

// listRoleAssignments lists what applies at a scope: assignments at it, above it, and, without atScope(), below it.
func listRoleAssignments(c *cloud, r *call) (reply, error) {
	filter := strings.TrimSpace(r.query.Get("$filter"))
	principal := ""
	if m := principalFilter.FindStringSubmatch(filter); m != nil {
		principal = m[1]
	} else if filter != "" && filter != "atScope()" {
		return reply{}, armerr.BadRequest("InvalidFilter", "The simulator knows the filters atScope(), principalId eq '...' and assignedTo('...'), not '%s'.", filter)
	}
	here := armpath.Key(scopeOf(r.path))
	items := []armjson.Object{}
	for _, a := range c.state.children("", typeRoleAssignment) {
		scope := armpath.Key(armjson.String(a.properties(), "scope"))
		above := here == scope || strings.HasPrefix(here, scope+"/")
		below := strings.HasPrefix(scope, here+"/") && filter != "atScope()"
		mine := principal == "" || strings.EqualFold(principal, armjson.String(a.properties(), "principalId"))
		if (above || below) && mine {
			items = append(items, c.show(a))
		}
	}
	return list(items), nil
}
