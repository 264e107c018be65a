package nodepool

import (
	"context"
	"errors"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// An in-place change that CAPZ's webhook refuses again and again must not look
// like an operation: it would hold the cluster's one slot for good.
func TestRefusedChangeHoldsNoSlot(t *testing.T) {
	a := newAzure(t)
	np := a.nodepool("D4")
	a.converge(&crash{}, upToDate)
	if err := server.Get(t.Context(), a.key(), np); err != nil {
		t.Fatal(err)
	}
	np.Spec.Labels, np.Spec.Replicas = map[string]fleetwrightv1.LabelValue{"team": "shop"}, new(int32(3))
	if err := server.Update(t.Context(), np); err != nil {
		t.Fatal(err)
	}
	errRefused := errors.New("denied by webhook")
	refusing := interceptor.NewClient(server, interceptor.Funcs{
		Patch: func(ctx context.Context, w client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
			if _, infra := o.(*unstructured.Unstructured); infra {
				return errRefused
			}
			return w.Patch(ctx, o, p, opts...)
		},
	})
	if _, err := newReconciler(refusing).Reconcile(t.Context(), np); !errors.Is(err, errRefused) {
		t.Fatalf("Reconcile() = %v, want the refusal", err)
	}
	var pools clusterv1.MachinePoolList
	if err := server.List(t.Context(), &pools, client.InNamespace(a.namespace)); err != nil {
		t.Fatal(err)
	}
	if mark := pools.Items[0].Annotations[fleetwrightv1.AnnotationUpdateStarted]; mark != "" {
		t.Errorf("the refused change is marked as begun at %s", mark)
	}

	a.converge(&crash{}, func(np *fleetwrightv1.Nodepool) bool { return np.Status.Replicas != nil && *np.Status.Replicas == 3 })
	infra := a.infraPools()[0]
	labels, _, _ := unstructured.NestedStringMap(infra.Object, "spec", "nodeLabels")
	if labels["team"] != "shop" || infra.GetAnnotations()[fleetwrightv1.AnnotationUpdateStarted] == "" {
		t.Errorf("labels %v, annotations %v", labels, infra.GetAnnotations())
	}
}
