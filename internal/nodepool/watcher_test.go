package nodepool

import (
	"context"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// eventually waits for something that a drain does by itself.
func (a *azure) eventually(what string, done func() bool) {
	a.t.Helper()
	err := wait.PollUntilContextTimeout(a.t.Context(), 20*time.Millisecond, time.Minute, true, func(context.Context) (bool, error) {
		return done(), nil
	})
	if err != nil {
		a.t.Fatalf("%s: %v; %s", what, err, a.describe())
	}
}

// watched has the operator drain as it does in production from now on.
func (a *azure) watched() {
	d := &a.op.reconciler.drains
	d.close()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.engine, d.closed, d.runs = nil, false, nil
}

// A whole replacement with the drain engine that follows the cluster by itself:
// all that this operator does is look.
func TestReplacementWithWatches(t *testing.T) {
	t.Parallel()
	a := newAzure(t)
	a.pods, a.budget = 6, 2
	a.running("D4")
	a.watched()
	a.change(machine("D8"))
	a.eventually("the end of the replacement", func() bool {
		a.turn("general")
		return upToDate(a.get("general"))
	})
	a.checkEnd()
	if n := len(a.op.written("evict")); n < 6 || n > 8 {
		t.Errorf("%d evictions of 6 pods", n)
	}
	if runs, connections := a.op.reconciler.drains.count(); runs != 0 || connections != 0 {
		t.Errorf("%d drains and %d connections are left", runs, connections)
	}
}

// A look that finds a pause returns when no eviction is under way and none can
// begin, also in the middle of one that the API server takes its time for.
func TestPauseEndsEvictionsBeforeTheLookReturns(t *testing.T) {
	t.Parallel()
	a := newAzure(t)
	a.pods, a.budget = 6, 6
	a.running("D4")
	a.watched()
	a.change(machine("D8"))
	arrived, release := make(chan struct{}, 100), make(chan struct{})
	a.op.onEvict = func() {
		arrived <- struct{}{}
		<-release
	}
	a.converge(func(*fleetwrightv1.Nodepool) bool {
		runs, _ := a.op.reconciler.drains.count()
		return runs > 0
	})
	<-arrived // one is under way
	a.change(func(s *fleetwrightv1.NodepoolSpec) { s.Reconcile = fleetwrightv1.ReconcileModePaused })
	a.op.reconcile(a.key())
	if runs, connections := a.op.reconciler.drains.count(); runs != 0 || connections != 0 {
		t.Errorf("%d drains run over %d connections although it is paused", runs, connections)
	}
	before := len(arrived)
	close(release)
	a.turns(5) // the cluster lets pods go, and nobody asks
	if after := len(arrived); before > 0 || after > before {
		t.Errorf("%d evictions after the first and before the look that found the pause returned, %d after it", before, after-before)
	}
	a.change(func(s *fleetwrightv1.NodepoolSpec) { s.Reconcile = "" })
	a.eventually("the end of the replacement", func() bool {
		a.turn("general")
		return upToDate(a.get("general"))
	})
	a.checkEnd()
}

// count is how many drains there are, and over how many connections.
func (d *drains) count() (runs, connections int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.runs), len(d.engines)
}
