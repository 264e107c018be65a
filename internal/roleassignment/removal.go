package roleassignment

import (
	"context"
	"fmt"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/azure/refusal"
	"github.com/fleetwright/fleetwright/internal/azure/roles"
)

// askWhatIsLeft reads the assignments of a deleted object: those that were seen in Azure or, before any was, the one that would be made.
// It needs no cluster, which may be gone.
func (r *Reconciler) askWhatIsLeft(ctx context.Context, a *fleetwrightv1.AzureRoleAssignment, o *observation) error {
	if policy := a.Spec.DeletionPolicy; policy == fleetwrightv1.DeletionPolicyProtect || policy == fleetwrightv1.DeletionPolicyRetain {
		return nil
	}
	if len(o.marks) == 0 {
		return r.askUnseen(ctx, a, o)
	}
	if err := r.connect(ctx, o); err != nil || o.world.obstacle != nil {
		return err
	}
	for _, m := range o.marks {
		found, err := o.azure.Assignment(ctx, m.id)
		switch {
		case err == nil:
			o.world.left = append(o.world.left, found)
		case !refusal.Is(err, refusal.Gone):
			return err
		}
	}
	return r.askWhoShares(ctx, a, o)
}

// askUnseen looks for an assignment that was made right before the process that made it ended. Where it cannot be known what it would be
// called, or it may not be looked for, none was made.
func (r *Reconciler) askUnseen(ctx context.Context, a *fleetwrightv1.AzureRoleAssignment, o *observation) error {
	if early(a, o.cluster) != nil {
		return nil
	}
	err := r.connect(ctx, o)
	if err == nil && o.world.obstacle == nil {
		err = r.askWanted(ctx, a, o)
	}
	if err == nil && o.world.obstacle == nil {
		err = r.askFound(ctx, o)
	}
	o.world.obstacle = nil
	if f := o.world.found; f != nil {
		o.world.left = []roles.Assignment{*f}
		return r.askWhoShares(ctx, a, o)
	}
	if !passing(err) {
		return nil
	}
	return err
}

// passing is an error after which asking again may help.
func passing(err error) bool {
	refused, sorted := refusal.Of(err)
	return err != nil && (!sorted || refused.Kind == refusal.Passing || refused.Kind == refusal.Busy)
}

// askWhoShares finds the other objects that have the same assignments. Those that are being deleted, too, have a word no more.
func (r *Reconciler) askWhoShares(ctx context.Context, a *fleetwrightv1.AzureRoleAssignment, o *observation) error {
	var all fleetwrightv1.AzureRoleAssignmentList
	if err := r.Client.List(ctx, &all); err != nil {
		return fmt.Errorf("list AzureRoleAssignments: %w", err)
	}
	o.world.shared = map[string]string{}
	for i := range all.Items {
		other := &all.Items[i]
		if other.UID == a.UID || !other.DeletionTimestamp.IsZero() {
			continue
		}
		for _, m := range marksOf(other) {
			o.world.shared[key(m.id)] = other.Namespace + "/" + other.Name
		}
	}
	return nil
}
