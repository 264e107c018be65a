package reporting

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/workqueue"
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

// AddToManager wires the controller: Freezes, and objects that begin or cease to hold. namespace is the manager's own.
func AddToManager(mgr manager.Manager, namespace string) error {
	r := &Reconciler{
		Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Namespace: namespace,
		Recorder: mgr.GetEventRecorder("fleetwright-" + Name), Clock: clock.RealClock{},
	}
	b := ctrl.NewControllerManagedBy(mgr).Named(Name).
		For(&fleetwrightv1.Freeze{}, builder.WithPredicates(predicate.GenerationChangedPredicate{}))
	for _, k := range kinds {
		b = b.Watches(k.object, r.gather(), builder.WithPredicates(holdChanges))
	}
	return b.Complete(reconcile.AsReconciler(mgr.GetClient(), r))
}

// gathered is how long changes are gathered before a Freeze is looked at: each look counts the whole fleet, which holds object by object.
const gathered = time.Second

// gather asks for one look at the Freezes that may reach what has changed.
func (r *Reconciler) gather() handler.EventHandler {
	add := func(ctx context.Context, o client.Object, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) {
		for _, request := range r.freezesNear(ctx, o) {
			queue.AddAfter(request, gathered)
		}
	}
	return handler.Funcs{
		CreateFunc: func(ctx context.Context, e event.CreateEvent, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			add(ctx, e.Object, queue)
		},
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			add(ctx, e.ObjectNew, queue)
		},
		DeleteFunc: func(ctx context.Context, e event.DeleteEvent, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			add(ctx, e.Object, queue)
		},
	}
}

// holdChanges lets through what changes who holds: most updates of an object do not.
var holdChanges = predicate.Funcs{
	UpdateFunc: func(e event.UpdateEvent) bool {
		return holdOf(e.ObjectOld) != holdOf(e.ObjectNew)
	},
}

// hold is what an object says of being held, to be compared.
type hold struct {
	status          metav1.ConditionStatus
	reason, message string
	current         bool
}

func holdOf(o client.Object) hold {
	s := saidBy(o)
	out := hold{current: s.observed == o.GetGeneration()}
	if c := meta.FindStatusCondition(s.conditions, fleetwrightv1.ConditionPaused); c != nil {
		out.status, out.reason, out.message = c.Status, c.Reason, c.Message
	}
	return out
}

// freezesNear are the Freezes that may reach an object, by their namespace.
func (r *Reconciler) freezesNear(ctx context.Context, o client.Object) []reconcile.Request {
	var list fleetwrightv1.FreezeList
	if err := r.Client.List(ctx, &list); err != nil {
		logf.FromContext(ctx).Error(err, "Failed to list the Freezes that reach an object", "object", client.ObjectKeyFromObject(o))
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
