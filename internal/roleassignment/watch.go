package roleassignment

import (
	"context"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/drift/sweep"
)

// target is what sweeps look for: the assignments that were seen in Azure.
func target(reader client.Reader) sweep.Target {
	return sweep.RoleAssignments(func(ctx context.Context) ([]sweep.Declared, error) { return declared(ctx, reader) })
}

// declared leaves out what is paused or being deleted, and what was never there.
func declared(ctx context.Context, reader client.Reader) ([]sweep.Declared, error) {
	var list fleetwrightv1.AzureRoleAssignmentList
	if err := reader.List(ctx, &list); err != nil {
		return nil, fmt.Errorf("list AzureRoleAssignments: %w", err)
	}
	var out []sweep.Declared
	for i := range list.Items {
		a := &list.Items[i]
		marks := marksOf(a)
		if len(marks) == 0 || !a.DeletionTimestamp.IsZero() || a.Spec.Reconcile == fleetwrightv1.ReconcileModePaused {
			continue
		}
		// The first is that of the present principal; those after it are of identities that the cluster had before.
		out = append(out, sweep.Declared{
			Object: client.ObjectKeyFromObject(a), ID: marks[0].id,
			Fields: map[string]any{sweep.FieldScope: a.Spec.Scope, sweep.FieldPrincipal: marks[0].principal},
		})
	}
	return out, nil
}
