// Package maintenanceconfiguration keeps AzureMaintenanceConfigurations: when AKS may do its work on a cluster.
//
// A reconcile observes (observe.go: one GET), decides (decide.go), does the one thing the plan says (act.go) and reports (status.go).
// Nothing is remembered between two reconciles but who has written lately, which only ends a fight (package drift): deleting all status
// changes no action.
package maintenanceconfiguration

import (
	"context"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerservice/armcontainerservice/v8"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/condition"
	"github.com/fleetwright/fleetwright/internal/drift"
	"github.com/fleetwright/fleetwright/internal/freeze"
	"github.com/fleetwright/fleetwright/internal/ownobject"
)

// +kubebuilder:rbac:groups=fleetwright.io,resources=azuremaintenanceconfigurations,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=fleetwright.io,resources=azuremaintenanceconfigurations/status,verbs=patch
// +kubebuilder:rbac:groups=fleetwright.io,resources=freezes,verbs=get;list;watch
// +kubebuilder:rbac:groups=cluster.x-k8s.io,resources=clusters,verbs=get;list;watch
// +kubebuilder:rbac:groups=infrastructure.cluster.x-k8s.io,resources=azuremanagedcontrolplanes;azureasomanagedcontrolplanes,verbs=get;list;watch
// +kubebuilder:rbac:groups=containerservice.azure.com,resources=managedclusters,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Azure is what is asked of Azure. Errors are refusals.
type Azure interface {
	MaintenanceConfiguration(ctx context.Context, managedClusterID, name string) (armcontainerservice.MaintenanceConfiguration, error)
	// WriteMaintenanceConfiguration returns what Azure has then.
	WriteMaintenanceConfiguration(ctx context.Context, managedClusterID, name string, wanted armcontainerservice.MaintenanceConfiguration) (armcontainerservice.MaintenanceConfiguration, error)
	// DeleteMaintenanceConfiguration deletes what is there; nothing is no error.
	DeleteMaintenanceConfiguration(ctx context.Context, managedClusterID, name string) error
}

// Azures are the ways to Azure by the identities of clusters.
type Azures interface {
	// For is the way to Azure for a cluster; nil when there is no identity to be.
	For(ctx context.Context, cluster capi.Cluster) (Azure, error)
}

// Reconciler reconciles AzureMaintenanceConfigurations.
type Reconciler struct {
	// Client reads from the cache and writes; Live reads past the cache.
	Client   client.Client
	Live     client.Reader
	Azures   Azures
	Recorder events.EventRecorder
	Clock    clock.PassiveClock
	// Namespace is the manager's own: a Freeze there reaches the fleet.
	Namespace string

	memory drift.Memory
}

// Reconcile does the next thing for one AzureMaintenanceConfiguration: writes its window to Azure where it differs, or takes it out.
func (r *Reconciler) Reconcile(ctx context.Context, m *fleetwrightv1.AzureMaintenanceConfiguration) (ctrl.Result, error) {
	// The cache lags behind our own annotation, and nothing must be written in spite of a pause of a moment ago.
	if lives, err := ownobject.Meet(ctx, r.Live, r.Client, m, fleetwrightv1.FinalizerAzureMaintenanceConfiguration, fieldOwner); err != nil || !lives {
		return ownobject.Quietly(err)
	}
	o, err := r.look(ctx, m)
	if err != nil {
		return ctrl.Result{}, err
	}
	logf.FromContext(ctx).V(1).Info("Planned", "plan", o.plan.String())
	if o.plan.action == write || o.plan.action == takeOut {
		if stands, err := r.stands(ctx, m, o); err != nil || !stands {
			return ctrl.Result{RequeueAfter: soon}, client.IgnoreNotFound(err)
		}
	}
	return r.conclude(ctx, m, o, r.act(o.asking(ctx), m, o))
}

// stands asks once more, right before a write, whether the wish and all who hold things back are still the same: Azure takes its time to
// answer.
func (r *Reconciler) stands(ctx context.Context, m *fleetwrightv1.AzureMaintenanceConfiguration, o *observation) (bool, error) {
	var live fleetwrightv1.AzureMaintenanceConfiguration
	if err := r.Live.Get(ctx, client.ObjectKeyFromObject(m), &live); err != nil {
		return false, err
	}
	cluster, err := capi.ReadClusterAlone(ctx, r.Live, client.ObjectKey{Namespace: m.Namespace, Name: m.Spec.ClusterName})
	if err != nil {
		return false, err
	}
	again := &observation{cluster: cluster, frozen: freeze.InEffect(ctx, r.Live, m.Namespace, cluster.Labels, r.Namespace, r.Clock.Now())}
	return live.UID == m.UID && live.Generation == m.Generation && live.DeletionTimestamp.Equal(m.DeletionTimestamp) && holdOf(&live, again) == o.world.hold, nil
}

// conclude reports what was done, and says when to look again.
func (r *Reconciler) conclude(ctx context.Context, m *fleetwrightv1.AzureMaintenanceConfiguration, o *observation, actErr error) (ctrl.Result, error) {
	if actErr == nil && (o.plan.action == letGo || o.plan.action == takeOut) {
		r.memory.Forget(client.ObjectKeyFromObject(m))
		actionsTotal.Count(string(o.plan.action), nil)
		// The last word on what became of the window.
		r.Recorder.Eventf(m, nil, corev1.EventTypeNormal, o.plan.reason, string(o.plan.action), "%s", condition.Clip(o.plan.message))
		return ctrl.Result{}, nil
	}
	if apierrors.IsConflict(actErr) {
		return ownobject.Quietly(actErr)
	}
	if err := r.report(ctx, m, o, actErr); err != nil {
		return ownobject.Quietly(err)
	}
	again := o.plan.again
	if actErr != nil {
		blocked, _ := obstacleOf(actErr)
		if again = blocked.again; again == 0 {
			return ctrl.Result{}, actErr
		}
	}
	if o.unread != nil {
		return ctrl.Result{}, o.unread
	}
	if again == 0 {
		again = rest
	}
	if left := o.frozen.CheckAgain.Sub(r.Clock.Now()); left > 0 {
		again = min(again, left)
	}
	return ctrl.Result{RequeueAfter: again}, nil
}
