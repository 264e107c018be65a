package roleassignment

import (
	"context"
	"fmt"
	"slices"
	"strings"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/azure/refusal"
	"github.com/fleetwright/fleetwright/internal/azure/roles"
	"github.com/fleetwright/fleetwright/internal/capi"
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

// askWhoShares finds the other objects that want the same assignments. Those that are being deleted, too, have a word no more. It reads
// past the cache, which may not know yet of an object that takes this one's place.
func (r *Reconciler) askWhoShares(ctx context.Context, a *fleetwrightv1.AzureRoleAssignment, o *observation) error {
	if !slices.ContainsFunc(o.world.left, roles.Assignment.ByUs) {
		return nil // nothing else is deleted
	}
	var all fleetwrightv1.AzureRoleAssignmentList
	if err := r.Live.List(ctx, &all); err != nil {
		return fmt.Errorf("list AzureRoleAssignments: %w", err)
	}
	o.world.shared = map[string]string{}
	for i := range all.Items {
		other := &all.Items[i]
		if other.UID == a.UID || !other.DeletionTimestamp.IsZero() {
			continue
		}
		for _, left := range o.world.left {
			wants, err := r.wants(ctx, other, left, a, o)
			if err != nil {
				return err
			}
			if wants {
				o.world.shared[key(left.ID)] = other.Namespace + "/" + other.Name
			}
		}
	}
	return nil
}

// wants is true when the other object has an assignment of a, or asks for it: one that is new, or paused, has written nothing down.
func (r *Reconciler) wants(ctx context.Context, other *fleetwrightv1.AzureRoleAssignment, left roles.Assignment, a *fleetwrightv1.AzureRoleAssignment, o *observation) (bool, error) {
	if slices.ContainsFunc(marksOf(other), func(m mark) bool { return strings.EqualFold(m.id, left.ID) }) {
		return true, nil
	}
	if !strings.EqualFold(other.Spec.Scope, left.Scope) {
		return false, nil
	}
	principal, err := r.principalBeside(ctx, other, a, o)
	if err != nil || !strings.EqualFold(principal, left.PrincipalID) {
		return false, err
	}
	role := other.Spec.Role.ID
	if role == "" {
		if role, err = o.azure.RoleNamed(ctx, other.Spec.Scope, other.Spec.Role.Name); refusal.Is(err, refusal.Gone) {
			return false, nil
		}
	}
	return err == nil && strings.EqualFold(role, left.RoleID), err
}

// principalBeside is whose assignment another object asks for, as far as it is known without asking Azure: the cluster of a may be gone.
func (r *Reconciler) principalBeside(ctx context.Context, other, a *fleetwrightv1.AzureRoleAssignment, o *observation) (string, error) {
	which := other.Spec.Principal.ClusterIdentity
	switch {
	case which == "":
		return other.Spec.Principal.ObjectID, nil
	case which != a.Spec.Principal.ClusterIdentity || clusterKey(other) != clusterKey(a):
		cluster, err := capi.ReadCluster(ctx, r.Client, clusterKey(other))
		return of(told(cluster), which), err
	case len(o.marks) > 0:
		return o.marks[0].principal, nil // the present one
	}
	return o.world.wanted.PrincipalID, nil
}
