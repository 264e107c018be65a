package roleassignment

import (
	"context"
	"errors"
	"slices"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/azure/refusal"
	"github.com/fleetwright/fleetwright/internal/azure/roles"
	"github.com/fleetwright/fleetwright/internal/ownobject"
)

// fieldOwner is who writes finalizer, annotations and status.
const fieldOwner = client.FieldOwner("fleetwright-roleassignment")

// act does the one thing of the plan. Each can be repeated.
func (r *Reconciler) act(ctx context.Context, a *fleetwrightv1.AzureRoleAssignment, o *observation) error {
	switch o.plan.action {
	case remember:
		return r.remember(ctx, a, o, *o.world.found)
	case assign:
		made, err := o.azure.Assign(ctx, o.world.wanted)
		if refusal.Is(err, refusal.Exists) && o.world.applied {
			return errors.Join(err, r.unmark(ctx, a, o))
		}
		if err != nil {
			return err // a drift that stands, and nobody's new write: if only the reply was lost, the next look finds it as declared
		}
		r.memory.Healed(client.ObjectKeyFromObject(a), a.Generation, r.Clock.Now())
		o.world.found = &made
		return r.remember(ctx, a, o, made)
	case unassign:
		return o.azure.Unassign(ctx, o.plan.target.ID)
	case letGo:
		if err := r.stopPull(ctx, a, o); err != nil {
			return err
		}
		return ownobject.SetFinalizer(ctx, r.Client, a, fleetwrightv1.FinalizerAzureRoleAssignment, false, fieldOwner)
	case nothing:
	}
	return nil
}

// remember writes down which assignment was found, so that its absence is drift and its deletion possible without the cluster.
func (r *Reconciler) remember(ctx context.Context, a *fleetwrightv1.AzureRoleAssignment, o *observation, found roles.Assignment) error {
	text := markText(withMark(o.marks, mark{o.world.wanted.PrincipalID, found.ID}))
	return ownobject.Annotate(ctx, r.Client, a, map[string]string{fleetwrightv1.AnnotationRoleAssignments: text}, fieldOwner)
}

// unmark forgets an assignment in whose place somebody has made an equal one: the next look finds that, and it is no drift.
func (r *Reconciler) unmark(ctx context.Context, a *fleetwrightv1.AzureRoleAssignment, o *observation) error {
	left := slices.DeleteFunc(slices.Clone(o.marks), func(m mark) bool { return strings.EqualFold(m.principal, o.world.wanted.PrincipalID) })
	return ownobject.Annotate(ctx, r.Client, a, map[string]string{fleetwrightv1.AnnotationRoleAssignments: markText(left)}, fieldOwner)
}
