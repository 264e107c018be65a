package additionalconfig

import (
	"context"
	"fmt"

	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/capi"
)

// Name is the controller's name in logs, metrics and events.
const Name = "additionalconfig"

// AddToManager wires the controller: configs, the objects that are made of them, their Clusters, and Freezes. namespace is the manager's
// own.
func AddToManager(mgr manager.Manager, namespace string) error {
	r := &Reconciler{
		Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Namespace: namespace, Sections: Sections,
		Recorder: mgr.GetEventRecorder("fleetwright-" + Name), Clock: clock.RealClock{},
	}
	if err := metrics.Registry.Register(conditionCollector{mgr.GetClient()}); err != nil {
		return fmt.Errorf("register metrics: %w", err)
	}
	// Status writes of our own must not wake us.
	own := predicate.Or(predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{})
	b := ctrl.NewControllerManagedBy(mgr).Named(Name).For(&fleetwrightv1.AzureClusterAdditionalConfig{}, builder.WithPredicates(own))
	for _, kind := range kinds(Sections) {
		object, err := newOf[client.Object](mgr.GetScheme(), kind)
		if err != nil {
			return fmt.Errorf("watch what sections become: %w", err)
		}
		b = b.Owns(object)
	}
	return b.
		Watches(capi.ClusterObject(), handler.EnqueueRequestsFromMapFunc(sameName), builder.WithPredicates(predicate.Or(own, predicate.LabelChangedPredicate{}))).
		Watches(&fleetwrightv1.Freeze{}, handler.EnqueueRequestsFromMapFunc(r.inReach), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Complete(reconcile.AsReconciler(mgr.GetClient(), r))
}

// sameName is the config of a Cluster: admission sees to it that they are called the same.
func sameName(_ context.Context, cluster client.Object) []reconcile.Request {
	return []reconcile.Request{{NamespacedName: client.ObjectKeyFromObject(cluster)}}
}

// inReach finds all configs that a Freeze may be about.
func (r *Reconciler) inReach(ctx context.Context, o client.Object) []reconcile.Request {
	where := client.InNamespace(o.GetNamespace())
	if o.GetNamespace() == r.Namespace {
		where = client.InNamespace("")
	}
	var list fleetwrightv1.AzureClusterAdditionalConfigList
	if err := r.Client.List(ctx, &list, where); err != nil {
		logf.FromContext(ctx).Error(err, "Failed to list the AzureClusterAdditionalConfigs in reach of a Freeze")
		return nil
	}
	out := make([]reconcile.Request, 0, len(list.Items))
	for i := range list.Items {
		out = append(out, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&list.Items[i])})
	}
	return out
}
