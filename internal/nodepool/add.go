package nodepool

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/drain/ladder"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/freeze"
	"github.com/fleetwright/fleetwright/internal/ownobject"
	"github.com/fleetwright/fleetwright/internal/workload"
)

// Name is the controller's name in logs, metrics and events.
const Name = "nodepool"

// byCluster indexes Nodepools by the Cluster they name.
const byCluster = "spec.clusterName"

// reconcileTimeout bounds one reconcile: a hanging workload cluster must not
// hold a worker.
const reconcileTimeout = 2 * time.Minute

// Options tune the controller.
type Options struct {
	// Workers is how many Nodepools are reconciled at once.
	Workers int
	// Azure is nil for an operator that never asks Azure.
	Azure Azures
	// Namespace is the manager's own: a Freeze there reaches the fleet.
	Namespace string
	// Notifier hears of blocked drains, besides the owners; it may be nil.
	Notifier ladder.Notifier
}

// AddToManager wires the controller: Nodepools, and everything of a cluster
// that can free its slot or finish a pool.
func AddToManager(ctx context.Context, mgr manager.Manager, clusters *workload.Clusters, options Options) error {
	r := &Reconciler{
		Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Clusters: clusters,
		Recorder: mgr.GetEventRecorder("fleetwright-" + Name), Clock: clock.RealClock{},
		Azure: options.Azure, Namespace: options.Namespace,
	}
	if options.Notifier != nil {
		queued := newNotices(options.Notifier)
		if err := mgr.Add(queued); err != nil {
			return fmt.Errorf("add the notices: %w", err)
		}
		r.Notifier = queued
	}
	err := mgr.GetFieldIndexer().IndexField(ctx, &fleetwrightv1.Nodepool{}, byCluster, func(o client.Object) []string {
		return []string{o.(*fleetwrightv1.Nodepool).Spec.ClusterName}
	})
	if err != nil {
		return fmt.Errorf("index Nodepools by cluster: %w", err)
	}
	if err := registerMetrics(mgr.GetClient(), mgr.Elected()); err != nil {
		return fmt.Errorf("register metrics: %w", err)
	}
	ofCluster := handler.EnqueueRequestsFromMapFunc(r.nodepoolsOfCluster)
	// Status writes of our own must not wake us: what the plan waits for comes
	// by its own watch or by CheckAgain.
	own := predicate.Or(predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{})
	b := ctrl.NewControllerManagedBy(mgr).Named(Name).For(&fleetwrightv1.Nodepool{}, builder.WithPredicates(own))
	watched, err := capi.Served(mgr.GetRESTMapper())
	if err != nil {
		return fmt.Errorf("find the kinds of pools that are served: %w", err)
	}
	for _, object := range watched {
		b = b.Watches(object, ofCluster)
	}
	b = b.Watches(&fleetwrightv1.Freeze{}, handler.EnqueueRequestsFromMapFunc(freeze.InReach(r.Client, r.Namespace, &fleetwrightv1.NodepoolList{})),
		builder.WithPredicates(predicate.GenerationChangedPredicate{}))
	// A drain asks for a look when there is something to be said. The queue takes
	// no Nodepool twice.
	b = b.WatchesRawSource(source.Func(func(_ context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
		r.drains.wakeBy(wakeIn(queue))
		return nil
	}))
	if err := mgr.Add(manager.RunnableFunc(r.drains.run)); err != nil {
		return fmt.Errorf("add the drains: %w", err)
	}
	return b.WithOptions(controller.Options{MaxConcurrentReconciles: options.Workers, ReconciliationTimeout: reconcileTimeout}).Complete(r.fromCache())
}

// fromCache reads the Nodepool. What goes on for one ends when it is gone.
//
// It says how urgent the next look is, too: the queue would keep the low priority of
// the first listing for good, and let a drain wait behind all that only changed.
func (r *Reconciler) fromCache() reconcile.Reconciler {
	return reconcile.Func(func(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
		result, err := r.lookAt(ctx, request.NamespacedName)
		result.Priority = new(r.urgency(request.NamespacedName))
		return result, err
	})
}

func (r *Reconciler) lookAt(ctx context.Context, nodepool types.NamespacedName) (reconcile.Result, error) {
	var np fleetwrightv1.Nodepool
	if err := r.Client.Get(ctx, nodepool, &np); apierrors.IsNotFound(err) {
		return reconcile.Result{}, r.gone(ctx, nodepool)
	} else if err != nil {
		return reconcile.Result{}, err
	}
	return r.Reconcile(ctx, &np)
}

// urgent is the priority of a look at a drain: without it in time, the permission
// to evict lapses.
const urgent = 100

func (r *Reconciler) urgency(nodepool types.NamespacedName) int {
	if r.drains.runFor(nodepool) {
		return urgent
	}
	return 0
}

// wakeIn has looks that a drain asks for done before others.
func wakeIn(queue workqueue.TypedRateLimitingInterface[reconcile.Request]) func(types.NamespacedName) {
	return func(nodepool types.NamespacedName) {
		request := reconcile.Request{NamespacedName: nodepool}
		if byPriority, ok := queue.(priorityqueue.PriorityQueue[reconcile.Request]); ok {
			byPriority.AddWithOpts(priorityqueue.AddOpts{Priority: new(urgent)}, request)
			return
		}
		queue.Add(request)
	}
}

// nodepoolsOfCluster finds all Nodepools of the cluster an object belongs to:
// what one pool finishes, another may have waited for.
func (r *Reconciler) nodepoolsOfCluster(ctx context.Context, o client.Object) []reconcile.Request {
	return ownobject.Requests(ctx, r.Client, &fleetwrightv1.NodepoolList{}, client.InNamespace(o.GetNamespace()), client.MatchingFields{byCluster: capi.ClusterOf(o)})
}
