package maintenanceconfiguration

import (
	"context"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/capi"
)

// Name is the controller's name in logs, metrics and events.
const Name = "maintenanceconfiguration"

const (
	// reconcileTimeout bounds one reconcile.
	reconcileTimeout = 2 * time.Minute
	workers          = 4
)

// AddToManager wires the controller: AzureMaintenanceConfigurations, the Clusters they are for, and Freezes. namespace is the manager's own.
func AddToManager(mgr manager.Manager, azures Azures, namespace string) error {
	r := &Reconciler{
		Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Azures: azures, Namespace: namespace,
		Recorder: mgr.GetEventRecorder("fleetwright-" + Name), Clock: clock.RealClock{},
	}
	if err := registerMetrics(mgr.GetClient()); err != nil {
		return fmt.Errorf("register metrics: %w", err)
	}
	wish := predicate.Or(predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{}, predicate.LabelChangedPredicate{})
	return ctrl.NewControllerManagedBy(mgr).Named(Name).
		// Status and an annotation are our own, and must not wake us: each look costs a request to Azure.
		For(&fleetwrightv1.AzureMaintenanceConfiguration{}, builder.WithPredicates(predicate.Or(predicate.GenerationChangedPredicate{}, pauseChanged))).
		Watches(capi.ClusterObject(), handler.EnqueueRequestsFromMapFunc(ofCluster), builder.WithPredicates(wish)).
		Watches(&fleetwrightv1.Freeze{}, handler.EnqueueRequestsFromMapFunc(r.inReach), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WithOptions(controller.Options{MaxConcurrentReconciles: workers, ReconciliationTimeout: reconcileTimeout}).
		Complete(r.fromCache())
}

// pauseChanged passes changes of the one annotation that people write.
var pauseChanged = predicate.Funcs{
	CreateFunc: func(event.CreateEvent) bool { return false },
	UpdateFunc: func(e event.UpdateEvent) bool {
		_, was := e.ObjectOld.GetAnnotations()[capi.PausedAnnotation]
		_, is := e.ObjectNew.GetAnnotations()[capi.PausedAnnotation]
		return was != is
	},
	DeleteFunc:  func(event.DeleteEvent) bool { return false },
	GenericFunc: func(event.GenericEvent) bool { return false },
}

func (r *Reconciler) fromCache() reconcile.Reconciler {
	return reconcile.Func(func(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
		var m fleetwrightv1.AzureMaintenanceConfiguration
		if err := r.Client.Get(ctx, request.NamespacedName, &m); apierrors.IsNotFound(err) {
			r.memory.Forget(request.NamespacedName)
			return reconcile.Result{}, nil
		} else if err != nil {
			return reconcile.Result{}, err
		}
		return r.Reconcile(ctx, &m)
	})
}

// maintenanceTypes are those that a cluster can have one of each.
var maintenanceTypes = []fleetwrightv1.MaintenanceType{
	fleetwrightv1.MaintenanceTypeDefault, fleetwrightv1.MaintenanceTypeAutoUpgrade, fleetwrightv1.MaintenanceTypeNodeOSUpgrade,
}

// ObjectName is the name of the one AzureMaintenanceConfiguration of a cluster and type. Admission sees to it.
func ObjectName(cluster string, kind fleetwrightv1.MaintenanceType) string {
	return cluster + "-" + strings.ToLower(string(kind))
}

// ofCluster are all that a Cluster may have: their names can be computed.
func ofCluster(_ context.Context, cluster client.Object) []reconcile.Request {
	out := make([]reconcile.Request, 0, len(maintenanceTypes))
	for _, kind := range maintenanceTypes {
		out = append(out, reconcile.Request{NamespacedName: types.NamespacedName{Namespace: cluster.GetNamespace(), Name: ObjectName(cluster.GetName(), kind)}})
	}
	return out
}

// inReach finds all that a Freeze may be about; which they are depends on their Clusters' labels.
func (r *Reconciler) inReach(ctx context.Context, o client.Object) []reconcile.Request {
	where := client.InNamespace(o.GetNamespace())
	if o.GetNamespace() == r.Namespace {
		where = client.InNamespace("")
	}
	var list fleetwrightv1.AzureMaintenanceConfigurationList
	if err := r.Client.List(ctx, &list, where); err != nil {
		logf.FromContext(ctx).Error(err, "Failed to list the AzureMaintenanceConfigurations in reach of a Freeze")
		return nil
	}
	out := make([]reconcile.Request, 0, len(list.Items))
	for i := range list.Items {
		out = append(out, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&list.Items[i])})
	}
	return out
}
