package roleassignment

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/fleetwright/fleetwright/internal/azure/roles"
	"github.com/fleetwright/fleetwright/internal/testkit/simazure"
)

// TestTheLeastRights: an identity without any right is told which it lacks, in Azure's own words; with the roles that the page names, and
// nothing else, an assignment goes through its whole life.
func TestTheLeastRights(t *testing.T) {
	s := newStage(t, pulling())
	s.addNode()
	// Whoever writes an assignment is named in it: that is how the object id of the operator is found here.
	probe := roles.Assignment{ID: roles.IDOf(groupID, testPrincipal), Scope: groupID, RoleID: testRole, PrincipalID: testPrincipal}
	made, err := s.azure.Connect(s.clock).Assign(t.Context(), probe)
	if err != nil {
		t.Fatal(err)
	}
	s.deleteBySomebody(probe.ID)
	settings := s.azure.Settings()
	settings.Permissions.Enforced = []string{simazure.OurID}
	s.azure.SetSettings(settings)

	s.look()
	s.want("Stalled", "True", "PermissionDenied", "grant it Microsoft.ContainerService/managedClusters/read on "+clusterID)
	grant := func(role string) {
		t.Helper()
		s.azure.Request(http.MethodPut, roles.IDOf(groupID, role), "2022-04-01", fmt.Sprintf(`{"properties": {"roleDefinitionId": %q, "principalId": %q, "principalType": "ServicePrincipal"}}`,
			"/subscriptions/00000000-0000-0000-0000-000000000001/providers/Microsoft.Authorization/roleDefinitions/"+role, made.UpdatedBy))
	}
	grant("acdd72a7-3385-48ef-bd42-f606fba81ae7") // Reader
	s.look()
	s.want("Stalled", "True", "PermissionDenied", "grant it Microsoft.Authorization/roleAssignments/write on "+testScope)
	s.want("Stalled", "True", "PermissionDenied", "the role Role Based Access Control Administrator there has it")
	grant("f58310d9-a9f6-439a-9e8d-f62e7b41a168") // Role Based Access Control Administrator
	for range 2 {
		s.look()
		s.pull()
	}
	s.look()
	s.want("Ready", "True", "Ready", "has pulled")
	s.deleteBySomebody(s.own())
	s.look()
	s.want("Ready", "True", "Ready", "assigned")
	if err := s.client.Delete(t.Context(), s.object()); err != nil {
		t.Fatal(err)
	}
	s.look()
	s.look()
	if s.object() != nil {
		t.Error("the object is still there")
	}
	if got := strings.Join(s.writes(), " "); !strings.HasSuffix(got, "PUT 403 PUT 201 PUT 201 DELETE 200") {
		t.Errorf("wrote %s", got)
	}
}
