package nodepool

import (
	"context"
	"errors"
	"fmt"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/workload"
)

var errCrash = errors.New("crashed here")

// crash ends the operator at its n-th write to the management cluster: before
// the write, or after it with the reply lost.
type crash struct {
	at      int
	lost    bool
	writes  int
	crashed bool
}

func (c *crash) around(do func() error) error {
	c.writes++
	if c.writes != c.at {
		return do()
	}
	c.crashed = true
	if c.lost {
		if err := do(); err != nil {
			return err
		}
	}
	return errCrash
}

func (c *crash) client() client.Client {
	return interceptor.NewClient(server, interceptor.Funcs{
		Create: func(ctx context.Context, w client.WithWatch, o client.Object, opts ...client.CreateOption) error {
			return c.around(func() error { return w.Create(ctx, o, opts...) })
		},
		Patch: func(ctx context.Context, w client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
			return c.around(func() error { return w.Patch(ctx, o, p, opts...) })
		},
		Delete: func(ctx context.Context, w client.WithWatch, o client.Object, opts ...client.DeleteOption) error {
			return c.around(func() error { return w.Delete(ctx, o, opts...) })
		},
		SubResourcePatch: func(ctx context.Context, w client.Client, sub string, o client.Object, p client.Patch, opts ...client.SubResourcePatchOption) error {
			return c.around(func() error { return w.SubResource(sub).Patch(ctx, o, p, opts...) })
		},
	})
}

func newReconciler(c client.Client) *Reconciler {
	return &Reconciler{
		Client: c, Live: c, Clusters: workload.New(c, "test", clock.RealClock{}),
		Recorder: events.NewFakeRecorder(1000), Clock: clock.RealClock{},
	}
}

// converge reconciles and lets Azure step in turn until done says so.
func (a *azure) converge(c *crash, done func(*fleetwrightv1.Nodepool) bool) {
	a.t.Helper()
	r := newReconciler(c.client())
	for range 150 {
		var np fleetwrightv1.Nodepool
		err := server.Get(a.t.Context(), a.key(), &np)
		if apierrors.IsNotFound(err) {
			if done(nil) {
				return
			}
			a.t.Fatal("the Nodepool is gone")
		}
		if err != nil {
			a.t.Fatal(err)
		}
		if done(&np) {
			return
		}
		if _, err := r.Reconcile(a.t.Context(), &np); err != nil && !c.crashed && !apierrors.IsConflict(err) {
			a.t.Fatalf("reconcile: %v", err)
		}
		if c.crashed {
			// A new process: nothing of the old one's memory is left.
			c.crashed = false
			r = newReconciler(c.client())
		}
		a.step()
	}
	var np fleetwrightv1.Nodepool
	_ = server.Get(a.t.Context(), a.key(), &np)
	a.t.Fatalf("no end; status: %+v", np.Status)
}

func upToDate(np *fleetwrightv1.Nodepool) bool {
	return np != nil && np.Status.ObservedGeneration == np.Generation &&
		meta.IsStatusConditionTrue(np.Status.Conditions, fleetwrightv1.ConditionUpToDate) &&
		meta.IsStatusConditionTrue(np.Status.Conditions, fleetwrightv1.ConditionReady)
}

// scenario is a whole life: made, replaced, gone. It returns the number of
// writes it took.
func scenario(t *testing.T, c *crash) int {
	t.Helper()
	a := newAzure(t)
	a.pods = 3
	np := a.nodepool("D4")
	a.converge(c, upToDate)

	if err := server.Get(t.Context(), a.key(), np); err != nil {
		t.Fatal(err)
	}
	np.Spec.MachineType = "D8"
	if err := server.Update(t.Context(), np); err != nil {
		t.Fatal(err)
	}
	a.converge(c, upToDate)
	a.checkOnePool("D8")

	a.pods = 0 // nowhere to go, so the tenants leave
	for _, p := range a.podsOn("") {
		if err := server.Delete(t.Context(), &p); err != nil {
			t.Fatal(err)
		}
	}
	if err := server.Delete(t.Context(), np); err != nil {
		t.Fatal(err)
	}
	a.converge(c, func(np *fleetwrightv1.Nodepool) bool { return np == nil })
	if left := a.infraPools(); len(left) > 0 {
		t.Errorf("I16: the Nodepool is gone and %d pools are left", len(left))
	}
	return c.writes
}

func (a *azure) checkOnePool(machineType string) {
	a.t.Helper()
	pools := a.infraPools()
	var machinePools clusterv1.MachinePoolList
	if err := server.List(a.t.Context(), &machinePools, client.InNamespace(a.namespace)); err != nil {
		a.t.Fatal(err)
	}
	if len(pools) != 1 || len(machinePools.Items) != 1 {
		a.t.Fatalf("I14: %d infrastructure pools and %d MachinePools are left, want 1 of each", len(pools), len(machinePools.Items))
	}
	if sku := pools[0].Object["spec"].(map[string]any)["sku"]; sku != machineType {
		a.t.Errorf("I14: the pool is of %v, want %s", sku, machineType)
	}
	if n := len(a.podsOn("")); n != a.pods {
		a.t.Errorf("%d pods run, want %d", n, a.pods)
	}
}

// TestEveryCrashPoint ends the operator at each of its writes, before it and
// with its reply lost, and expects the same end every time.
func TestEveryCrashPoint(t *testing.T) {
	writes := scenario(t, &crash{})
	if writes < 15 {
		t.Fatalf("the scenario took only %d writes: it does not do what it says", writes)
	}
	for at := 1; at <= writes; at++ {
		for _, lost := range []bool{false, true} {
			t.Run(fmt.Sprintf("write-%d-lost-%t", at, lost), func(t *testing.T) {
				t.Parallel()
				scenario(t, &crash{at: at, lost: lost})
			})
		}
	}
}

// TestStatusIsOnlyAReport wipes all status at every look: the end is the same.
func TestStatusIsOnlyAReport(t *testing.T) {
	a := newAzure(t)
	a.pods = 3
	a.nodepool("D4")
	wipe := func(np *fleetwrightv1.Nodepool) bool {
		if upToDate(np) {
			return true
		}
		np.Status = fleetwrightv1.NodepoolStatus{}
		if err := server.Status().Update(t.Context(), np); err != nil {
			t.Fatal(err)
		}
		return false
	}
	a.converge(&crash{}, wipe)
	var np fleetwrightv1.Nodepool
	if err := server.Get(t.Context(), a.key(), &np); err != nil {
		t.Fatal(err)
	}
	np.Spec.MachineType = "D8"
	if err := server.Update(t.Context(), &np); err != nil {
		t.Fatal(err)
	}
	a.converge(&crash{}, wipe)
	a.checkOnePool("D8")
}
