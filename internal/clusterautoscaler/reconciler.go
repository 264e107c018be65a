// Package clusterautoscaler keeps AzureClusterAutoscalers: the settings of the autoscaler profile of one AKS cluster, written where they
// stay. That is CAPZ's object of the cluster, of either flavour, and Azure itself only for a cluster that no object of CAPZ has.
//
// A reconcile observes (observe.go), decides (decide.go, removal.go), does the one thing the plan says (act.go) and reports (status.go).
// Nothing is remembered between two reconciles but who has written lately, which only ends a fight (package drift), and which clusters a
// sweep found different, which only spends a request: deleting all status changes no action.
package clusterautoscaler

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/autoscalerprofile"
	"github.com/fleetwright/fleetwright/internal/azure/broker"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/drift"
	"github.com/fleetwright/fleetwright/internal/drift/sweep"
	"github.com/fleetwright/fleetwright/internal/freeze"
	"github.com/fleetwright/fleetwright/internal/hold"
	"github.com/fleetwright/fleetwright/internal/ownobject"
)

// +kubebuilder:rbac:groups=fleetwright.io,resources=azureclusterautoscalers,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=fleetwright.io,resources=azureclusterautoscalers/status,verbs=patch
// +kubebuilder:rbac:groups=fleetwright.io,resources=freezes,verbs=get;list;watch
// +kubebuilder:rbac:groups=cluster.x-k8s.io,resources=clusters,verbs=get;list;watch
// +kubebuilder:rbac:groups=infrastructure.cluster.x-k8s.io,resources=azuremanagedcontrolplanes;azureasomanagedcontrolplanes,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=containerservice.azure.com,resources=managedclusters,verbs=get;list;watch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Azure is what is asked of Azure about one cluster. Errors are refusals (package refusal).
type Azure interface {
	// AutoscalerProfile reads the profile of a cluster, by the cluster's id.
	AutoscalerProfile(ctx context.Context, managedClusterID string) (autoscalerprofile.InAzure, error)
	// WriteAutoscalerProfile gives settings their values, takes others out, and changes nothing else. It says whether it wrote.
	WriteAutoscalerProfile(ctx context.Context, managedClusterID string, set autoscalerprofile.Values, unset []string) (bool, error)
}

// Azures are the ways to Azure by the identities of clusters.
type Azures interface {
	// For is the way to Azure for a cluster, or the operator's own for one that is not found; nil when there is no identity to be.
	For(ctx context.Context, cluster capi.Cluster) (Azure, error)
}

// Watch hears of what was looked at, so that nobody looks again without need; see package sweep.
type Watch interface {
	Looked(id string, at time.Time, outcome sweep.Outcome)
	Later(id string, until time.Time)
	Forget(id string)
}

// Reconciler reconciles AzureClusterAutoscalers.
type Reconciler struct {
	// Client reads from the cache and writes; Live reads past the cache.
	Client client.Client
	Live   client.Reader

	Azures   Azures
	Recorder events.EventRecorder
	Clock    clock.PassiveClock
	// Watch may be nil.
	Watch Watch
	// Namespace is the manager's own: a Freeze there reaches the fleet.
	Namespace string
	// Rest is how long a profile that is as it should be is left alone when nobody says otherwise.
	Rest time.Duration

	memory   drift.Memory
	suspects suspects
}

// Reconcile does the next thing for one AzureClusterAutoscaler: writes its settings where they stay, or gives them up.
func (r *Reconciler) Reconcile(ctx context.Context, a *fleetwrightv1.AzureClusterAutoscaler) (ctrl.Result, error) {
	// The cache lags behind our own annotation, and nothing must be written in spite of a pause of a moment ago.
	if lives, err := ownobject.Meet(ctx, r.Live, r.Client, a, fleetwrightv1.FinalizerAzureClusterAutoscaler, fieldOwner); err != nil || !lives {
		return ownobject.Quietly(err)
	}
	ctx = broker.For(ctx, broker.Call{Cluster: a.Namespace + "/" + a.Spec.ClusterName})
	o, err := r.look(ctx, a)
	if err != nil {
		return ctrl.Result{}, err
	}
	logf.FromContext(ctx).V(1).Info("Planned", "plan", o.plan.String())
	if o.plan.action != nothing && o.plan.action != remember {
		if stands, err := r.stands(ctx, a, o); err != nil || !stands {
			return ctrl.Result{RequeueAfter: soon}, client.IgnoreNotFound(err)
		}
	}
	return r.conclude(ctx, a, o, r.act(ctx, a, o))
}

