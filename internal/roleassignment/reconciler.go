// Package roleassignment keeps AzureRoleAssignments: one role for one principal at one scope, made under a name that can be computed
// again, and proven by a pull where that is asked for.
//
// A reconcile observes (observe.go, proof.go), decides (decide.go, removal and proof in pull.go), does the one thing the plan says (act.go)
// and reports (status.go). Nothing is remembered between two reconciles but who has written lately, which only ends a fight (package
// drift): deleting all status changes no action.
package roleassignment

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/azure/broker"
	"github.com/fleetwright/fleetwright/internal/azure/roles"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/drift"
	"github.com/fleetwright/fleetwright/internal/drift/sweep"
	"github.com/fleetwright/fleetwright/internal/freeze"
	"github.com/fleetwright/fleetwright/internal/hold"
	"github.com/fleetwright/fleetwright/internal/ownobject"
)

// +kubebuilder:rbac:groups=fleetwright.io,resources=azureroleassignments,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=fleetwright.io,resources=azureroleassignments/status,verbs=patch
// +kubebuilder:rbac:groups=fleetwright.io,resources=freezes,verbs=get;list;watch
// +kubebuilder:rbac:groups=cluster.x-k8s.io,resources=clusters,verbs=get;list;watch
// +kubebuilder:rbac:groups=infrastructure.cluster.x-k8s.io,resources=azuremanagedcontrolplanes;azureasomanagedcontrolplanes,verbs=get;list;watch
// +kubebuilder:rbac:groups=containerservice.azure.com,resources=managedclusters,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Azures are the ways to Azure by the identities of clusters.
type Azures interface {
	// For is the way to Azure for a cluster, or the operator's own for one that is not found; nil when there is no identity to be.
	For(ctx context.Context, cluster capi.Cluster) (roles.Azure, error)
}

// Clusters connect to workload clusters.
type Clusters interface {
	Get(ctx context.Context, cluster types.NamespacedName) (kubernetes.Interface, error)
}

// Watch hears of what was looked at, so that nobody looks again without need; see package sweep.
type Watch interface {
	Looked(id string, at time.Time, outcome sweep.Outcome)
	Later(id string, until time.Time)
	Forget(id string)
}

// Reconciler reconciles AzureRoleAssignments.
type Reconciler struct {
	// Client reads from the cache and writes; Live reads past the cache.
	Client client.Client
	Live   client.Reader

	Azures   Azures
	Clusters Clusters
	Recorder events.EventRecorder
	Clock    clock.PassiveClock
	// Watch may be nil.
	Watch Watch
	// Namespace is the manager's own: a Freeze there reaches the fleet.
	Namespace string
	// Rest is how long an assignment that is as it should be is left alone when nobody says otherwise.
	Rest time.Duration

	memory    drift.Memory
	curiosity curiosity
}

// Reconcile does the next thing for one AzureRoleAssignment: finds it in Azure, makes it, deletes it, or proves that it works.
func (r *Reconciler) Reconcile(ctx context.Context, a *fleetwrightv1.AzureRoleAssignment) (ctrl.Result, error) {
	// The cache lags behind our own annotations, and nothing must be assigned in spite of a pause of a moment ago.
	if lives, err := ownobject.Meet(ctx, r.Live, r.Client, a, fleetwrightv1.FinalizerAzureRoleAssignment, fieldOwner); err != nil || !lives {
		return ownobject.Quietly(err)
	}
	ctx = broker.For(ctx, broker.Call{Cluster: a.Namespace + "/" + a.Spec.ClusterName})
	o, err := r.look(ctx, a)
	if wait := pauseAfter(err); wait > 0 {
		r.later(marksOf(a), wait)
		return ctrl.Result{RequeueAfter: wait}, nil // what was known still holds
	} else if err != nil {
		return ctrl.Result{}, err
	}
	logf.FromContext(ctx).V(1).Info("Planned", "plan", o.plan.String())
	if o.writesAzure() {
		if stands, err := r.stands(ctx, a, o); err != nil || !stands {
			return ctrl.Result{RequeueAfter: soon}, client.IgnoreNotFound(err)
		}
	}
	actErr := r.act(ctx, a, o)
	if actErr == nil && o.plan.action != letGo {
		if o.pull = r.lookAtPull(ctx, a, o); o.pull != nil {
			r.actOnPull(ctx, a, o.pull)
			if apierrors.IsConflict(o.pull.err) {
				return ownobject.Quietly(o.pull.err)
			}
		}
	}
	return r.conclude(ctx, a, o, actErr)
}

