package maintenanceconfiguration

import (
	"context"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/drift"
	"github.com/fleetwright/fleetwright/internal/ownobject"
)

// fieldOwner is who writes finalizer, annotation and status.
const fieldOwner = client.FieldOwner("fleetwright-maintenanceconfiguration")

// act does the one thing of the plan. Each can be repeated.
func (r *Reconciler) act(ctx context.Context, m *fleetwrightv1.AzureMaintenanceConfiguration, o *observation) error {
	if o.plan.action != nothing {
		logf.FromContext(ctx).Info("Acting", "action", o.plan.action, "reason", o.plan.reason, "message", o.plan.message)
	}
	switch o.plan.action {
	case remember:
		return r.remember(ctx, m, o)
	case write:
		return r.write(ctx, m, o)
	case takeOut:
		if err := o.azure.DeleteMaintenanceConfiguration(ctx, o.cluster.ManagedClusterID(), string(m.Spec.Type)); err != nil {
			return err
		}
		return r.letGo(ctx, m)
	case letGo:
		return r.letGo(ctx, m)
	case nothing:
	}
	return nil
}

func (r *Reconciler) letGo(ctx context.Context, m *fleetwrightv1.AzureMaintenanceConfiguration) error {
	return ownobject.SetFinalizer(ctx, r.Client, m, fleetwrightv1.FinalizerAzureMaintenanceConfiguration, false, fieldOwner)
}

// write gives Azure the window with one PUT, whose answer says what Azure has made of it.
func (r *Reconciler) write(ctx context.Context, m *fleetwrightv1.AzureMaintenanceConfiguration, o *observation) error {
	wanted, err := forAzure(m.Spec.Window, o.world.found)
	if err != nil {
		return err
	}
	answer, err := o.azure.WriteMaintenanceConfiguration(ctx, o.cluster.ManagedClusterID(), string(m.Spec.Type), wanted)
	if err != nil {
		return err // a drift that stands, and nobody's new write: if only the reply was lost, the next look finds it as declared
	}
	r.memory.Healed(client.ObjectKeyFromObject(m), m.Generation, r.Clock.Now())
	found := fromAzure(answer)
	o.world.found = &found
	if o.world.fields, err = differences(m.Spec.Window, o.world.found); err != nil {
		return err
	}
	if len(o.world.fields) > 0 {
		// Writing it again would end the same way.
		o.plan.verdict, o.plan.reason, o.plan.again = stuck, fleetwrightv1.ReasonAzureRefused, personPause
		o.plan.message = fmt.Sprintf("Azure took the window and made another of it: %s", drift.Paths(o.world.fields))
		return nil
	}
	return r.remember(ctx, m, o)
}

// remember writes down which window was found in Azure, so that its change there is told from a change of the spec. Somebody else's
// write meanwhile is a conflict.
func (r *Reconciler) remember(ctx context.Context, m *fleetwrightv1.AzureMaintenanceConfiguration, o *observation) error {
	if m.Annotations[fleetwrightv1.AnnotationMaintenanceApplied] == o.fingerprint {
		return nil
	}
	return ownobject.Annotate(ctx, r.Client, m, map[string]string{fleetwrightv1.AnnotationMaintenanceApplied: o.fingerprint}, fieldOwner)
}
