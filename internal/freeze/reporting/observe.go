package reporting

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/freeze"
)

// world is all that a Freeze's status speaks of.
type world struct {
	freeze *fleetwrightv1.Freeze
	// reached are the objects in its reach.
	reached []object
}

// object is one object in reach, and all Freezes that reach it, of which it names one.
type object struct {
	kind, namespace, name string
	// paused is its condition of that name, nil when it has none.
	paused *metav1.Condition
	// current is true when its conditions are about its present spec.
	current bool
	freezes []*fleetwrightv1.Freeze
}

func (o *object) String() string { return o.kind + " " + o.namespace + "/" + o.name }

// observe reads everything from the cache, and copies nothing of it: a fleet has thousands of objects.
func (r *Reconciler) observe(ctx context.Context, f *fleetwrightv1.Freeze) (world, error) {
	w := world{freeze: f}
	var freezes fleetwrightv1.FreezeList
	if err := r.Client.List(ctx, &freezes); err != nil {
		return w, fmt.Errorf("list Freezes: %w", err)
	}
	clusterLabels, err := capi.ReadClusterLabels(ctx, r.Client)
	if err != nil {
		return w, err
	}
	reach := []client.ListOption{client.UnsafeDisableDeepCopy}
	if f.Namespace != r.Namespace {
		reach = append(reach, client.InNamespace(f.Namespace))
	}
	for _, k := range kinds {
		list := k.list()
		if err = r.Client.List(ctx, list, reach...); err != nil {
			return w, fmt.Errorf("list %ss: %w", k.name, err)
		}
		err = meta.EachListItem(list, func(item runtime.Object) error {
			o := item.(client.Object)
			s := saidBy(o)
			target := freeze.Target{Namespace: o.GetNamespace(), ClusterLabels: labelsFor(o, s.cluster, clusterLabels)}
			if freeze.Reaches(f, target, r.Namespace) {
				w.reached = append(w.reached, object{
					kind: k.name, namespace: o.GetNamespace(), name: o.GetName(), current: s.observed == o.GetGeneration(),
					paused: meta.FindStatusCondition(s.conditions, fleetwrightv1.ConditionPaused), freezes: r.reaching(f, freezes.Items, target),
				})
			}
			return nil
		})
		if err != nil {
			return w, err
		}
	}
	return w, nil
}

// labelsFor are the labels by which a Freeze selects an object: its Cluster's. A WorkloadCluster has those that its Cluster will have while that
// is not there.
func labelsFor(o client.Object, cluster string, of map[types.NamespacedName]map[string]string) map[string]string {
	labels, found := of[types.NamespacedName{Namespace: o.GetNamespace(), Name: cluster}]
	if _, makes := o.(*fleetwrightv1.WorkloadCluster); makes && !found {
		return o.GetLabels()
	}
	return labels
}

// reaching are all Freezes that reach a target, f among them.
func (r *Reconciler) reaching(f *fleetwrightv1.Freeze, all []fleetwrightv1.Freeze, target freeze.Target) []*fleetwrightv1.Freeze {
	out := []*fleetwrightv1.Freeze{f}
	for i := range all {
		if other := &all[i]; other.UID != f.UID && freeze.Reaches(other, target, r.Namespace) {
			out = append(out, other)
		}
	}
	return out
}
