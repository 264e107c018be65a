package roleassignments_test

import (
	"testing"

	"github.com/fleetwright/fleetwright/internal/additionalconfig/roleassignments"
	"github.com/fleetwright/fleetwright/internal/additionalconfig/section/sectiontest"
)

func TestWhatRoleAssignmentsBecome(t *testing.T) {
	const zone = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/dns/providers/Microsoft.Network/dnsZones/example.org"
	sectiontest.Becomes(t, roleassignments.Section, map[string][]string{
		"one with everything": {
			"roleAssignments: [{name: dns, scope: " + zone + ", role: {name: DNS Zone Contributor}, principal: {clusterIdentity: ControlPlane}, existingPolicy: Report, pullCheck: {image: pause}}]",
			`c-role-dns {"scope":"` + zone + `","role":{"name":"DNS Zone Contributor"},"principal":{"clusterIdentity":"ControlPlane"},"existingPolicy":"Report","pullCheck":{"image":"pause"}}`,
		},
		"another principal": {
			"roleAssignments: [{name: dns, scope: " + zone + ", role: {id: befefa01-2a29-4197-83a8-272ff33ce314}, principal: {objectID: 11111111-1111-1111-1111-111111111111, type: Group}}]",
			`c-role-dns {"scope":"` + zone + `","role":{"id":"befefa01-2a29-4197-83a8-272ff33ce314"},"principal":{"objectID":"11111111-1111-1111-1111-111111111111","type":"Group"}}`,
		},
		"other sections": {"autoscaler: {expander: random}"},
	})
}
