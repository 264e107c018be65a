package sweep

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fleetwright/fleetwright/internal/drift"
)

const (
	acrPull   = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
	principal = "11111111-aaaa-4bbb-8ccc-222222222222"
	scope     = "/subscriptions/s/resourceGroups/acr/providers/Microsoft.ContainerRegistry/registries/shared"
)

func TestRoleAssignmentsAreAskedForByPrincipal(t *testing.T) {
	got := RoleAssignments(nil).Query([]Declared{
		{Fields: map[string]any{FieldPrincipal: "B"}}, {Fields: map[string]any{FieldPrincipal: "a'"}}, {Fields: map[string]any{FieldPrincipal: "b"}}, {},
	})
	const want = `authorizationresources
| where type =~ 'microsoft.authorization/roleassignments'
| where tostring(properties.principalId) in~ ('a', 'b')
| summarize assignments = make_set(strcat(id, '|', tostring(properties.roleDefinitionId), '|', tostring(properties.updatedOn))) by id = tolower(tostring(properties.principalId))`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestReadRows(t *testing.T) {
	declared := map[string]any{FieldScope: scope, FieldRole: acrPull, FieldPrincipal: principal}
	row := `{"id": "11111111-aaaa-4bbb-8ccc-222222222222", "assignments": [
		"/Subscriptions/S/resourcegroups/ACR/providers/microsoft.containerregistry/registries/shared/Providers/Microsoft.Authorization/roleAssignments/1|/subscriptions/s/providers/Microsoft.Authorization/RoleDefinitions/7F951DDA-4ed3-4680-a7ca-43fe172d538d|2026-11-26T12:00:00.1234567Z",
		"` + scope + `/providers/Microsoft.Authorization/roleAssignments/a|b|/providers/x/b24988ac-6180-42a0-ab88-20f7382dd24c|"]}`
	found, err := readAssignments(json.RawMessage(row))
	if err != nil || len(found) != 2 {
		t.Fatal(found, err)
	}
	for i, want := range [][]drift.Field{nil, {{Path: "role", Declared: acrPull, Found: "b24988ac-6180-42a0-ab88-20f7382dd24c"}}} {
		if diff := cmp.Diff(want, drift.Compare(declared, found[i].Fields)); diff != "" {
			t.Errorf("%d (-want +got):\n%s", i, diff)
		}
		if dated := i == 0; dated == found[i].ChangedAt.IsZero() {
			t.Errorf("%d is dated %s", i, found[i].ChangedAt)
		}
	}
	if want := scope + "/providers/Microsoft.Authorization/roleAssignments/a|b"; found[1].ID != want {
		t.Errorf("read %s, want %s", found[1].ID, want)
	}
	profile := map[string]any{"scan-interval": "20s", "expander": "least-waste"}
	rules := []drift.Rule{{Path: "scan-interval", As: drift.Duration}}
	for row, want := range map[string][]drift.Field{
		`{"id": "/a", "profile": {"expander": "least-waste", "scan-interval": "20.0s", "max-node-provision-time": "15m"}}`: nil,
		`{"id": "/a", "profile": {"expander": "least-waste", "scan-interval": "10s"}}`:                                     {{Path: "scan-interval", Declared: "20s", Found: "10s"}},
		`{"id": "/a", "profile": null}`: {{Path: "missing"}},
	} {
		found, err := AutoscalerProfiles(nil, rules...).Read(json.RawMessage(row))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, drift.Compare(profile, found[0].Fields, rules...)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row, diff)
		}
	}
	for _, crooked := range []string{`[]`, `{"id": 1}`, `{"assignments": ["/a|b"]}`, `{"assignments": ["/a|b|c"]}`} {
		if _, err := readAssignments(json.RawMessage(crooked)); err == nil {
			t.Errorf("%s is read", crooked)
		}
	}
}
