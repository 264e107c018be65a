// Package roles is what Fleetwright says of Azure's role assignments: their names, which anybody can compute again, when two are equal,
// and the port through which Azure is asked.
package roles

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/fleetwright/fleetwright/internal/azure/graph"
)

// Assignment is one role for one principal at one scope.
type Assignment struct {
	// ID is its Azure resource id, Scope the id of what it is for. Above the scope that was asked about, Scope is that of the parent.
	ID, Scope string
	// RoleID is the GUID of the role definition, PrincipalID the object id of the principal.
	RoleID, PrincipalID string
	// PrincipalType is ServicePrincipal, User or Group, empty where Azure does not say.
	PrincipalType string
	// Condition narrows what the assignment allows; empty for all of the role.
	Condition string
	// UpdatedBy is the object id of who has written it last, empty where Azure does not say.
	UpdatedBy string
}

// namespace is that of our names. It never changes: with another one, nothing that was made would be found again.
var namespace = uuid.MustParse("5fa1d1c4-6a0e-5b7c-9c0e-0f1ee7a41a17")

// Name is the GUID under which Fleetwright makes the assignment: the same for the same scope, role and principal, however they are
// written, so that a second look, a second operator or a new installation finds it again.
func Name(scope, roleID, principalID string) string {
	return uuid.NewSHA1(namespace, []byte(strings.ToLower(scope+"|"+roleID+"|"+principalID))).String()
}

// IDOf is the Azure resource id of the assignment of that name at a scope.
func IDOf(scope, name string) string {
	return strings.TrimSuffix(scope, "/") + "/providers/Microsoft.Authorization/roleAssignments/" + name
}

// ByUs is true when the assignment has the name that Fleetwright gives: nobody else has a reason to choose it.
func (a Assignment) ByUs() bool {
	name := a.ID[strings.LastIndexByte(a.ID, '/')+1:]
	return name != "" && strings.EqualFold(name, Name(a.Scope, a.RoleID, a.PrincipalID))
}

// Same is true when both are about the same scope, role and principal, whatever their names. Azure takes no two of them.
func (a Assignment) Same(b Assignment) bool {
	return strings.EqualFold(a.Scope, b.Scope) && strings.EqualFold(a.RoleID, b.RoleID) && strings.EqualFold(a.PrincipalID, b.PrincipalID)
}

// Identities are the object ids of an AKS cluster's identities, empty what it does not have (yet).
type Identities struct{ Kubelet, ControlPlane string }

// Azure is asked for assignments, and for who changed one. What Azure answers is a refusal (package refusal): Gone for what is not there, Denied with the right
// that is missing, Passing, Final.
type Azure interface {
	graph.Log
	// Assignments are those of a principal that apply at a scope: made there, above it or below it.
	Assignments(ctx context.Context, scope, principalID string) ([]Assignment, error)
	// Assignment reads one. It is Gone when it does not exist.
	Assignment(ctx context.Context, id string) (Assignment, error)
	// Assign makes an assignment under its ID, with its principal type, and answers what Azure has then. It can be repeated.
	Assign(ctx context.Context, a Assignment) (Assignment, error)
	// Unassign deletes one. One that does not exist is no error.
	Unassign(ctx context.Context, id string) error
	// RoleNamed is the GUID of the role of that name that can be assigned at a scope. It is Gone when there is none.
	RoleNamed(ctx context.Context, scope, name string) (string, error)
	// IdentitiesOf reads the identities of an AKS cluster by its Azure resource id. An answer from after since may be kept for a week: a
	// cluster changes them hardly ever.
	IdentitiesOf(ctx context.Context, managedClusterID string, since time.Time) (Identities, error)
	// LoginServer is the host name of a registry, for instance shared.azurecr.io.
	LoginServer(ctx context.Context, registryID string) (string, error)
}
