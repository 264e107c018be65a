package workloadcluster

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/freeze"
	"github.com/fleetwright/fleetwright/internal/ownobject"
	"github.com/fleetwright/fleetwright/internal/workloadcluster/addons"
)

// Name is the controller's name in logs, metrics and events.
const Name = "workloadcluster"

const (
	// byName finds WorkloadClusters of one name in all namespaces. The API server knows it as well.
	byName = "metadata.name"
	// byClass finds those of one class, as namespace/name.
	byClass = "spec.classRef"
)

// reconcileTimeout bounds one reconcile: a workload cluster that hangs must not hold a worker.
const reconcileTimeout = 2 * time.Minute

// Options tune the controller.
type Options struct {
	// Workers is how many WorkloadClusters are reconciled at once.
	Workers int
	// Workload reads objects of workload clusters.
	Workload addons.Workload
	// PoolDifferences are the fields in which a pool is not what a Nodepool asks for, in words, as Nodepools tell them; empty for none.
	PoolDifferences PoolDifferences
	// Namespace is the manager's own: a Freeze there reaches the fleet.
	Namespace string
}

// PoolDifferences says in which fields a pool is not what a Nodepool asks for, empty for none.
type PoolDifferences func(spec fleetwrightv1.NodepoolSpec, pool capi.Pool) string

