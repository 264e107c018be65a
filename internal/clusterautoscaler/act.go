package clusterautoscaler

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/azure/refusal"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/ownobject"
)

// fieldOwner is who writes finalizer, annotation and status, and CAPZ's objects.
const fieldOwner = client.FieldOwner(capi.AutoscalerFieldOwner)

// act does the one thing of the plan. Each can be repeated.
func (r *Reconciler) act(ctx context.Context, a *fleetwrightv1.AzureClusterAutoscaler, o *observation) error {
	cluster := types.NamespacedName{Namespace: a.Namespace, Name: a.Spec.ClusterName}
	switch o.plan.action {
	case remember:
		// A difference after that is drift.
		return ownobject.Annotate(ctx, r.Client, a, map[string]string{fleetwrightv1.AnnotationProfileApplied: fingerprintOf(o.world.wanted)}, fieldOwner)
	case write, writeAzure:
		return r.write(ctx, a, o, cluster)
	case giveUp:
		if err := r.giveUp(ctx, o, cluster); err != nil {
			return err
		}
	case release:
		if err := capi.ReleaseAutoscalerProfile(ctx, r.Client, r.Live, cluster); err != nil {
			return err
		}
	case letGo:
	case nothing:
		return nil
	}
	return ownobject.SetFinalizer(ctx, r.Client, a, fleetwrightv1.FinalizerAzureClusterAutoscaler, false, fieldOwner)
}

func (r *Reconciler) write(ctx context.Context, a *fleetwrightv1.AzureClusterAutoscaler, o *observation, cluster types.NamespacedName) error {
	where := fmt.Sprintf("%s %s", o.world.declared.Kind, o.world.declared.Object)
	var err error
	if o.plan.action == write {
		err = capi.WriteAutoscalerProfile(ctx, r.Client, r.Live, cluster, o.world.wanted)
	} else {
		where = "Azure"
		_, err = o.azure.WriteAutoscalerProfile(ctx, o.id, o.world.wanted, nil)
		o.plan.again = slotPause
	}
	if o.plan.action == writeAzure && o.world.throughCAPZ() && refusal.Is(err, refusal.Denied) {
		o.plan = leftToASO(o.plan)
		o.plan.message += "; sooner, if the operator may: " + err.Error()
		return nil
	}
	if err == nil {
		r.memory.Healed(client.ObjectKeyFromObject(a), a.Generation, r.Clock.Now())
		o.plan.reason, o.plan.message = fleetwrightv1.ReasonUnconfirmed, "written to "+where+": "+o.plan.message
	}
	return err
}

// giveUp takes back what is still as we wrote it.
func (r *Reconciler) giveUp(ctx context.Context, o *observation, cluster types.NamespacedName) error {
	if o.world.throughCAPZ() {
		return capi.WriteAutoscalerProfile(ctx, r.Client, r.Live, cluster, nil)
	}
	_, err := o.azure.WriteAutoscalerProfile(ctx, o.id, nil, o.world.left())
	if refusal.Is(err, refusal.Gone) {
		return nil
	}
	return err
}
