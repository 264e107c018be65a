package reporting

import (
	"context"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// Name is the controller's name in logs, metrics and events.
const Name = "freeze"

// AddToManager wires the controller: Freezes, and Nodepools that begin or cease to hold. namespace is the manager's own.
func AddToManager(mgr manager.Manager, namespace string) error {
	r := &Reconciler{
		Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Namespace: namespace,
		Recorder: mgr.GetEventRecorder("fleetwright-" + Name), Clock: clock.RealClock{},
	}
	return ctrl.NewControllerManagedBy(mgr).Named(Name).
		For(&fleetwrightv1.Freeze{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&fleetwrightv1.Nodepool{}, handler.EnqueueRequestsFromMapFunc(r.freezesNear), builder.WithPredicates(holdChanges)).
		Complete(reconcile.AsReconciler(mgr.GetClient(), r))
}

// holdChanges lets through what changes who holds: most updates of a Nodepool do not.
var holdChanges = predicate.Funcs{
	UpdateFunc: func(e event.UpdateEvent) bool {
		return holdOf(e.ObjectOld) != holdOf(e.ObjectNew)
	},
}

// hold is what a Nodepool says of being held, to be compared.
type hold struct {
	status          metav1.ConditionStatus
	reason, message string
	current         bool
}

func holdOf(o client.Object) hold {
	np := o.(*fleetwrightv1.Nodepool)
	out := hold{current: np.Status.ObservedGeneration == np.Generation}
	if c := meta.FindStatusCondition(np.Status.Conditions, fleetwrightv1.ConditionPaused); c != nil {
		out.status, out.reason, out.message = c.Status, c.Reason, c.Message
	}
	return out
}

// freezesNear are the Freezes that may reach a Nodepool, by their namespace.
func (r *Reconciler) freezesNear(ctx context.Context, o client.Object) []reconcile.Request {
	var list fleetwrightv1.FreezeList
	if err := r.Client.List(ctx, &list); err != nil {
		logf.FromContext(ctx).Error(err, "Failed to list the Freezes that reach a Nodepool", "nodepool", client.ObjectKeyFromObject(o))
		return nil
	}
	var out []reconcile.Request
	for i := range list.Items {
		if f := &list.Items[i]; f.Namespace == r.Namespace || f.Namespace == o.GetNamespace() {
			out = append(out, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(f)})
		}
	}
	return out
}
