package roleassignment

import (
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/kindmetrics"
)

var (
	actionsTotal = kindmetrics.NewActions("fleetwright_role_assignment_actions_total",
		"Actions for AzureRoleAssignments, by kind (Assign, Unassign, StartPull, ...) and result (ok, error).")
	driftsTotal = kindmetrics.NewDrifts("fleetwright_role_assignment_drifts_total",
		"Role assignments that were gone although they had been there, by what became of it (Healed, Reported, Adopted).")
)

func registerMetrics(reader client.Reader) error {
	return kindmetrics.Register(actionsTotal, driftsTotal, kindmetrics.Conditions[*fleetwrightv1.AzureRoleAssignment]{
		Reader: reader, Name: "fleetwright_role_assignment_condition", Kind: "AzureRoleAssignment", List: &fleetwrightv1.AzureRoleAssignmentList{},
		Cluster: func(a *fleetwrightv1.AzureRoleAssignment) string { return a.Spec.ClusterName },
	})
}
