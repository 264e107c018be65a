package maintenanceconfiguration

import (
	"context"
	"errors"

	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/azure/broker"
	"github.com/fleetwright/fleetwright/internal/azure/identity"
	"github.com/fleetwright/fleetwright/internal/azure/refusal"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/drift"
	"github.com/fleetwright/fleetwright/internal/freeze"
	"github.com/fleetwright/fleetwright/internal/hold"
)

// kindName is how messages call the object.
const kindName = "AzureMaintenanceConfiguration"

// observation is one reading of everything a maintenance configuration depends on, and the plan that follows.
type observation struct {
	world   world
	plan    plan
	cluster capi.Cluster
	frozen  freeze.Effect
	// azure is the way to Azure, nil without an identity.
	azure Azure
	// unread is why Azure could not be asked, when that is simply tried again.
	unread error
	// fingerprint is that of the declared window.
	fingerprint string
}

// look observes and decides. It asks Azure once: for the configuration.
func (r *Reconciler) look(ctx context.Context, m *fleetwrightv1.AzureMaintenanceConfiguration) (*observation, error) {
	o := &observation{}
	var err error
	if o.cluster, err = capi.ReadCluster(ctx, r.Client, client.ObjectKey{Namespace: m.Namespace, Name: m.Spec.ClusterName}); err != nil {
		return nil, err
	}
	if o.fingerprint, err = fingerprint(m.Spec.Window); err != nil {
		return nil, err
	}
	now, mark := r.Clock.Now(), m.Annotations[fleetwrightv1.AnnotationMaintenanceApplied]
	// Past the cache: a Freeze made a moment ago counts.
	o.frozen = freeze.InEffect(ctx, r.Live, m.Namespace, o.cluster.Labels, r.Namespace, now)
	o.world = world{
		spec: m.Spec, hold: holdOf(m, o), deleting: !m.DeletionTimestamp.IsZero(), clusterGone: !o.cluster.Found || o.cluster.Deleting,
		applied: mark == o.fingerprint, everApplied: mark != "",
	}
	if err := r.ask(o.asking(ctx), m, o); err != nil {
		blocked, sorted := obstacleOf(err)
		if !sorted {
			return nil, err
		}
		o.world.obstacle = &blocked
		if blocked.again == 0 {
			o.unread = err
		}
	}
	o.plan = decide(o.world, now)
	return o, nil
}

// asking says for whom Azure is asked.
func (o *observation) asking(ctx context.Context) context.Context {
	return broker.For(ctx, broker.Call{Cluster: o.cluster.Namespace + "/" + o.cluster.Name, Region: o.cluster.Location})
}

func holdOf(m *fleetwrightv1.AzureMaintenanceConfiguration, o *observation) hold.Hold {
	return hold.Of(hold.Asking{Kind: kindName, Annotations: m.Annotations, Mode: m.Spec.Reconcile}, o.cluster, o.frozen)
}

// ask fills in what Azure has. Its errors are refusals, or of reading objects.
func (r *Reconciler) ask(ctx context.Context, m *fleetwrightv1.AzureMaintenanceConfiguration, o *observation) error {
	if _, settled := settledRemoval(o.world); o.world.deleting && settled {
		return nil
	}
	if o.world.obstacle = early(o.cluster, m.CreationTimestamp.Time, r.Clock.Now()); o.world.obstacle != nil {
		return nil
	}
	if err := r.connect(ctx, o); err != nil || o.world.obstacle != nil {
		return err
	}
	if !o.world.deleting { // what cannot be written can be taken out
		if o.world.obstacle = invalid(m.Spec.Window); o.world.obstacle != nil {
			return nil
		}
	}
	if err := o.read(ctx, m); err != nil || o.world.deleting {
		return err
	}
	r.note(m, o)
	return nil
}

// read reads the window that Azure has, and compares.
func (o *observation) read(ctx context.Context, m *fleetwrightv1.AzureMaintenanceConfiguration) error {
	answer, err := o.azure.MaintenanceConfiguration(ctx, o.cluster.ManagedClusterID(), string(m.Spec.Type))
	switch {
	case err == nil:
		found := fromAzure(answer)
		o.world.found = &found
	case !refusal.Is(err, refusal.Gone):
		return err
	}
	if o.world.fields, err = differences(m.Spec.Window, o.world.found); err != nil {
		return err
	}
	if o.world.own = len(o.world.fields) == 0; !o.world.own && o.world.found != nil {
		o.world.own, err = marked(o.world.found.window, m.Annotations[fleetwrightv1.AnnotationMaintenanceApplied])
	}
	return err
}

// note remembers whether the window is as declared.
func (r *Reconciler) note(m *fleetwrightv1.AzureMaintenanceConfiguration, o *observation) {
	key, now := client.ObjectKeyFromObject(m), r.Clock.Now()
	switch {
	case len(o.world.fields) == 0:
		r.memory.AsDeclared(key, m.Generation, now)
	case o.world.applied:
		look := drift.Look{Fields: o.world.fields, Applied: true}
		if o.world.found != nil {
			look.ChangedAt, look.ChangedBy = o.world.found.changedAt, o.world.found.changedBy
		}
		o.world.history = r.memory.Drifted(key, m.Generation, look, now)
	}
}

// connect finds the identity by which Azure is asked.
func (r *Reconciler) connect(ctx context.Context, o *observation) error {
	var err error
	o.azure, err = r.Azures.For(ctx, o.cluster)
	if refused, is := errors.AsType[*identity.Refusal](err); is {
		o.world.obstacle = &obstacle{stuck, fleetwrightv1.ReasonPermissionDenied, refused.Error(), personPause}
		return nil
	}
	if err == nil && o.azure == nil {
		o.world.obstacle = &obstacle{stuck, fleetwrightv1.ReasonNoCredentials, "the operator has no identity in Azure: give it one", personPause}
	}
	return err
}
