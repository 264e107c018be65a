package nodepool

import (
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// The first listing after a restart puts all Nodepools into the queue with a low
// priority, which every look takes off: drains come first, then all others alike.
func TestLooksAtDrainsComeFirst(t *testing.T) {
	t.Parallel()
	a := moving(t)
	request := reconcile.Request{NamespacedName: a.key()}
	look := func(want int, what string) {
		t.Helper()
		result, err := a.op.reconciler.fromCache().Reconcile(t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}
		if result.Priority == nil || *result.Priority != want {
			t.Errorf("%s: the next look has priority %v, want %d", what, result.Priority, want)
		}
	}
	look(urgent, "while pods are evicted")
	a.change(func(s *fleetwrightv1.NodepoolSpec) { s.Reconcile = fleetwrightv1.ReconcileModePaused })
	look(0, "paused")
	a.change(func(s *fleetwrightv1.NodepoolSpec) { s.Reconcile = "" })
	look(urgent, "when it goes on")
	a.converge(upToDate)
	look(0, "at its end")
}

// A look that a drain asks for does not wait behind a listing.
func TestDrainsWakeWithPriority(t *testing.T) {
	queue := priorityqueue.New[reconcile.Request](t.Name())
	defer queue.ShutDown()
	request := reconcile.Request{NamespacedName: drained}
	queue.AddWithOpts(priorityqueue.AddOpts{Priority: new(handler.LowPriority)}, request)
	wakeIn(queue)(drained)
	if got, priority, _ := queue.GetWithPriority(); got != request || priority != urgent {
		t.Errorf("%s comes with priority %d, want %d", got, priority, urgent)
	}
}
