package sim

import (
	"cmp"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/fleetwright/fleetwright/internal/azure/sim/armerr"
	"github.com/fleetwright/fleetwright/internal/azure/sim/armjson"
	"github.com/fleetwright/fleetwright/internal/azure/sim/armpath"
	"github.com/fleetwright/fleetwright/internal/azure/sim/rbac"
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
	if _, known := c.role(lastSegment(role)); !known {
		return reply{}, armerr.BadRequest("RoleDefinitionDoesNotExist", "The specified role definition with ID '%s' does not exist.", strings.ReplaceAll(lastSegment(role), "-", ""))
	}
	if err := c.checkScope(r.path); err != nil {
		return reply{}, err
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
		assignment = &resource{ID: r.path.Scope + "/providers/" + typeRoleAssignment + "/" + name, Type: typeRoleAssignment, Created: c.clock.Now(), Body: armjson.Object{}}
	}
	armjson.Default(sent, "principalType", "User")
	sent["scope"] = scopeOf(r.path)
	sent["createdOn"], sent["updatedOn"] = assignment.Created.UTC().Format(time.RFC3339Nano), c.clock.Now().UTC().Format(time.RFC3339Nano)
	sent["createdBy"], sent["updatedBy"] = cmp.Or(armjson.String(assignment.properties(), "createdBy"), r.caller), r.caller
	assignment.Body = armjson.Object{"properties": sent}
	c.store(assignment)
	// Azure answers 201 to updates as well.
	return reply{status: http.StatusCreated, body: c.show(assignment)}, nil
}

// checkScope refuses an assignment at something that does not exist. What the simulator does not know is taken to exist.
func (c *cloud) checkScope(p armpath.Path) error {
	if p.Group != "" {
		if _, err := c.mustGroup(p); err != nil {
			return err
		}
	}
	if !p.ScopeIsResource {
		return nil
	}
	scope, err := armpath.Parse((&url.URL{Path: p.Scope}).EscapedPath())
	if err != nil {
		return armerr.BadRequest("InvalidRequestUri", "The scope '%s' is not valid: %v.", p.Scope, err)
	}
	stored := []string{typeNetwork, typeSubnet, typeCluster, typePool, typeRegistry}
	if slices.Contains(stored, canonicalType(scope.Type())) && c.state.Resources[scope.Key()] == nil {
		return notFound(scope)
	}
	return nil
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
	return strings.EqualFold(lastSegment(a), lastSegment(b))
}

func getRoleAssignment(c *cloud, r *call) (reply, error) {
	current := c.find(r)
	if current == nil {
		return reply{}, armerr.NotFound("RoleAssignmentNotFound", "The role assignment '%s' is not found.", strings.ReplaceAll(r.path.Name(), "-", ""))
	}
	return ok(c.show(current)), nil
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

var principalFilter = regexp.MustCompile(`^(?:principalId eq '([0-9A-Fa-f-]{36})'|assignedTo\('([0-9A-Fa-f-]{36})'\))$`)

// assignmentFilter is what a list of assignments is narrowed to.
type assignmentFilter struct {
	// principal has them; empty for everybody.
	principal string
	// here leaves out what is below the scope.
	here bool
}

func readAssignmentFilter(filter string) (assignmentFilter, error) {
	var f assignmentFilter
	for term := range strings.SplitSeq(filter, " and ") {
		term = strings.TrimSpace(term)
		m := principalFilter.FindStringSubmatch(term)
		switch {
		case term == "" && filter == "":
		case term == "atScope()":
			f.here = true
		case m != nil && f.principal == "":
			f.principal = m[1] + m[2]
		default:
			return f, armerr.BadRequest("InvalidFilter", "The simulator knows the filters atScope(), principalId eq '...' and assignedTo('...'), not '%s'.", filter)
		}
	}
	return f, nil
}

// listRoleAssignments lists what applies at a scope: assignments at it, above it, and, without atScope(), below it.
func listRoleAssignments(c *cloud, r *call) (reply, error) {
	filter, err := readAssignmentFilter(strings.TrimSpace(r.query.Get("$filter")))
	if err != nil {
		return reply{}, err
	}
	here := scopeOf(r.path)
	items := []armjson.Object{}
	for _, a := range c.state.children("", typeRoleAssignment) {
		scope := armjson.String(a.properties(), "scope")
		applies := rbac.Covers(scope, here) || !filter.here && rbac.Covers(here, scope)
		mine := filter.principal == "" || strings.EqualFold(filter.principal, armjson.String(a.properties(), "principalId"))
		if applies && mine {
			items = append(items, c.show(a))
		}
	}
	return list(items), nil
}