func (o *observation) writesAzure() bool { return o.plan.action == assign || o.plan.action == unassign }

// stands asks once more, right before a write, whether the wish and all who hold things back are still the same: Azure takes its time to
// answer.
func (r *Reconciler) stands(ctx context.Context, a *fleetwrightv1.AzureRoleAssignment, o *observation) (bool, error) {
	var live fleetwrightv1.AzureRoleAssignment
	if err := r.Live.Get(ctx, client.ObjectKeyFromObject(a), &live); err != nil {
		return false, err
	}
	cluster := o.cluster
	if a.Spec.ClusterName != "" {
		var err error
		if cluster, err = capi.ReadClusterAlone(ctx, r.Live, clusterKey(a)); err != nil {
			return false, err
		}
	}
	frozen := freeze.InEffect(ctx, r.Live, a.Namespace, cluster.Labels, r.Namespace, r.Clock.Now())
	now := hold.Of(hold.Asking{Kind: kindName, Annotations: live.Annotations, Mode: live.Spec.Reconcile}, cluster, frozen)
	return live.UID == a.UID && live.Generation == a.Generation && live.DeletionTimestamp.Equal(a.DeletionTimestamp) && now == o.world.hold, nil
}

// conclude reports what was done, and says when to look again.
func (r *Reconciler) conclude(ctx context.Context, a *fleetwrightv1.AzureRoleAssignment, o *observation, actErr error) (ctrl.Result, error) {
	if o.plan.action == letGo && actErr == nil {
		r.forget(a, o)
		actionsTotal.Count(string(o.plan.action), nil)
		return ctrl.Result{}, nil
	}
	if apierrors.IsConflict(actErr) {
		return ownobject.Quietly(actErr)
	}
	if err := r.report(ctx, a, o, actErr); err != nil {
		return ownobject.Quietly(err)
	}
	if actErr != nil {
		if blocked, sorted := obstacleOf(actErr, waitedBy(a.Status.Conditions, r.Clock.Now())); sorted {
			r.later(o.marks, blocked.again)
			return ctrl.Result{RequeueAfter: blocked.again}, nil
		}
		return ctrl.Result{}, actErr
	}
	r.looked(o)
	return ctrl.Result{RequeueAfter: r.again(o)}, nil
}

// again is the earliest of all times at which something may have changed that no watch tells.
func (r *Reconciler) again(o *observation) time.Duration {
	wait := r.Rest
	sooner := func(d time.Duration) {
		if d > 0 && d < wait {
			wait = d
		}
	}
	sooner(o.plan.again)
	if o.plan.action == unassign {
		sooner(soon) // until Azure says that it is gone
	}
	if o.pull != nil {
		sooner(o.pull.plan.again)
	}
	if !o.frozen.CheckAgain.IsZero() {
		sooner(max(o.frozen.CheckAgain.Sub(r.Clock.Now()), soon))
	}
	return wait
}

// looked tells the sweeps what this look has shown, or when the next one comes.
func (r *Reconciler) looked(o *observation) {
	switch {
	case r.Watch == nil || o.world.deleting:
	case o.world.obstacle != nil:
		r.later(o.marks, o.world.obstacle.again)
	default:
		if id, outcome := o.seen(); id != "" {
			r.Watch.Looked(id, r.Clock.Now(), outcome)
		}
	}
}

// seen is what this look has shown of the assignment that sweeps watch: the first that is written down. It is empty when none is.
func (o *observation) seen() (id string, outcome sweep.Outcome) {
	switch f := o.world.found; {
	case f != nil && (o.world.marked || o.plan.action == remember):
		return f.ID, sweep.AsDeclared
	case f != nil && o.plan.action == assign && o.drifted():
		return f.ID, sweep.Healed
	case f != nil && o.plan.action == assign:
		return f.ID, sweep.AsDeclared
	case len(o.marks) > 0 && o.world.applied:
		return o.marks[0].id, sweep.Standing
	}
	return "", ""
}

// later tells the sweeps that this look has come to nothing, and that another comes by itself after a time.
func (r *Reconciler) later(marks []mark, wait time.Duration) {
	if r.Watch != nil && len(marks) > 0 && wait > 0 {
		r.Watch.Later(marks[0].id, r.Clock.Now().Add(wait))
	}
}

func (r *Reconciler) forget(a *fleetwrightv1.AzureRoleAssignment, o *observation) {
	r.memory.Forget(client.ObjectKeyFromObject(a))
	if r.Watch != nil {
		for _, m := range o.marks {
			r.Watch.Forget(m.id)
		}
	}
}
