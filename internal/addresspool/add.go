package addresspool

import (
	"context"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
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
	"github.com/fleetwright/fleetwright/internal/cidr"
)

// Name is the controller's name in logs, metrics and events.
const Name = "addresspool"

const (
	// reconcileTimeout bounds one reconcile.
	reconcileTimeout = 2 * time.Minute
	// workers is one on purpose: whether a pool gives out anything depends on what was last said of its neighbours.
	workers = 1
	// gathered is how long news of ranges are gathered. Each look reads all of them, and a status that is written is a conflict for the claims
	// that choose from the pool.
	gathered = 5 * time.Second
)

// AddToManager wires the controller: AddressPools, their AddressAllocations, and the AddressClaims that those are for.
func AddToManager(mgr manager.Manager) error {
	r := &Reconciler{
		Client: mgr.GetClient(), Live: mgr.GetAPIReader(),
		Recorder: mgr.GetEventRecorder("fleetwright-" + Name), Clock: clock.RealClock{},
	}
	if err := registerMetrics(mgr.GetClient()); err != nil {
		return fmt.Errorf("register metrics: %w", err)
	}
	return r.watch(mgr, gathered)
}

// watch says what wakes a pool. News of ranges are gathered for so long.
func (r *Reconciler) watch(mgr manager.Manager, gathered time.Duration) error {
	said := builder.WithPredicates(predicate.Or(predicate.GenerationChangedPredicate{}, updates(readyChanged)))
	recorded := builder.WithPredicates(predicate.Or(predicate.GenerationChangedPredicate{}, updates(readyLost)))
	return ctrl.NewControllerManagedBy(mgr).Named(Name).
		For(&fleetwrightv1.AddressPool{}, said).
		Watches(&fleetwrightv1.AddressPool{}, handler.EnqueueRequestsFromMapFunc(r.neighboursOf), said).
		Watches(&fleetwrightv1.AddressAllocation{}, gather(r.poolsOfAllocation, gathered), recorded).
		Watches(&fleetwrightv1.AddressClaim{}, gather(poolsOfClaim, gathered), builder.WithPredicates(comesOrGoes)).
		WithOptions(controller.Options{MaxConcurrentReconciles: workers, ReconciliationTimeout: reconcileTimeout}).
		Complete(r)
}

// updates passes updates only.
func updates(which func(event.UpdateEvent) bool) predicate.Predicate {
	no := predicate.NewPredicateFuncs(func(client.Object) bool { return false })
	no.UpdateFunc = which
	return no
}

// readyChanged is true for changes of condition Ready: a pool waits for what its neighbour says, and a status that somebody deletes is written
// again, since claims choose by it.
func readyChanged(e event.UpdateEvent) bool { return readyOf(e.ObjectOld) != readyOf(e.ObjectNew) }

// readyLost is true when somebody has deleted the status.
func readyLost(e event.UpdateEvent) bool {
	return readyOf(e.ObjectOld) != (ready{}) && readyOf(e.ObjectNew) == (ready{})
}

type ready struct {
	status   metav1.ConditionStatus
	reason   string
	observed int64
}

func readyOf(o client.Object) ready {
	conditioned, is := o.(interface{ GetConditions() []metav1.Condition })
	if !is {
		return ready{}
	}
	c := meta.FindStatusCondition(conditioned.GetConditions(), fleetwrightv1.ConditionReady)
	if c == nil {
		return ready{}
	}
	return ready{c.Status, c.Reason, c.ObservedGeneration}
}

// comesOrGoes passes what makes or ends orphans.
var comesOrGoes = predicate.Funcs{UpdateFunc: func(event.UpdateEvent) bool { return false }}

// gather asks for one look for all news of a while.
func gather(pools func(context.Context, client.Object) []reconcile.Request, while time.Duration) handler.EventHandler {
	type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]
	add := func(ctx context.Context, o client.Object, q queue) {
		for _, request := range pools(ctx, o) {
			q.AddAfter(request, while)
		}
	}
	return handler.Funcs{
		CreateFunc: func(ctx context.Context, e event.CreateEvent, q queue) { add(ctx, e.Object, q) },
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, q queue) { add(ctx, e.ObjectNew, q) },
		DeleteFunc: func(ctx context.Context, e event.DeleteEvent, q queue) { add(ctx, e.Object, q) },
	}
}

// neighboursOf are all other pools: which of them share a range with this one, or did before, is for the look to say.
func (r *Reconciler) neighboursOf(ctx context.Context, o client.Object) []reconcile.Request {
	return r.pools(ctx, func(p *fleetwrightv1.AddressPool) bool { return keyOf(p) != client.ObjectKeyFromObject(o) })
}

// poolsOfAllocation are the pool that an allocation names, and others that it lies in.
func (r *Reconciler) poolsOfAllocation(ctx context.Context, o client.Object) []reconcile.Request {
	a, is := o.(*fleetwrightv1.AddressAllocation)
	if !is {
		return nil
	}
	own := poolOf(a)
	out := []reconcile.Request{{NamespacedName: own}}
	at, err := cidr.Parse(a.Spec.CIDR)
	if err != nil {
		return out
	}
	return append(out, r.pools(ctx, func(p *fleetwrightv1.AddressPool) bool {
		l, err := landOf(p)
		return err == nil && keyOf(p) != own && slices.ContainsFunc(l.usable, at.Overlaps)
	})...)
}

func (r *Reconciler) pools(ctx context.Context, which func(*fleetwrightv1.AddressPool) bool) []reconcile.Request {
	var list fleetwrightv1.AddressPoolList
	if err := r.Client.List(ctx, &list); err != nil {
		logf.FromContext(ctx).Error(err, "Failed to list the AddressPools that may be concerned")
		return nil
	}
	var out []reconcile.Request
	for i := range list.Items {
		if which(&list.Items[i]) {
			out = append(out, reconcile.Request{NamespacedName: keyOf(&list.Items[i])})
		}
	}
	return out
}

// poolsOfClaim are those that a claim asks for ranges of.
func poolsOfClaim(_ context.Context, o client.Object) []reconcile.Request {
	claim, is := o.(*fleetwrightv1.AddressClaim)
	if !is {
		return nil
	}
	var out []reconcile.Request
	for _, r := range claim.Spec.Ranges {
		if r.PoolRef.Name == "" {
			continue
		}
		request := reconcile.Request{NamespacedName: types.NamespacedName{Namespace: r.PoolRef.Namespace, Name: r.PoolRef.Name}}
		if request.Namespace == "" {
			request.Namespace = claim.Namespace
		}
		if !slices.Contains(out, request) {
			out = append(out, request)
		}
	}
	return out
}
