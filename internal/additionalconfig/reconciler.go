// Package additionalconfig keeps AzureClusterAdditionalConfigs: everything that one AKS cluster needs of Azure beyond what Cluster API's
// provider for Azure gives it. Its sections become objects of other kinds, whose controllers do the work in Azure.
//
// A reconcile observes (observe.go), decides (decide.go), writes the objects (act.go) and reports (status.go). What a section becomes is a
// pure function in a package of its own (sections.go lists them).
package additionalconfig

import (
	"context"
	"time"

	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/additionalconfig/section"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/freeze"
	"github.com/fleetwright/fleetwright/internal/hold"
	"github.com/fleetwright/fleetwright/internal/ownobject"
)

// +kubebuilder:rbac:groups=fleetwright.io,resources=azureclusteradditionalconfigs,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=fleetwright.io,resources=azureclusteradditionalconfigs/status,verbs=patch
// +kubebuilder:rbac:groups=fleetwright.io,resources=freezes,verbs=get;list;watch
// +kubebuilder:rbac:groups=cluster.x-k8s.io,resources=clusters,verbs=get;list;watch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Reconciler reconciles AzureClusterAdditionalConfigs.
type Reconciler struct {
	// Client reads from the cache and writes; Live reads past the cache.
	Client   client.Client
	Live     client.Reader
	Recorder events.EventRecorder
	Clock    clock.PassiveClock
	// Namespace is the manager's own: a Freeze there reaches the fleet.
	Namespace string
	// Sections are what a config may have.
	Sections []section.Section
}

// conflictPause is how long to wait after somebody else wrote first.
const conflictPause = time.Second

// Reconcile makes the objects of one config what its sections ask for, removes those that nothing asks for any more, and sums up how they
// are. It waits for none of them: their own changes bring it back.
func (r *Reconciler) Reconcile(ctx context.Context, config *fleetwrightv1.AzureClusterAdditionalConfig) (ctrl.Result, error) {
	// The cache lags behind our own last status, and nothing is to be done for a spec that changed a moment ago.
	if lives, err := ownobject.Meet(ctx, r.Live, r.Client, config, fleetwrightv1.FinalizerAzureClusterAdditionalConfig, FieldOwner); err != nil || !lives {
		return ownobject.Quietly(err)
	}
	w, holdChanges, err := r.observe(ctx, config)
	if err != nil {
		return ctrl.Result{}, err
	}
	p := decide(w, r.Clock.Now())
	if p.gone {
		// The cache may not know of an object that was made a moment ago.
		if left, err := r.left(ctx, config); err != nil || left {
			return ctrl.Result{RequeueAfter: conflictPause}, err
		}
		return ownobject.Quietly(ownobject.SetFinalizer(ctx, r.Client, config, fleetwrightv1.FinalizerAzureClusterAdditionalConfig, false, FieldOwner))
	}
	if len(p.actions) > 0 {
		if stands, err := r.stands(ctx, config, w); err != nil || !stands {
			return ctrl.Result{RequeueAfter: conflictPause}, err
		}
	}
	failed := r.act(ctx, config, p)
	if err := r.report(ctx, config, w, p, failed); err != nil {
		return ownobject.Quietly(err)
	}
	if err := failed.err(); err != nil {
		return ownobject.Quietly(err)
	}
	return ctrl.Result{RequeueAfter: until(r.Clock.Now(), p.checkAgain, holdChanges)}, nil
}

// stands asks past the cache, right before objects are written, whether all who hold things back are still the same: the Cluster was read
// from the cache. The config itself was not.
func (r *Reconciler) stands(ctx context.Context, config *fleetwrightv1.AzureClusterAdditionalConfig, w world) (bool, error) {
	cluster, err := capi.ReadClusterAlone(ctx, r.Live, client.ObjectKey{Namespace: config.Namespace, Name: config.Spec.ClusterName})
	if err != nil {
		return false, err
	}
	frozen := freeze.InEffect(ctx, r.Live, config.Namespace, cluster.Labels, r.Namespace, r.Clock.Now())
	return cluster.Found == w.clusterFound && hold.Of(asking(config), cluster, frozen) == w.hold, nil
}

// left asks past the cache whether an object of ours is left.
func (r *Reconciler) left(ctx context.Context, config *fleetwrightv1.AzureClusterAdditionalConfig) (bool, error) {
	all, err := r.find(ctx, r.Live, config, world{})
	return len(all) > 0, err
}

// until is how long it is until the first of these times that lies ahead; zero when none does.
func until(now time.Time, times ...time.Time) (wait time.Duration) {
	for _, at := range times {
		if left := at.Sub(now); left > 0 && (wait == 0 || left < wait) {
			wait = left
		}
	}
	return wait
}
