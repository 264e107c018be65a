package nodepool

import (
	"context"
	"errors"
	"testing"

	"k8s.io/apimachinery/pkg/types"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/nodepool/replacement"
)

// Who waits for a slot whose holder hangs gives up with its own time, and leaves
// the slot as it was.
func TestSlotIsNotWaitedForWithoutEnd(t *testing.T) {
	var s slots
	cluster := types.NamespacedName{Namespace: "prod-eu", Name: "prod-eu-1"}
	release, err := s.take(t.Context(), cluster)
	if err != nil {
		t.Fatal(err)
	}
	impatient, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.take(impatient, cluster); !errors.Is(err, context.Canceled) {
		t.Errorf("take() = %v, want the end of its context", err)
	}
	other, err := s.take(t.Context(), types.NamespacedName{Namespace: "prod-eu", Name: "prod-eu-2"})
	if err != nil {
		t.Fatal(err)
	}
	other()
	release()
	if len(s.holders) != 0 {
		t.Errorf("%d slots are kept that nobody holds", len(s.holders))
	}
}

// A look may share a reading of the nodes with other Nodepools as long as it
// only waits. What it does itself, and what pods it reads, rests on nodes that
// it has read.
func TestNothingIsDoneOnASharedReading(t *testing.T) {
	t.Parallel()
	a := newAzure(t)
	a.pods, a.budget = 4, 1
	a.running("D4")
	a.change(machine("D8"))
	evicts, waits := 0, 0
	a.before = func(np *fleetwrightv1.Nodepool) {
		t.Helper()
		r := a.op.reconciler
		if _, err := r.Clusters.RecentNodes(t.Context(), a.cluster()); err != nil {
			t.Fatal(err)
		}
		o, err := r.firstLook(t.Context(), np.DeepCopy())
		if err != nil {
			t.Fatal(err)
		}
		kind := o.plan.Action.Kind
		if o.shared && (len(o.drains) > 0 || kind != replacement.None && !needsSlot(o.plan.Action)) {
			t.Errorf("%s, with pods of %d pools, on a shared reading", kind, len(o.drains))
		}
		if kind == replacement.EvictPods {
			evicts++
		}
		if kind == replacement.None && o.shared {
			waits++
		}
	}
	a.converge(upToDate)
	a.checkEnd()
	if evicts == 0 || waits == 0 {
		t.Errorf("%d looks evict, %d wait on a shared reading: want some of both", evicts, waits)
	}
}
