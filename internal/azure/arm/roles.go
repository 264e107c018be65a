package arm

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/fleetwright/fleetwright/internal/azure/armid"
	"github.com/fleetwright/fleetwright/internal/azure/refusal"
	"github.com/fleetwright/fleetwright/internal/azure/roles"
)

var _ roles.Azure = (*Client)(nil)

const (
	assignmentType   = "Microsoft.Authorization/roleAssignments"
	definitionType   = "Microsoft.Authorization/roleDefinitions"
	readAssignments  = assignmentType + "/read"
	writeAssignment  = assignmentType + "/write"
	deleteAssignment = assignmentType + "/delete"
	readDefinitions  = definitionType + "/read"
	// rolesVersion is the one of armauthorization/v2.
	rolesVersion = "2022-04-01"
)

// assignment is a role assignment as ARM writes it, as far as it is used.
type assignment struct {
	ID         string               `json:"id,omitempty"`
	Properties assignmentProperties `json:"properties"`
}

type assignmentProperties struct {
	Scope            string `json:"scope,omitempty"`
	RoleDefinitionID string `json:"roleDefinitionId"`
	PrincipalID      string `json:"principalId"`
	PrincipalType    string `json:"principalType,omitempty"`
	Condition        string `json:"condition,omitempty"`
	UpdatedBy        string `json:"updatedBy,omitempty"`
}

func (a assignment) view() roles.Assignment {
	p := a.Properties
	return roles.Assignment{
		ID: a.ID, Scope: p.Scope, RoleID: lastSegment(p.RoleDefinitionID), PrincipalID: p.PrincipalID,
		PrincipalType: p.PrincipalType, Condition: p.Condition, UpdatedBy: p.UpdatedBy,
	}
}

// Assignments implements roles.Azure with one list.
func (c *Client) Assignments(ctx context.Context, scope, principalID string) ([]roles.Assignment, error) {
	if err := straight(scope); err != nil {
		return nil, err
	}
	found, err := list[assignment](ctx, c, fmt.Sprintf("list the role assignments of %s", principalID), collection{
		path: scope + "/providers/" + assignmentType, version: rolesVersion, filter: fmt.Sprintf("principalId eq '%s'", principalID),
		needs: right{readAssignments, scope},
	})
	if err != nil {
		return nil, err
	}
	out := make([]roles.Assignment, 0, len(found))
	for _, a := range found {
		out = append(out, a.view())
	}
	return out, nil
}

// Assignment implements roles.Azure.
func (c *Client) Assignment(ctx context.Context, id string) (roles.Assignment, error) {
	var found assignment
	err := c.resource(ctx, "read role assignment "+lastSegment(id), request{
		method: http.MethodGet, path: id, version: rolesVersion, needs: right{readAssignments, scopeOf(id)},
	}, &found)
	return found.view(), err
}

// Assign implements roles.Azure with one PUT. Without the principal's type, Azure would look for it in Entra ID, which may not know a
// fresh identity for minutes.
func (c *Client) Assign(ctx context.Context, a roles.Assignment) (roles.Assignment, error) {
	wish := assignment{Properties: assignmentProperties{
		RoleDefinitionID: definitionID(a.Scope, a.RoleID), PrincipalID: a.PrincipalID, PrincipalType: cmp.Or(a.PrincipalType, "ServicePrincipal"),
	}}
	var made assignment
	err := c.resource(ctx, fmt.Sprintf("assign role %s to %s", a.RoleID, a.PrincipalID), request{
		method: http.MethodPut, path: a.ID, version: rolesVersion, body: wish, needs: right{writeAssignment, a.Scope},
	}, &made)
	return made.view(), err
}

// Unassign implements roles.Azure with one DELETE.
func (c *Client) Unassign(ctx context.Context, id string) error {
	err := c.resource(ctx, "delete role assignment "+lastSegment(id), request{
		method: http.MethodDelete, path: id, version: rolesVersion, needs: right{deleteAssignment, scopeOf(id)},
	}, nil)
	if refusal.Is(err, refusal.Gone) {
		return nil
	}
	return err
}

// RoleNamed implements roles.Azure. Answers are kept: a role's GUID never changes, and its name hardly ever does.
func (c *Client) RoleNamed(ctx context.Context, scope, name string) (string, error) {
	return c.roleIDs.get(ctx, strings.ToLower(scope+"|"+name), time.Time{}, func(ctx context.Context) (string, error) {
		return c.readRole(ctx, scope, name)
	})
}

func (c *Client) readRole(ctx context.Context, scope, name string) (string, error) {
	doing := fmt.Sprintf("find role %q", name)
	if err := straight(scope); err != nil {
		return "", fmt.Errorf("%s: %w", doing, err)
	}
	found, err := list[struct {
		Name       string `json:"name"`
		Properties struct {
			RoleName string `json:"roleName"`
		} `json:"properties"`
	}](ctx, c, doing, collection{
		path: scope + "/providers/" + definitionType, version: rolesVersion, filter: fmt.Sprintf("roleName eq '%s'", name),
		needs: right{readDefinitions, scope},
	})
	if err != nil {
		return "", err
	}
	for _, r := range found {
		if strings.EqualFold(r.Properties.RoleName, name) {
			return strings.ToLower(r.Name), nil
		}
	}
	return "", &refusal.Error{Kind: refusal.Gone, Doing: doing, Message: fmt.Sprintf("no role of that name can be assigned at %s", scope)}
}

// definitionID writes a role definition's id as Azure does: of the subscription, or of the tenant above all subscriptions.
func definitionID(scope, roleID string) string {
	prefix := ""
	if id, err := armid.Parse(scope); err == nil && id.Subscription() != "" {
		prefix = "/subscriptions/" + id.Subscription()
	}
	return prefix + "/providers/" + definitionType + "/" + roleID
}

// scopeOf is the scope of a role assignment's id.
func scopeOf(id string) string {
	if assignment, err := armid.Parse(id); err == nil {
		if scope, found := assignment.Scope(); found {
			return scope.String()
		}
	}
	return id
}

func lastSegment(id string) string { return id[strings.LastIndexByte(id, '/')+1:] }