// stands asks once more, right before a write, whether the wish and all who hold things back are still the same: Azure takes its time to
// answer.
func (r *Reconciler) stands(ctx context.Context, a *fleetwrightv1.AzureClusterAutoscaler, o *observation) (bool, error) {
	var live fleetwrightv1.AzureClusterAutoscaler
	if err := r.Live.Get(ctx, client.ObjectKeyFromObject(a), &live); err != nil {
		return false, err
	}
	cluster, err := capi.ReadClusterAlone(ctx, r.Live, client.ObjectKey{Namespace: a.Namespace, Name: a.Spec.ClusterName})
	if err != nil {
		return false, err
	}
	frozen := freeze.InEffect(ctx, r.Live, a.Namespace, cluster.Labels, r.Namespace, r.Clock.Now())
	now := hold.Of(hold.Asking{Kind: kindName, Annotations: live.Annotations, Mode: live.Spec.Reconcile}, cluster, frozen)
	same := live.UID == a.UID && live.Generation == a.Generation && live.DeletionTimestamp.Equal(a.DeletionTimestamp)
	return same && cluster.Found == o.cluster.Found && now == o.world.hold, nil
}

// conclude reports what was done, and says when to look again.
func (r *Reconciler) conclude(ctx context.Context, a *fleetwrightv1.AzureClusterAutoscaler, o *observation, actErr error) (ctrl.Result, error) {
	if o.letsGo() && actErr == nil {
		r.forget(client.ObjectKeyFromObject(a), o.id)
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
		if blocked, sorted := obstacleOf(actErr); sorted {
			r.later(o, blocked.again)
			return ctrl.Result{RequeueAfter: blocked.again}, nil
		}
		return ctrl.Result{}, actErr
	}
	r.looked(a, o)
	return ctrl.Result{RequeueAfter: r.again(o)}, nil
}

// letsGo is true for the actions after which the object is gone.
func (o *observation) letsGo() bool {
	return o.plan.action == letGo || o.plan.action == release || o.plan.action == giveUp
}

// again is the earliest of all times at which something may have changed that no watch tells.
func (r *Reconciler) again(o *observation) time.Duration {
	wait := r.Rest
	if o.plan.again > 0 {
		wait = min(wait, o.plan.again)
	}
	// Watches tell of most things; what is not done is looked at again all the same, which asks nothing of Azure where CAPZ has the cluster.
	if o.unanswered || o.plan.verdict != done && !r.isLeft(o) {
		wait = min(wait, personPause)
	}
	if !o.frozen.CheckAgain.IsZero() {
		wait = min(wait, max(o.frozen.CheckAgain.Sub(r.Clock.Now()), soon))
	}
	return wait
}

// looked tells the sweeps what this look at Azure has shown, or when the next one comes, and clears the suspicion that led to it.
func (r *Reconciler) looked(a *fleetwrightv1.AzureClusterAutoscaler, o *observation) {
	switch {
	case o.world.deleting:
	case o.world.obstacle != nil, o.unanswered:
		r.later(o, r.again(o))
	case o.world.live:
		if o.outcome() == sweep.AsDeclared {
			r.suspects.clear(client.ObjectKeyFromObject(a))
		}
		if r.Watch != nil {
			r.Watch.Looked(o.id, r.Clock.Now(), o.outcome())
		}
	}
}

// outcome is what has come of a look at Azure.
func (o *observation) outcome() sweep.Outcome {
	switch {
	case !o.world.applied || len(autoscalerprofile.Differing(o.world.wanted, o.world.azure.Values)) == 0:
		return sweep.AsDeclared
	case o.plan.writes():
		return sweep.Healed
	}
	return sweep.Standing
}

// isLeft is true for drift that nobody heals, and that sweeps look at: ever more rarely, and at once when it has changed.
func (r *Reconciler) isLeft(o *observation) bool {
	return r.Watch != nil && o.world.live && o.plan.again == 0 && o.outcome() == sweep.Standing
}

// later tells the sweeps that this look has come to nothing, and that another comes by itself after a time.
func (r *Reconciler) later(o *observation, wait time.Duration) {
	if r.Watch != nil && o.id != "" && wait > 0 {
		r.Watch.Later(o.id, r.Clock.Now().Add(wait))
	}
}

func (r *Reconciler) forget(key client.ObjectKey, id string) {
	r.memory.Forget(key)
	r.suspects.clear(key)
	if r.Watch != nil && id != "" {
		r.Watch.Forget(id)
	}
}
