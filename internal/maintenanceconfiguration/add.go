package maintenanceconfiguration

import (
	"context"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/freeze"
	"github.com/fleetwright/fleetwright/internal/hold"
	"github.com/fleetwright/fleetwright/internal/ownobject"
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
		For(&fleetwrightv1.AzureMaintenanceConfiguration{}, builder.WithPredicates(predicate.Or(predicate.GenerationChangedPredicate{}, hold.PauseChanged))).
		Watches(capi.ClusterObject(), handler.EnqueueRequestsFromMapFunc(ofCluster), builder.WithPredicates(wish)).
		Watches(&fleetwrightv1.Freeze{}, handler.EnqueueRequestsFromMapFunc(freeze.InReach(r.Client, namespace, &fleetwrightv1.AzureMaintenanceConfigurationList{})),
			builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WithOptions(controller.Options{MaxConcurrentReconciles: workers, ReconciliationTimeout: reconcileTimeout}).
		Complete(ownobject.FromCache(r.Client, r, r.memory.Forget))
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
