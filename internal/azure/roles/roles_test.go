package roles_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/fleetwright/fleetwright/internal/azure/roles"
)

const (
	scope     = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/acr"
	role      = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
	principal = "55555555-5555-5555-5555-555555555555"
)

// TestNameNeverChanges: with another name nothing that was made would be found again.
func TestNameNeverChanges(t *testing.T) {
	const want = "d8a07928-9625-581b-bef5-02d9c237decd"
	got := roles.Name(scope, role, principal)
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if id, err := uuid.Parse(got); err != nil || id.Version() != 5 {
		t.Errorf("%s is no UUIDv5: %v", got, err)
	}
	if other := roles.Name(strings.ToUpper(scope), strings.ToUpper(role), strings.ToUpper(principal)); other != got {
		t.Errorf("in capitals it is %s", other)
	}
	for name, other := range map[string]string{
		"scope": roles.Name(scope+"/x", role, principal), "role": roles.Name(scope, principal, principal), "principal": roles.Name(scope, role, role),
	} {
		if other == got {
			t.Errorf("another %s has the same name", name)
		}
	}
}

// TestByUs: the name proves it, and only together with what it is about.
func TestByUs(t *testing.T) {
	ours := roles.Assignment{ID: roles.IDOf(scope, roles.Name(scope, role, principal)), Scope: scope, RoleID: role, PrincipalID: principal}
	if !ours.ByUs() {
		t.Error("ours is not")
	}
	for name, change := range map[string]func(*roles.Assignment){
		"another name":      func(a *roles.Assignment) { a.ID = roles.IDOf(scope, principal) },
		"no name":           func(a *roles.Assignment) { a.ID = "" },
		"another scope":     func(a *roles.Assignment) { a.Scope += "/x" },
		"another role":      func(a *roles.Assignment) { a.RoleID = principal },
		"another principal": func(a *roles.Assignment) { a.PrincipalID = role },
	} {
		a := ours
		if change(&a); a.ByUs() {
			t.Errorf("%s: it is taken for ours", name)
		}
		if same := a.Same(ours); same != strings.HasSuffix(name, "name") {
			t.Errorf("%s: the same is %t", name, same)
		}
	}
	shouted := roles.Assignment{ID: strings.ToUpper(ours.ID), Scope: strings.ToUpper(scope), RoleID: strings.ToUpper(role), PrincipalID: strings.ToUpper(principal)}
	if !shouted.ByUs() || !shouted.Same(ours) {
		t.Error("letter case makes a difference")
	}
	if got := roles.IDOf("/", "x"); got != "/providers/Microsoft.Authorization/roleAssignments/x" {
		t.Errorf("at the tenant: %s", got)
	}
}
