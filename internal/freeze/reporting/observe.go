package reporting

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/freeze"
)

// world is all that a Freeze's status speaks of.
type world struct {
	freeze *fleetwrightv1.Freeze
	// reached are the Nodepools in its reach.
	reached []nodepool
}

// nodepool is one Nodepool in reach, and all Freezes that reach it, of which it names one.
type nodepool struct {
	object  *fleetwrightv1.Nodepool
	freezes []*fleetwrightv1.Freeze
}

func (r *Reconciler) observe(ctx context.Context, f *fleetwrightv1.Freeze) (world, error) {
	w := world{freeze: f}
	var freezes fleetwrightv1.FreezeList
	if err := r.Client.List(ctx, &freezes); err != nil {
		return w, fmt.Errorf("list Freezes: %w", err)
	}
	var reach []client.ListOption
	if f.Namespace != r.Namespace {
		reach = append(reach, client.InNamespace(f.Namespace))
	}
	var nodepools fleetwrightv1.NodepoolList
	if err := r.Client.List(ctx, &nodepools, reach...); err != nil {
		return w, fmt.Errorf("list Nodepools: %w", err)
	}
	clusterLabels, err := capi.ReadClusterLabels(ctx, r.Client)
	if err != nil {
		return w, err
	}
	for i := range nodepools.Items {
		np := &nodepools.Items[i]
		target := freeze.Target{
			Namespace: np.Namespace, ClusterLabels: clusterLabels[types.NamespacedName{Namespace: np.Namespace, Name: np.Spec.ClusterName}],
		}
		if !freeze.Reaches(f, target, r.Namespace) {
			continue
		}
		seen := nodepool{object: np, freezes: []*fleetwrightv1.Freeze{f}}
		for j := range freezes.Items {
			if other := &freezes.Items[j]; other.UID != f.UID && freeze.Reaches(other, target, r.Namespace) {
				seen.freezes = append(seen.freezes, other)
			}
		}
		w.reached = append(w.reached, seen)
	}
	return w, nil
}
