package rbac_test

import (
	"testing"

	"github.com/google/uuid"

	"github.com/fleetwright/fleetwright/internal/azure/sim/rbac"
)

func TestMatches(t *testing.T) {
	for name, test := range map[string]struct {
		pattern, action string
		want            bool
	}{
		"all":                    {"*", "A/b/write", true},
		"same in other letters":  {"a/B/Read", "A/b/read", true},
		"longer":                 {"a/b/read", "a/b/read/action", false},
		"shorter":                {"a/b/read", "a/b", false},
		"every read":             {"*/read", "a/b/c/read", true},
		"no read":                {"*/read", "a/b/write", false},
		"read is not the end":    {"*/read", "a/read/action", false},
		"below":                  {"a/*", "a/b/c/write", true},
		"beside":                 {"a/*", "ab/c/write", false},
		"in the middle":          {"a/*/write", "a/b/c/write", true},
		"in the middle, not end": {"a/*/write", "a/b/c/writes", false},
		"twice":                  {"a/*/b/*/read", "a/x/b/y/z/read", true},
		"parts do not overlap":   {"a/*/write", "a/write", false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := rbac.Matches(test.pattern, test.action); got != test.want {
				t.Errorf("Matches(%q, %q) is %t", test.pattern, test.action, got)
			}
		})
	}
}

func TestRoles(t *testing.T) {
	role := func(name string) rbac.Role {
		for _, r := range rbac.BuiltIn() {
			if r.Name == name {
				return r
			}
		}
		t.Fatalf("no role %q", name)
		return rbac.Role{}
	}
	for name, test := range map[string]struct {
		role, action string
		want         bool
	}{
		"AcrPull pulls":                      {"AcrPull", "Microsoft.ContainerRegistry/registries/pull/read", true},
		"AcrPull does not push":              {"AcrPull", "Microsoft.ContainerRegistry/registries/push/write", false},
		"AcrPull does not read the registry": {"AcrPull", "Microsoft.ContainerRegistry/registries/read", false},
		"Reader pulls":                       {"Reader", "Microsoft.ContainerRegistry/registries/pull/read", true},
		"Reader writes nothing":              {"Reader", "Microsoft.ContainerService/managedClusters/write", false},
		"Contributor writes":                 {"Contributor", "Microsoft.ContainerService/managedClusters/write", true},
		"Contributor assigns no roles":       {"Contributor", "Microsoft.Authorization/roleAssignments/write", false},
		"Contributor reads assignments":      {"Contributor", "Microsoft.Authorization/roleAssignments/read", true},
		"the administrator assigns":          {"Role Based Access Control Administrator", "Microsoft.Authorization/roleAssignments/delete", true},
		"networks have zones":                {"Network Contributor", "Microsoft.Network/dnsZones/write", true},
		"zones have no networks":             {"DNS Zone Contributor", "Microsoft.Network/virtualNetworks/write", false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := role(test.role).Allows(test.action); got != test.want {
				t.Errorf("%s allows %s: %t", test.role, test.action, got)
			}
		})
	}
	guids := map[string]bool{}
	for _, r := range rbac.BuiltIn() {
		if found, ok := rbac.ByGUID(r.GUID); !ok || found.Name != r.Name || uuid.Validate(r.GUID) != nil || guids[r.GUID] {
			t.Errorf("role %s has the GUID %s", r.Name, r.GUID)
		}
		guids[r.GUID] = true
	}
}

func TestCovers(t *testing.T) {
	for name, test := range map[string]struct {
		scope, id string
		want      bool
	}{
		"itself":        {"/subscriptions/a", "/Subscriptions/A/", true},
		"below":         {"/subscriptions/a", "/subscriptions/a/resourceGroups/g", true},
		"above":         {"/subscriptions/a/resourceGroups/g", "/subscriptions/a", false},
		"a longer name": {"/subscriptions/a/resourceGroups/g", "/subscriptions/a/resourceGroups/g2", false},
		"everything":    {"/", "/subscriptions/a", true},
		"a group":       {"/providers/Microsoft.Management/managementGroups/m", "/subscriptions/a/resourceGroups/g", true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := rbac.Covers(test.scope, test.id); got != test.want {
				t.Errorf("Covers(%q, %q) is %t", test.scope, test.id, got)
			}
		})
	}
}
