package section_test

import (
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/fleetwright/fleetwright/internal/additionalconfig/section"
	"github.com/fleetwright/fleetwright/internal/azure/roles"
)

// What is written in another way and means the same to Azure is the same; what Azure would have to be asked about is not.
func TestSameAssignment(t *testing.T) {
	const (
		scope     = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/acr"
		acrPull   = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
		reader    = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
		principal = "55555555-5555-5555-5555-555555555555"
		former    = "66666666-6666-6666-6666-666666666666"
	)
	ours := func(role, principal string) string {
		return principal + "=" + roles.IDOf(scope, roles.Name(scope, role, principal))
	}
	for name, tc := range map[string]struct {
		field, want, is, seen string
		same                  bool
	}{
		"scope in other letters":              {"scope", "scope: " + strings.ToLower(scope), "scope: " + scope, "", true},
		"another scope":                       {"scope", "scope: " + scope + "/x", "scope: " + scope, "", false},
		"role in other letters":               {"role", "role: {name: acrpull}", "role: {name: AcrPull}", "", true},
		"its id in other letters":             {"role", "role: {id: " + strings.ToUpper(acrPull) + "}", "role: {id: " + acrPull + "}", "", true},
		"another role":                        {"role", "role: {name: Reader}", "role: {name: AcrPull}", "", false},
		"its id instead of its name":          {"role", "role: {id: " + strings.ToUpper(acrPull) + "}", "role: {name: AcrPull}", ours(acrPull, principal), true},
		"seen for a former identity":          {"role", "role: {id: " + acrPull + "}", "role: {name: AcrPull}", ours(reader, former) + " " + ours(acrPull, principal), true},
		"the id of another role":              {"role", "role: {id: " + reader + "}", "role: {name: AcrPull}", ours(acrPull, principal), false},
		"nothing was seen yet":                {"role", "role: {id: " + acrPull + "}", "role: {name: AcrPull}", "", false},
		"somebody else made it":               {"role", "role: {id: " + acrPull + "}", "role: {name: AcrPull}", principal + "=" + roles.IDOf(scope, principal), false},
		"its name instead of its id":          {"role", "role: {name: AcrPull}", "role: {id: " + acrPull + "}", ours(acrPull, principal), false},
		"principal in other letters":          {"principal", "principal: {objectID: ABC}", "principal: {objectID: abc}", "", true},
		"principal of another type":           {"principal", "principal: {objectID: abc, type: Group}", "principal: {objectID: abc}", "", false},
		"another identity":                    {"principal", "principal: {clusterIdentity: Kubelet}", "principal: {clusterIdentity: ControlPlane}", "", false},
		"an identity in place of a principal": {"principal", "principal: {clusterIdentity: Kubelet}", "principal: {objectID: abc}", "", false},
		"another field":                       {"size", "size: a", "size: A", "", false},
	} {
		read := func(text string) map[string]any {
			out := map[string]any{}
			if err := yaml.Unmarshal([]byte(text), &out); err != nil {
				t.Fatal(err)
			}
			return out
		}
		is := section.Written{Spec: read(tc.is), Annotations: map[string]string{"fleetwright.io/role-assignments": tc.seen}}
		if tc.field == "role" {
			is.Spec["scope"] = scope
		}
		if got := section.SameAssignment(tc.field, section.Written{Spec: read(tc.want)}, is); got != tc.same {
			t.Errorf("%s: same %t, want %t", name, got, tc.same)
		}
	}
}
