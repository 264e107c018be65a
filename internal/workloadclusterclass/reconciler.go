// Package workloadclusterclass keeps a WorkloadClusterClass as long as WorkloadClusters point to it, and counts them. What a class amounts to is
// for the WorkloadCluster to say.
package workloadclusterclass

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/condition"
	"github.com/fleetwright/fleetwright/internal/ownobject"
)

// +kubebuilder:rbac:groups=fleetwright.io,resources=workloadclusterclasses,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=fleetwright.io,resources=workloadclusterclasses/status,verbs=patch
// +kubebuilder:rbac:groups=fleetwright.io,resources=workloadclusters,verbs=list;watch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Reconciler reconciles WorkloadClusterClasses.
type Reconciler struct {
	// Client reads from the cache and writes; Live reads past the cache.
	Client   client.Client
	Live     client.Reader
	Recorder events.EventRecorder
	Clock    clock.PassiveClock
}

// Reconcile counts who points to the class, and lets a class go that is deleted once nobody does.
func (r *Reconciler) Reconcile(ctx context.Context, class *fleetwrightv1.WorkloadClusterClass) (ctrl.Result, error) {
	there, err := ownobject.Meet(ctx, r.Live, r.Client, class, fleetwrightv1.FinalizerWorkloadClusterClass, fieldOwner)
	if err != nil || !there {
		return ownobject.Quietly(err)
	}
	reader := client.Reader(r.Client)
	if !class.DeletionTimestamp.IsZero() {
		reader = r.Live // the cache may not have heard of a cluster yet
	}
	users, err := users(ctx, reader, client.ObjectKeyFromObject(class))
	if err != nil {
		return ctrl.Result{}, err
	}
	if !class.DeletionTimestamp.IsZero() && len(users) == 0 {
		return ownobject.Quietly(ownobject.SetFinalizer(ctx, r.Client, class, fleetwrightv1.FinalizerWorkloadClusterClass, false, fieldOwner))
	}
	return ownobject.Quietly(r.report(ctx, class, users))
}

// users are the WorkloadClusters that point to the class, by namespace and name. A fleet's are few, and nothing of them is copied.
func users(ctx context.Context, reader client.Reader, class types.NamespacedName) ([]string, error) {
	var all fleetwrightv1.WorkloadClusterList
	if err := reader.List(ctx, &all, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list the WorkloadClusters: %w", err)
	}
	var out []string
	for i := range all.Items {
		if c := &all.Items[i]; c.Spec.ClassRef.Name != "" && pointsTo(c) == class {
			out = append(out, c.Namespace+"/"+c.Name)
		}
	}
	return out, nil
}

// report writes the status where it changed, and speaks of it only once it is saved.
func (r *Reconciler) report(ctx context.Context, class *fleetwrightv1.WorkloadClusterClass, users []string) error {
	before := class.DeepCopy()
	class.Status = fleetwrightv1.WorkloadClusterClassStatus{
		Conditions:         condition.Stamp(conditions(users, !class.DeletionTimestamp.IsZero()), before.Status.Conditions, class.Generation, r.Clock.Now()),
		ObservedGeneration: class.Generation,
		Clusters:           ptr.To(int32(len(users))), //nolint:gosec // etcd holds fewer objects
	}
	if err := ownobject.WriteStatus(ctx, r.Client, before, class, fieldOwner); err != nil {
		return err
	}
	if c := meta.FindStatusCondition(class.Status.Conditions, fleetwrightv1.ConditionDeleting); condition.Changed(before.Status.Conditions, class.Status.Conditions, c.Type) &&
		c.Reason == fleetwrightv1.ReasonStillInUse {
		r.Recorder.Eventf(class, nil, corev1.EventTypeWarning, c.Reason, "Report", "%s", c.Message)
	}
	return nil
}
