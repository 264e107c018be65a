package roleassignment

import (
	"context"
	"errors"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/azure/identity"
	"github.com/fleetwright/fleetwright/internal/azure/refusal"
	"github.com/fleetwright/fleetwright/internal/azure/roles"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/drift"
	"github.com/fleetwright/fleetwright/internal/freeze"
	"github.com/fleetwright/fleetwright/internal/hold"
)

// observation is one reading of everything an assignment depends on, and the plan that follows.
type observation struct {
	world world
	plan  plan
	pull  *pullLook
	// azure is the way to Azure, nil without an identity.
	azure   roles.Azure
	cluster capi.Cluster
	frozen  freeze.Effect
	marks   []mark
}

// kindName is how messages call the object.
const kindName = "AzureRoleAssignment"

// look observes and decides. In the steady state it asks Azure once: for the assignment that is known.
func (r *Reconciler) look(ctx context.Context, a *fleetwrightv1.AzureRoleAssignment) (*observation, error) {
	o := &observation{marks: marksOf(a)}
	if a.Spec.ClusterName != "" {
		var err error
		if o.cluster, err = capi.ReadCluster(ctx, r.Client, clusterKey(a)); err != nil {
			return nil, err
		}
	}
	now := r.Clock.Now()
	// Past the cache: a Freeze made a moment ago counts.
	o.frozen = freeze.InEffect(ctx, r.Live, a.Namespace, o.cluster.Labels, r.Namespace, now)
	o.world = world{
		spec: a.Spec, deleting: !a.DeletionTimestamp.IsZero(), leaving: o.cluster.Deleting,
		hold: hold.Of(hold.Asking{Kind: kindName, Annotations: a.Annotations, Mode: a.Spec.Reconcile}, o.cluster, o.frozen),
	}
	if err := r.ask(ctx, a, o); err != nil {
		blocked, sorted := obstacleOf(err, waitedBy(a.Status.Conditions, now))
		if !sorted || passing(err) {
			return nil, err
		}
		o.world.obstacle = &blocked
	}
	o.plan = decide(o.world, now)
	return o, nil
}

// ask fills in what Azure has. Its errors are refusals, or of reading objects.
func (r *Reconciler) ask(ctx context.Context, a *fleetwrightv1.AzureRoleAssignment, o *observation) error {
	if o.world.deleting {
		return r.askWhatIsLeft(ctx, a, o)
	}
	if o.world.obstacle = early(a, o.cluster); o.world.obstacle != nil {
		return nil
	}
	if err := r.connect(ctx, o); err != nil || o.world.obstacle != nil {
		return err
	}
	if err := r.askWanted(ctx, a, o); err != nil || o.world.obstacle != nil {
		return err
	}
	if err := r.askFound(ctx, o); err != nil {
		return err
	}
	key, now := client.ObjectKeyFromObject(a), r.Clock.Now()
	if o.world.found != nil || !o.world.applied {
		r.memory.AsDeclared(key, a.Generation, now)
		return nil
	}
	o.world.gone = drift.Look{Fields: []drift.Field{{Path: drift.Missing}}, Applied: true}
	o.world.history = r.memory.Drifted(key, a.Generation, o.world.gone, now)
	o.world.gone.ChangedBy = o.world.history[len(o.world.history)-1].By // as an earlier look has heard
	if o.world.gone.ChangedBy == "" && (!o.world.heals() || drift.Fought(o.world.history, now) || r.curiosity.may(now)) {
		r.nameWhoDeleted(ctx, o)
		o.world.history = r.memory.Drifted(key, a.Generation, o.world.gone, now)
	}
	return nil
}

// heals is true for an assignment that is made again when it is gone, by its policy.
func (w world) heals() bool {
	return w.spec.DriftPolicy == "" || w.spec.DriftPolicy == fleetwrightv1.DriftPolicyHeal
}

// makesAgain is true for one that this look would make again.
func (w world) makesAgain() bool {
	return w.heals() && !w.deleting && !w.leaving && !w.hold.Everything()
}

// logFor is how far back the deletion of an assignment is looked for.
const logFor = 24 * time.Hour

