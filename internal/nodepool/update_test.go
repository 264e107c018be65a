package nodepool

import (
	"context"
	"errors"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/agentpool"
	"github.com/fleetwright/fleetwright/internal/capi"
)

// An in-place change that CAPZ's webhook refuses again and again must not look
// like an operation: it would hold the cluster's one slot for good.
func TestRefusedChangeHoldsNoSlot(t *testing.T) {
	t.Parallel()
	a := newAzure(t)
	np := a.nodepool("D4")
	a.converge(upToDate)
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
	a.op.reconciler.Client = refusing
	if _, err := a.op.reconciler.Reconcile(t.Context(), np); !errors.Is(err, errRefused) {
		t.Fatalf("Reconcile() = %v, want the refusal", err)
	}
	var pools clusterv1.MachinePoolList
	if err := server.List(t.Context(), &pools, client.InNamespace(a.namespace)); err != nil {
		t.Fatal(err)
	}
	if mark := pools.Items[0].Annotations[fleetwrightv1.AnnotationUpdateStarted]; mark != "" {
		t.Errorf("the refused change is marked as begun at %s", mark)
	}

	a.op.start()
	a.converge(func(np *fleetwrightv1.Nodepool) bool { return np.Status.Replicas != nil && *np.Status.Replicas == 3 })
	infra, _ := a.objects(pools.Items[0].Name)
	labels, _, _ := unstructured.NestedStringMap(infra.Object, "spec", "nodeLabels")
	if labels["team"] != "shop" || infra.GetAnnotations()[fleetwrightv1.AnnotationUpdateStarted] == "" {
		t.Errorf("labels %v, annotations %v", labels, infra.GetAnnotations())
	}
}

// A pool still to be made, with more nodes than its new bounds allow, gets both
// however often the two writes are cut off: with one of them alone and nothing
// that tells, Azure would refuse it for ever.
func TestCutOffUpdateIsSeenAsUnfinished(t *testing.T) {
	for _, cut := range []string{"AzureManagedMachinePool", "MachinePool"} {
		t.Run(cut, func(t *testing.T) {
			a := newAzure(t)
			cluster := types.NamespacedName{Namespace: a.namespace, Name: clusterName}
			spec := agentpool.Spec{Version: "v1.34.2", MachineType: "D4", Scaling: &agentpool.Scaling{Min: 50, Max: 100}}
			err := capi.CreatePool(t.Context(), server, server, cluster, capi.NewPool{
				Object: "o", Name: "generalx", Nodepool: "np", NodepoolUID: "u", Spec: spec, Replicas: 50, Started: time.Now(),
			})
			if err != nil {
				t.Fatal(err)
			}
			spec.Scaling = &agentpool.Scaling{Min: 1, Max: 2}
			cutting := interceptor.NewClient(server, interceptor.Funcs{
				Patch: func(ctx context.Context, w client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
					if _, infra := o.(*unstructured.Unstructured); infra == (cut == "AzureManagedMachinePool") {
						return errCut
					}
					return w.Patch(ctx, o, p, opts...)
				},
			})
			if err := capi.UpdatePool(t.Context(), cutting, server, cluster, "o", "general", spec, nil, time.Now()); !errors.Is(err, errCut) {
				t.Fatalf("UpdatePool() = %v, want the cut", err)
			}
			if changes := agentpool.Changes(spec, onlyPool(t, cluster).Spec); len(changes) == 0 {
				t.Fatal("nothing tells that the update was cut off")
			}
			if err := capi.UpdatePool(t.Context(), server, server, cluster, "o", "general", spec, nil, time.Now()); err != nil {
				t.Fatal(err)
			}
			p := onlyPool(t, cluster)
			if changes := agentpool.Changes(spec, p.Spec); len(changes) > 0 || *p.Replicas != 2 {
				t.Errorf("%d nodes, changes left: %v", *p.Replicas, changes)
			}
		})
	}
}

func onlyPool(t *testing.T, cluster types.NamespacedName) capi.Pool {
	t.Helper()
	pools, err := readCluster(t, cluster).ReadPools(t.Context(), server, time.Now())
	if err != nil || len(pools) != 1 {
		t.Fatalf("pools %+v: %v", pools, err)
	}
	return pools[0]
}
