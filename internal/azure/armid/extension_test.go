package armid

import "testing"

const (
	managementGroup = "/providers/Microsoft.Management/managementGroups/mg"
	registry        = "/subscriptions/0/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/acr"
	assignments     = "Microsoft.Authorization/roleAssignments"
)

// TestScopesOfAssignments goes both ways for each kind of scope that a role can be assigned at.
func TestScopesOfAssignments(t *testing.T) {
	for text, subscription := range map[string]string{
		managementGroup:                        "",
		"/subscriptions/0":                     "0",
		"/Subscriptions/0/resourcegroups/g":    "0",
		registry:                               "0",
		instance:                               "0000",
		registry + "/providers/A.B/locks/l":    "0",
		registry + "/tokens/providers":         "0",
		managementGroup + "/providers/A.B/c/d": "",
	} {
		scope, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		assignment, err := scope.Extension(assignments, "11")
		if err != nil || assignment.String() != text+"/providers/Microsoft.Authorization/roleAssignments/11" {
			t.Fatalf("an assignment at %s: %q, %v", text, assignment, err)
		}
		back, found := assignment.Scope()
		if !found || !back.Equal(scope) || back.String() != text {
			t.Errorf("the scope of %s is %q", assignment, back)
		}
		if assignment.Subscription() != subscription || scope.Subscription() != subscription {
			t.Errorf("the subscription of %s is %q, want %q", assignment, assignment.Subscription(), subscription)
		}
	}
}

// A name is no word: here the last "providers" is one.
func TestScopeOfAResourceThatIsNamedAsAWord(t *testing.T) {
	id, err := Parse("/subscriptions/0/resourceGroups/g/providers/A.B/c/providers")
	if err != nil {
		t.Fatal(err)
	}
	if scope, found := id.Scope(); !found || scope.String() != "/subscriptions/0/resourceGroups/g" {
		t.Errorf("the scope of %s is %q", id, scope)
	}
}

func TestScopesThatAreNone(t *testing.T) {
	for _, text := range []string{managementGroup, "/subscriptions/0", "/subscriptions/0/resourceGroups/g", "/providers/Microsoft.Authorization/roleDefinitions/1"} {
		id, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if scope, found := id.Scope(); found {
			t.Errorf("%s hangs on %q", text, scope)
		}
	}
	if scope, found := (ID{}).Scope(); found {
		t.Errorf("nothing hangs on %q", scope)
	}
}

func TestExtensionsThatAreNone(t *testing.T) {
	scope, err := Parse(registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range [][2]string{{"roleAssignments", "1"}, {assignments, ""}, {assignments, "1/2"}, {assignments, ".."}, {"A.B/c/d", "1"}, {assignments, "1?x"}} {
		if id, err := scope.Extension(wrong[0], wrong[1]); err == nil {
			t.Errorf("%v is %s", wrong, id)
		}
	}
	// The tenant itself would be meant, by who has not read an id.
	if id, err := (ID{}).Extension(assignments, "1"); err == nil {
		t.Errorf("an assignment at nothing is %s", id)
	}
}