// nameWhoDeleted asks who it was: of what is gone only the activity log tells. It only goes into words, and the log comes minutes late:
// without an answer it is not known. So it is asked about a drift that is left, since that is for a person; from the second in a row on, since
// the third is left to whoever it is; and about any other while that is cheap.
func (r *Reconciler) nameWhoDeleted(ctx context.Context, o *observation) {
	known, _ := markOf(o.marks, o.world.wanted.PrincipalID)
	changes, err := o.azure.Changes(ctx, known.id, r.Clock.Now().Add(-logFor))
	if err != nil {
		logf.FromContext(ctx).V(1).Info("Who deleted the assignment is not known", "error", err.Error())
	}
	for _, c := range changes {
		if strings.HasSuffix(strings.ToLower(c.Operation), "/delete") {
			o.world.gone.ChangedAt, o.world.gone.ChangedBy = c.At, c.By
		}
	}
}

// connect finds the identity by which Azure is asked.
func (r *Reconciler) connect(ctx context.Context, o *observation) error {
	cluster := o.cluster
	switch {
	case cluster.Unsupported != "":
		cluster = capi.Cluster{} // it names no identity of Azure
	case cluster.Found && !cluster.NamesIdentity():
		o.world.obstacle = waitsFor("the control plane of Cluster %s, which names the identity by which Azure is asked, is not there", cluster.Name)
		return nil
	}
	var err error
	o.azure, err = r.Azures.For(ctx, cluster)
	if refused, is := errors.AsType[*identity.Refusal](err); is {
		o.world.obstacle = &obstacle{stuck, fleetwrightv1.ReasonPermissionDenied, refused.Error(), personPause}
		return nil
	}
	if err == nil && o.azure == nil {
		o.world.obstacle = &obstacle{stuck, fleetwrightv1.ReasonPermissionDenied, "the operator has no identity in Azure: give it one", personPause}
	}
	return err
}

// askWanted finds out which assignment is wanted.
func (r *Reconciler) askWanted(ctx context.Context, a *fleetwrightv1.AzureRoleAssignment, o *observation) error {
	principal, waits, err := principalOf(ctx, o.azure, a, o.cluster, r.Clock.Now())
	if err != nil || waits != nil {
		o.world.obstacle = waits
		return err
	}
	role := strings.ToLower(a.Spec.Role.ID)
	if role == "" {
		if role, err = o.azure.RoleNamed(ctx, a.Spec.Scope, a.Spec.Role.Name); err != nil {
			// Azure's own words have a code: they are about the scope.
			if refused, sorted := refusal.Of(err); sorted && refused.Kind == refusal.Gone && refused.Code == "" {
				o.world.obstacle = &obstacle{stuck, fleetwrightv1.ReasonRoleNotFound, refused.Error(), personPause}
				return nil
			}
			return err
		}
	}
	kind := a.Spec.Principal.Type
	if kind == "" {
		kind = fleetwrightv1.PrincipalTypeServicePrincipal
	}
	o.world.wanted = roles.Assignment{
		ID: roles.IDOf(a.Spec.Scope, roles.Name(a.Spec.Scope, role, principal)), Scope: a.Spec.Scope, RoleID: role, PrincipalID: principal, PrincipalType: string(kind),
	}
	return nil
}

// askFound reads the assignment that is known, or looks for one. Ours that was there and is not in its place is not looked for when it will
// be made again: Azure takes no two equal ones, so that the PUT finds out whether somebody has made another.
func (r *Reconciler) askFound(ctx context.Context, o *observation) error {
	known, marked := markOf(o.marks, o.world.wanted.PrincipalID)
	o.world.applied = marked
	if marked {
		found, err := o.azure.Assignment(ctx, known.id)
		switch {
		case err == nil && found.Same(o.world.wanted):
			// Sweeps watch the first mark: an identity that the cluster has again comes first again.
			o.world.found, o.world.marked = &found, known == o.marks[0]
			return nil
		case err != nil && !refusal.Is(err, refusal.Gone):
			return err
		case err != nil && strings.EqualFold(known.id, o.world.wanted.ID) && o.world.makesAgain():
			return nil
		}
	}
	list, err := o.azure.Assignments(ctx, o.world.wanted.Scope, o.world.wanted.PrincipalID)
	if err != nil {
		return err
	}
	for i := range list {
		if list[i].Same(o.world.wanted) {
			o.world.found, o.world.marked = &list[i], marked && strings.EqualFold(known.id, list[i].ID)
			return nil
		}
	}
	return nil
}

// key is the same for all ways to write an id.
func key(id string) string { return strings.ToLower(id) }

func clusterKey(a *fleetwrightv1.AzureRoleAssignment) types.NamespacedName {
	return types.NamespacedName{Namespace: a.Namespace, Name: a.Spec.ClusterName}
}
