package clusterautoscaler

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/autoscalerprofile"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/drift"
	"github.com/fleetwright/fleetwright/internal/drift/sweep"
)

// target is what sweeps look for: the profiles that were seen in Azure, by the settings that are owned.
func target(reader client.Reader) sweep.Target {
	return sweep.AutoscalerProfiles(func(ctx context.Context) ([]sweep.Declared, error) { return declared(ctx, reader) }, rules()...)
}

// rules make a sweep take the same texts for the same as package autoscalerprofile does.
func rules() []drift.Rule {
	var out []drift.Rule
	for _, f := range autoscalerprofile.Fields() {
		switch f.Form {
		case autoscalerprofile.Seconds, autoscalerprofile.Minutes:
			out = append(out, drift.Rule{Path: f.Key, As: drift.Duration})
		case autoscalerprofile.Number, autoscalerprofile.Fraction:
			out = append(out, drift.Rule{Path: f.Key, As: drift.Number})
		case autoscalerprofile.Word, autoscalerprofile.Switch, autoscalerprofile.Boolean:
		}
	}
	return out
}

// declared leaves out what is paused or being deleted, and what was never there as a whole.
func declared(ctx context.Context, reader client.Reader) ([]sweep.Declared, error) {
	var list fleetwrightv1.AzureClusterAutoscalerList
	if err := reader.List(ctx, &list); err != nil {
		return nil, fmt.Errorf("list AzureClusterAutoscalers: %w", err)
	}
	var out []sweep.Declared
	for i := range list.Items {
		a := &list.Items[i]
		if !wasApplied(a) || !a.DeletionTimestamp.IsZero() || a.Spec.Reconcile == fleetwrightv1.ReconcileModePaused {
			continue
		}
		id := a.Spec.ManagedClusterID
		if id == "" {
			cluster, err := capi.ReadCluster(ctx, reader, types.NamespacedName{Namespace: a.Namespace, Name: a.Spec.ClusterName})
			if err != nil {
				return nil, err
			}
			id = cluster.ManagedClusterID()
		}
		if id == "" {
			continue
		}
		fields := map[string]any{}
		for key, value := range autoscalerprofile.Of(a.Spec.Profile.AutoscalerSettings) {
			fields[key] = value
		}
		out = append(out, sweep.Declared{Object: client.ObjectKeyFromObject(a), ID: id, Fields: fields})
	}
	return out, nil
}

// suspect notes whom a sweep found different, and has it looked at behind what a person has changed.
func (r *Reconciler) suspect(_ context.Context, e event.GenericEvent, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
	key := client.ObjectKeyFromObject(e.Object)
	r.suspects.add(key)
	request := reconcile.Request{NamespacedName: key}
	if ordered, is := q.(priorityqueue.PriorityQueue[reconcile.Request]); is {
		low := handler.LowPriority
		ordered.AddWithOpts(priorityqueue.AddOpts{Priority: &low}, request)
		return
	}
	q.Add(request)
}
