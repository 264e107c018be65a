// Package reporting tells, in a Freeze's status, who obeys it. It stops nothing: whoever writes asks package freeze first,
// so a Freeze works also while this controller is busy or down.
package reporting

import (
	"context"

	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// +kubebuilder:rbac:groups=fleetwright.io,resources=freezes,verbs=get;list;watch
// +kubebuilder:rbac:groups=fleetwright.io,resources=freezes/status,verbs=patch
// +kubebuilder:rbac:groups=fleetwright.io,resources=nodepools,verbs=get;list;watch
// +kubebuilder:rbac:groups=fleetwright.io,resources=azureclusteradditionalconfigs;azureroleassignments;azureclusterautoscalers;azuremaintenanceconfigurations;addressclaims,verbs=get;list;watch
// +kubebuilder:rbac:groups=cluster.x-k8s.io,resources=clusters,verbs=get;list;watch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Reconciler reports the status of Freezes.
type Reconciler struct {
	// Client reads from the cache and writes; Live reads past the cache.
	Client client.Client
	Live   client.Reader
	// Namespace is the manager's own, in which a Freeze reaches the fleet.
	Namespace string
	Recorder  events.EventRecorder
	Clock     clock.PassiveClock
}

// Reconcile counts who is in reach of one Freeze and who holds, and writes it down. It looks again when the Freeze begins or
// ends by its own times; all else is told by watches.
func (r *Reconciler) Reconcile(ctx context.Context, f *fleetwrightv1.Freeze) (ctrl.Result, error) {
	// The cache lags behind our own last status, and no event of it would bring us back.
	if err := r.Live.Get(ctx, client.ObjectKeyFromObject(f), f); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	world, err := r.observe(ctx, f)
	if err != nil {
		return ctrl.Result{}, err
	}
	now := r.Clock.Now()
	seen := decide(world, now)
	if err := r.report(ctx, f, seen, now); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if seen.checkAgain.IsZero() {
		return ctrl.Result{}, nil
	}
	return ctrl.Result{RequeueAfter: seen.checkAgain.Sub(now)}, nil
}