// AddToManager wires the controller: WorkloadClusters, their classes, everything that is made of them, and Freezes.
func AddToManager(ctx context.Context, mgr manager.Manager, o Options) error {
	r := &Reconciler{
		Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Workload: o.Workload, PoolDifferences: o.PoolDifferences, Namespace: o.Namespace,
		Recorder: mgr.GetEventRecorder("fleetwright-" + Name), Clock: clock.RealClock{},
	}
	if err := registerMetrics(mgr.GetClient()); err != nil {
		return fmt.Errorf("register metrics: %w", err)
	}
	if err := index(ctx, mgr.GetFieldIndexer()); err != nil {
		return err
	}
	// Status writes of our own must not wake us.
	own := predicate.Or(predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{}, predicate.LabelChangedPredicate{})
	b := ctrl.NewControllerManagedBy(mgr).Named(Name).
		For(&fleetwrightv1.WorkloadCluster{}, builder.WithPredicates(own)).
		Watches(&fleetwrightv1.WorkloadCluster{}, handler.EnqueueRequestsFromMapFunc(r.namesakes), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&fleetwrightv1.WorkloadClusterClass{}, handler.EnqueueRequestsFromMapFunc(r.ofClass), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(capi.ClusterObject(), handler.EnqueueRequestsFromMapFunc(ofCluster)).
		Watches(capi.ClusterObject(), handler.EnqueueRequestsFromMapFunc(r.namesakes), builder.WithPredicates(comesOrGoes)).
		Watches(&fleetwrightv1.Freeze{}, handler.EnqueueRequestsFromMapFunc(freeze.InReach(r.Client, o.Namespace, &fleetwrightv1.WorkloadClusterList{})),
			builder.WithPredicates(predicate.GenerationChangedPredicate{}))
	for _, child := range []client.Object{&fleetwrightv1.AddressClaim{}, &fleetwrightv1.Nodepool{}, &fleetwrightv1.AzureClusterAdditionalConfig{}} {
		b = b.Watches(child, handler.EnqueueRequestsFromMapFunc(ofMaker))
	}
	served, err := served(mgr.GetRESTMapper())
	if err != nil {
		return err
	}
	for _, object := range served {
		b = b.Watches(object, handler.EnqueueRequestsFromMapFunc(ofCluster))
	}
	return b.WithOptions(controller.Options{MaxConcurrentReconciles: o.Workers, ReconciliationTimeout: reconcileTimeout}).
		Complete(reconcile.AsReconciler(mgr.GetClient(), r))
}

// comesOrGoes passes no changes.
var comesOrGoes = predicate.Funcs{UpdateFunc: func(event.UpdateEvent) bool { return false }}

func index(ctx context.Context, indexer client.FieldIndexer) error {
	for field, valuesOf := range map[string]func(*fleetwrightv1.WorkloadCluster) string{
		byName:  func(w *fleetwrightv1.WorkloadCluster) string { return w.Name },
		byClass: func(w *fleetwrightv1.WorkloadCluster) string { return classKey(w).String() },
	} {
		err := indexer.IndexField(ctx, &fleetwrightv1.WorkloadCluster{}, field, func(o client.Object) []string {
			return []string{valuesOf(o.(*fleetwrightv1.WorkloadCluster))}
		})
		if err != nil {
			return fmt.Errorf("index WorkloadClusters by %s: %w", field, err)
		}
	}
	return nil
}

// addonKinds are what installers keep for each cluster, of kinds that are watched if the API server has them at the start.
var addonKinds = []schema.GroupKind{
	{Group: "addons.cluster.x-k8s.io", Kind: "ClusterResourceSetBinding"},
	{Group: "addons.cluster.x-k8s.io", Kind: "HelmReleaseProxy"},
}

// served are empty objects of CAPZ's kinds and of the add-ons' installers, as far as the API server has them.
func served(mapper meta.RESTMapper) ([]client.Object, error) {
	out, err := capi.ServedClusters(mapper)
	if err != nil {
		return nil, fmt.Errorf("find the kinds of clusters that are served: %w", err)
	}
	for _, kind := range addonKinds {
		mapping, err := mapper.RESTMapping(kind)
		switch {
		case meta.IsNoMatchError(err):
			continue
		case err != nil:
			return nil, fmt.Errorf("ask whether the API server has %s: %w", kind.Kind, err)
		}
		object := &unstructured.Unstructured{}
		object.SetGroupVersionKind(mapping.GroupVersionKind)
		out = append(out, object)
	}
	return out, nil
}

// ofCluster is the WorkloadCluster of an object of Cluster API or CAPZ. A binding of ClusterResourceSets is called as its Cluster.
func ofCluster(_ context.Context, o client.Object) []reconcile.Request {
	name := capi.ClusterOf(o)
	if o.GetObjectKind().GroupVersionKind().Kind == "ClusterResourceSetBinding" {
		name = o.GetName()
	}
	if name == "" {
		return nil
	}
	return []reconcile.Request{{NamespacedName: client.ObjectKey{Namespace: o.GetNamespace(), Name: name}}}
}

// ofMaker is the WorkloadCluster that an object names, and, of one that names none, that of its Cluster: it may be in the way.
func ofMaker(_ context.Context, o client.Object) []reconcile.Request {
	name := o.GetLabels()[fleetwrightv1.LabelWorkloadCluster]
	if name == "" {
		switch o := o.(type) {
		case *fleetwrightv1.Nodepool:
			name = o.Spec.ClusterName
		default:
			name = o.GetName()
		}
	}
	return []reconcile.Request{{NamespacedName: client.ObjectKey{Namespace: o.GetNamespace(), Name: name}}}
}

// ofClass are the WorkloadClusters of a class.
func (r *Reconciler) ofClass(ctx context.Context, o client.Object) []reconcile.Request {
	return ownobject.Requests(ctx, r.Client, &fleetwrightv1.WorkloadClusterList{}, client.MatchingFields{byClass: client.ObjectKeyFromObject(o).String()})
}

// namesakes are the WorkloadClusters of the same name in other namespaces: one of them may wait for this one to go.
func (r *Reconciler) namesakes(ctx context.Context, o client.Object) []reconcile.Request {
	var out []reconcile.Request
	for _, request := range ownobject.Requests(ctx, r.Client, &fleetwrightv1.WorkloadClusterList{}, client.MatchingFields{byName: o.GetName()}) {
		if request.NamespacedName != client.ObjectKeyFromObject(o) {
			out = append(out, request)
		}
	}
	return out
}
