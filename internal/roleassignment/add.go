package roleassignment

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/drift/sweep"
	"github.com/fleetwright/fleetwright/internal/freeze"
	"github.com/fleetwright/fleetwright/internal/hold"
	"github.com/fleetwright/fleetwright/internal/ownobject"
)

// Name is the controller's name in logs, metrics and events.
const Name = "roleassignment"

// byCluster indexes AzureRoleAssignments by the Cluster they name.
const byCluster = "spec.clusterName"

const (
	// reconcileTimeout bounds one reconcile.
	reconcileTimeout = 2 * time.Minute
	// How long an assignment that is as it should be is left alone: sweeps find what is different much sooner, and for far less.
	restWithSweeps, restWithout = sweep.Rest, time.Hour
)

// Options tune the controller.
type Options struct {
	// Workers is how many AzureRoleAssignments are reconciled at once.
	Workers  int
	Azures   Azures
	Clusters Clusters
	// Sweeper finds assignments that are gone; nil for none, and then each is looked at once an hour.
	Sweeper *sweep.Sweeper
	// Namespace is the manager's own: a Freeze there reaches the fleet.
	Namespace string
}

// AddToManager wires the controller: AzureRoleAssignments, the Clusters they are for, Freezes, and what sweeps find.
func AddToManager(ctx context.Context, mgr manager.Manager, options Options) error {
	r := &Reconciler{
		Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Azures: options.Azures, Clusters: options.Clusters,
		Recorder: mgr.GetEventRecorder("fleetwright-" + Name), Clock: clock.RealClock{}, Namespace: options.Namespace, Rest: restWithout,
	}
	err := mgr.GetFieldIndexer().IndexField(ctx, &fleetwrightv1.AzureRoleAssignment{}, byCluster, func(o client.Object) []string {
		return []string{o.(*fleetwrightv1.AzureRoleAssignment).Spec.ClusterName}
	})
	if err != nil {
		return fmt.Errorf("index AzureRoleAssignments by cluster: %w", err)
	}
	if err := registerMetrics(mgr.GetClient()); err != nil {
		return fmt.Errorf("register metrics: %w", err)
	}
	// Status and annotations are our own: what the plan waits for comes by its own watch or by the time to look again.
	b := ctrl.NewControllerManagedBy(mgr).Named(Name).
		For(&fleetwrightv1.AzureRoleAssignment{}, builder.WithPredicates(predicate.Or(predicate.GenerationChangedPredicate{}, hold.PauseChanged))).
		Watches(&fleetwrightv1.Freeze{}, handler.EnqueueRequestsFromMapFunc(freeze.InReach(r.Client, r.Namespace, &fleetwrightv1.AzureRoleAssignmentList{})),
			builder.WithPredicates(predicate.GenerationChangedPredicate{}))
	watched, err := capi.ServedControlPlanes(mgr.GetRESTMapper())
	if err != nil {
		return fmt.Errorf("find the kinds of control planes that are served: %w", err)
	}
	for _, object := range watched {
		b = b.Watches(object, handler.EnqueueRequestsFromMapFunc(r.thatWait))
	}
	wish := predicate.Or(predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{}, predicate.LabelChangedPredicate{})
	b = b.Watches(capi.ClusterObject(), handler.EnqueueRequestsFromMapFunc(r.ofCluster), builder.WithPredicates(wish))
	if options.Sweeper != nil {
		r.Rest, r.Watch = restWithSweeps, options.Sweeper
		b = b.WatchesRawSource(options.Sweeper.Source(target(mgr.GetClient())))
	}
	return b.WithOptions(controller.Options{MaxConcurrentReconciles: options.Workers, ReconciliationTimeout: reconcileTimeout}).
		Complete(ownobject.FromCache(r.Client, r, r.memory.Forget))
}

// ofCluster finds all of a cluster: its wish, its pause or its labels have changed.
func (r *Reconciler) ofCluster(ctx context.Context, o client.Object) []reconcile.Request {
	return ownobject.Requests(ctx, r.Client, &fleetwrightv1.AzureRoleAssignmentList{},
		client.InNamespace(o.GetNamespace()), client.MatchingFields{byCluster: capi.ClusterOf(o)})
}

// thatWait finds those of a cluster that may wait for what its control plane has come to. CAPZ writes its status again and again, and
// each look costs a request to Azure: whoever has what it needs is left alone.
func (r *Reconciler) thatWait(ctx context.Context, o client.Object) []reconcile.Request {
	var list fleetwrightv1.AzureRoleAssignmentList
	if err := r.Client.List(ctx, &list, client.InNamespace(o.GetNamespace()), client.MatchingFields{byCluster: capi.ClusterOf(o)}); err != nil {
		logf.FromContext(ctx).Error(err, "Failed to list the AzureRoleAssignments of a cluster")
		return nil
	}
	var out []reconcile.Request
	for i := range list.Items {
		c := meta.FindStatusCondition(list.Items[i].Status.Conditions, fleetwrightv1.ConditionAssigned)
		if c == nil || c.Reason == fleetwrightv1.ReasonWaitingForIdentity {
			out = append(out, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&list.Items[i])})
		}
	}
	return out
}
